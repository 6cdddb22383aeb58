// What is run in several ways: a module, and what is done with it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "interp/module.hpp"
#include "interp/result.hpp"
#include "spec/world.hpp"

namespace chiwawa::differential {

struct Subject {
  std::string file;
  std::shared_ptr<const Module> module;
  /// A program's arguments, its name first, and standard input. Modules that are no program have their exports called,
  /// one after the other, with arguments that are made up.
  std::vector<std::string> args;
  std::string input;
  /// Where made-up arguments come from; missing: all are 7.
  std::optional<uint64_t> seed;
  std::vector<std::string> except;  ///< exports that are not called
};

/// Whether it is a program: it has a function `_start`.
bool is_program(const Module& module);

/// What one run showed.
struct Transcript {
  /// The imports; what every call was, what the host's functions were given meanwhile and how it ended; what memories,
  /// tables and globals held in the end, and a program's output. See line() in transcript.cpp for values.
  std::vector<std::string> lines;
  uint64_t steps = 0;
  uint64_t stops = 0;
};

/// Instantiates the module in a new store and makes the calls. Phase::Invoke if a call does not end within the mode's
/// steps; otherwise errors of linking, of instantiation, and of a stop.
Result<Transcript> run(const Subject& subject, const spec::Mode& mode);

}  // namespace chiwawa::differential
