// A guest and everything that it runs in, made from a module or from a snapshot.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "interp/machine.hpp"
#include "interp/module.hpp"
#include "interp/outcome.hpp"
#include "interp/result.hpp"
#include "interp/store.hpp"
#include "options.hpp"
#include "wasi/wasi.hpp"

namespace chiwawa::tools {

class Session {
 public:
  /// Instantiates the module and begins its start function, or the call that the options ask for. If the segments do not
  /// fit, the session exists and `trap` says so.
  static Result<std::unique_ptr<Session>> start(const Options& options);
  /// Goes on with options.restore, which must be of the same module. Phase::Snapshot if it is not, or is damaged.
  static Result<std::unique_ptr<Session>> restore(const Options& options);

  Machine& machine() { return *machine_; }
  const Store& store() const { return store_; }
  TrapKind trap() const { return trap_; }

  /// Begins the call that follows the one that has just finished (the exported function, after the start function).
  /// False if there is none: the program has ended.
  Result<bool> begin_next_call();

  /// Writes the paused machine and all around it to a file, atomically.
  Result<void> save(const std::string& path);

 private:
  struct Call {
    FuncAddr function{};
    std::vector<Value> args;
  };

  Session() = default;
  Result<void> read_module(const Options& options);
  /// Creates or restores WASI when the module imports it.
  Result<void> make_wasi(const Options& options, const wasi::State* state);
  /// The host's functions for the module's imports, in their order. Phase::Link naming all that nobody provides.
  Result<std::vector<Extern>> provide_imports();
  Result<Call> find_call(const Instance& instance, const Options& options) const;
  void configure(const Options& options);

  // In this order: each refers to those before it.
  std::shared_ptr<const Module> module_;
  std::unique_ptr<wasi::Wasi> wasi_;
  Store store_;
  std::unique_ptr<Machine> machine_;
  TrapKind trap_ = TrapKind::None;
  std::optional<Call> next_;
  std::string module_name_;
};

}  // namespace chiwawa::tools
