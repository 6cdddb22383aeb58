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
#include "snapshot/read.hpp"
#include "snapshot/restore.hpp"
#include "wasi/wasi.hpp"

namespace chiwawa::tools {

class Session {
 public:
  /// Instantiates the module and begins its start function, or the call that the options ask for. If the segments do
  /// not fit, the session exists and trap() says so. The options must outlive it.
  static Result<std::unique_ptr<Session>> start(const Options& options);
  /// Goes on with options.restore, which must be of the same module. Phase::Snapshot if it is not, or is damaged.
  /// With options.explain everything is checked, but what the guest had open is not restored: not to be run.
  static Result<std::unique_ptr<Session>> restore(const Options& options);

  Machine& machine() { return *machine_; }
  /// Null if nobody watches.
  Instruments* instruments() { return instruments_.get(); }
  const Store& store() const { return *store_; }
  TrapKind trap() const { return trap_; }
  /// Where the guest's sockets listen.
  std::vector<std::string> listening_on() const { return wasi_ ? wasi_->listening_on() : std::vector<std::string>(); }
  /// After restore(): what became of each descriptor.
  const std::vector<wasi::Verdict>& verdicts() const { return verdicts_; }

  /// Begins the call that follows the one that has just finished (the exported function, after the start function).
  /// False if there is none: the program has ended.
  Result<bool> begin_next_call();

  /// Writes the paused machine and all around it to a file, atomically, or to standard output ("-").
  Result<void> save(const std::string& path);

 private:
  using Call = MachineImage::NextCall;
  /// What --invoke and --params ask for.
  struct Request {
    uint32_t function_index = 0;
    std::vector<Value> args;
  };

  explicit Session(const Options& options) : options_(options) {}

  Result<void> begin();
  Result<void> continue_from(const std::string& snapshot);

  Result<void> read_module();
  Result<void> use_module(std::vector<uint8_t> bytes);
  /// The module of the snapshot: that of the command line, or else the one that is embedded.
  Result<void> find_module(snapshot::Reader& reader);
  Result<Request> find_request() const;
  bool imports_wasi() const;
  wasi::Config wasi_config() const;
  Result<void> create_wasi();
  Result<void> restore_wasi(const wasi::State& state);
  Result<void> examine_wasi(const wasi::State& state);
  CompileOptions compile_options() const;
  /// What the options want to watch with.
  Result<void> create_instruments();
  /// Goes on watching where the snapshot's monitors were.
  Result<void> restore_instruments(const snapshot::Restored& restored);
  /// Gives the store a clock, if the module can wait.
  Result<void> provide_clock();
  /// The host's functions for the module's imports, in their order. Phase::Link naming all that nobody provides.
  Result<std::vector<Extern>> provide_imports();

  const Options& options_;
  // In this order: each refers to those before it.
  std::shared_ptr<const Module> module_;
  std::string module_name_;  // a hint for people
  bool embed_module_ = false;
  bool deterministic_ = false;
  std::unique_ptr<wasi::Wasi> wasi_;
  std::unique_ptr<wasi::Wasi> clock_;  // of a program that has no WASI
  std::unique_ptr<Instruments> instruments_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Machine> machine_;
  TrapKind trap_ = TrapKind::None;
  std::optional<Call> next_;
  std::vector<wasi::Verdict> verdicts_;
};

}  // namespace chiwawa::tools
