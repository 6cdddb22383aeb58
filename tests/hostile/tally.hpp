// What the hostile tests share: their corpus, how inputs ended, and a guest that runs for a while.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hostile/mutate.hpp"
#include "interp/instantiate.hpp"
#include "interp/machine.hpp"
#include "interp/result.hpp"

namespace chiwawa::hostile {

struct CorpusFile {
  std::string name;
  Bytes bytes;
};
using Corpus = std::vector<CorpusFile>;

/// How many inputs ended in which way; problems are what must not happen.
struct Tally {
  std::map<std::string, uint64_t> ends;
  std::vector<std::string> problems;

  /// Counts an error; one without a cause, or with an offset beyond the input, is a problem.
  void refused(const Error& error, size_t input_size, const std::string& input);
};

/// Of every store that runs hostile code: small memories, and steps that are counted.
inline constexpr StoreLimits kHostileLimits{.max_memory = 64 * kPageSize,  // 4 MiB: many are filled and saved
                                            .max_heap = 1u << 20};
inline constexpr CompileOptions kHostileCode{.polls = false, .exact = true};

/// All modules in the folders and files, if they are not large.
Corpus collect_corpus(std::span<const std::string> paths);

/// Decoded and validated.
Result<std::shared_ptr<const Module>> load(Bytes bytes);

/// A host function of that name and type that returns zeros.
HostFunction stub_function(std::string module, std::string name, FuncType type);

/// A store with an instance of the module, whose imports are stubs; memories are kept small.
struct World {
  std::shared_ptr<const Module> module;
  std::unique_ptr<Store> store;
  Instance* instance = nullptr;
};
Result<World> make_world(std::shared_ptr<const Module> module);

/// Machines for hostile code: few frames, steps counted.
std::unique_ptr<Machine> make_machine(Store& store, Random& random);

}  // namespace chiwawa::hostile
