// Instrumentation: the monitors of a store, what they share, and the way from the machine to them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "interp/block_counts.hpp"
#include "interp/call_tree.hpp"
#include "interp/machine.hpp"
#include "interp/monitor.hpp"
#include "interp/monitor_state.hpp"

namespace chiwawa {

/// What a cell of the operation call_out is for (its member a).
enum class CallOut : uint16_t { Compile, Look, Enter, Leave };

/// Set Store::instrumentation to one before anything runs; it and its monitors outlive the machine.
class Instrumentation {
 public:
  static constexpr size_t kMostMonitors = 32;
  /// At most kMostMonitors.
  explicit Instrumentation(std::vector<Monitor*> monitors);

  const BlockCounts& counts() const { return counts_; }
  const CallTree& call_tree() const { return tree_; }
  /// Makes the counters of functions that were never called, too, so that counts() knows their blocks.
  void count_uncalled(const Store& store);

  /// Shows where the machine stands, which has run for that time since the last sample, to the monitors.
  void sample(Machine& machine, const Store& store, uint64_t nanoseconds);
  /// To be called once, when the machine will not run any more; the outcome is its last.
  void end(Machine& machine, const Store& store, const Outcome& outcome);

  /// What a snapshot of the paused machine has to carry.
  std::vector<MonitorState> save(const Machine& machine);
  /// Goes on from a snapshot with these states, whose machine has been restored. States of monitors that are not there
  /// are ignored, and named in `unknown`. Phase::Snapshot if one is damaged.
  Result<void> load(const std::vector<MonitorState>& states, const Store& store, std::vector<std::string>& unknown);
  /// Before a restored machine runs: it stands there.
  void stand(const Store& store, const MachineImage& image);

  // --- For the compiler. ---

  struct Wishes {
    bool instructions = false;
    bool calls = false;
    bool counts = false;
    bool call_tree = false;
  };
  Wishes wishes(const FuncInst& function) const;
  /// Bits: which monitors want to look before the instruction.
  uint32_t watchers(const FuncInst& function, const Instr& instr) const;
  uint64_t* counters(FuncAddr function, std::vector<Block> blocks) { return counts_.of(function, std::move(blocks)); }

  // --- For the machine. ---

  CallTree* tree() { return wants_tree_ ? &tree_ : nullptr; }
  void look(const Context& ctx);
  void enter(const Context& ctx, uint64_t steps);
  void leave(const Context& ctx, uint64_t steps);
  /// An exception leaves the frame at that cell.
  void unwind(const Context& ctx, const Frame& frame, const Cell* at);
  /// The frame at that cell catches an exception.
  void caught(const Frame& frame, const Cell* at) { abandon(frame, at); }
  void host_call(const HostCallEvent& event);
  void memory_grown(const MemoryGrownEvent& event);

 private:
  void abandon(const Frame& frame, const Cell* at);

  std::vector<Monitor*> monitors_;
  bool wants_counts_ = false;
  bool wants_tree_ = false;
  BlockCounts counts_;
  CallTree tree_;
};

/// The host call that ctx.pc makes, told to the instrumentation when it has ended; see finish_host_call.
class WatchedHostCall {
 public:
  WatchedHostCall(const Context& ctx, const FuncInst& function, const uint64_t* slots, const Cell* call);
  void ended(const HostResult& result, const uint64_t* slots);

 private:
  const Context& ctx_;
  const FuncInst& function_;
  CodePosition position_;
  std::vector<Value> args_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace chiwawa
