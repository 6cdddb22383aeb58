// Monitor: the base class of everything that watches a guest. docs/writing-a-monitor.md has a complete example.
//
// A monitor says, when code is made, what it wants to be told or to have counted; only there the code differs from that
// of an unwatched guest. It sees the machine (view.hpp) and cannot change it. All callbacks come from within
// Machine::run, in the order in which things happen.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "interp/host.hpp"
#include "interp/instr_reader.hpp"
#include "interp/outcome.hpp"
#include "interp/result.hpp"
#include "interp/view.hpp"

namespace chiwawa {

class Instrumentation;

/// A host call that has ended. One that waits is reported when it has, not before.
struct HostCallEvent {
  const Store& store;
  const FuncInst& function;
  const Instance* caller = nullptr;  ///< null: the embedder itself
  /// Where the call is: the calling function, and the call's offset in its module. Meaningful only with a caller.
  CodePosition position;
  std::span<const Value> args;
  std::span<const Value> results;  ///< empty unless it returned
  HostResult::Kind kind = HostResult::Kind::Return;
  uint32_t exit_code = 0;
  uint64_t nanoseconds = 0;  ///< real time since it was called, without the time in which the machine stood

  /// The caller's first memory, or nothing.
  std::span<const uint8_t> memory() const;
};

/// A memory that has just been grown.
struct MemoryGrownEvent {
  const Store& store;
  uint64_t old_bytes = 0;
  uint64_t new_bytes = 0;
};

/// How a run ended.
struct Ending {
  const Store& store;
  Outcome::Kind kind = Outcome::Kind::Finished;  ///< Paused: a snapshot was written, and the guest goes on elsewhere
};

class Monitor {
 public:
  virtual ~Monitor() = default;

  /// Names its state in a snapshot. Monitors of one machine have different names.
  virtual std::string_view name() const = 0;

  // --- What it wants. Asked when a function is compiled, perhaps more than once; the answers must stay the same. -----

  /// Whether before(), for any of the function's instructions.
  virtual bool wants_instructions(const FuncInst& /*function*/) const { return false; }
  /// Whether before(), for this instruction of a function for which wants_instructions() holds. Only steps
  /// (schema/FORMAT.md) that can be reached are asked for: no block, loop, else, or end.
  virtual bool wants(const FuncInst& /*function*/, const Instr& /*instr*/) const { return false; }
  /// Whether entered() and left().
  virtual bool wants_calls(const FuncInst& /*function*/) const { return false; }
  /// Whether the executions of every instruction are counted: Instrumentation::counts().
  virtual bool wants_counts() const { return false; }
  /// Whether steps are counted by call chain: Instrumentation::call_tree(). The store's code must count steps
  /// (CompileOptions::exact).
  virtual bool wants_call_tree() const { return false; }

  // --- What happens. -------------------------------------------------------------------------------------------------

  /// The instruction is executed next. It may trap.
  virtual void before(const View& /*view*/) {}
  /// A frame of the function has been made, by a call or by a tail call.
  virtual void entered(const Store& /*store*/, FuncAddr /*function*/) {}
  /// The innermost frame, which is of that function, goes: it returns, calls another in its place, or an exception
  /// leaves it.
  virtual void left(const Store& /*store*/, FuncAddr /*function*/) {}
  virtual void host_call(const HostCallEvent& /*event*/) {}
  virtual void memory_grown(const MemoryGrownEvent& /*event*/) {}
  /// The embedder has looked where the machine stands, innermost frame first (Instrumentation::sample).
  virtual void sampled(const Store& /*store*/, std::span<const CodePosition> /*chain*/, uint64_t /*nanoseconds*/) {}
  /// The run is over, whatever way. Nothing follows.
  virtual void ended(const Ending& /*ending*/, const Instrumentation& /*instrumentation*/) {}

  // --- Across a snapshot. --------------------------------------------------------------------------------------------

  /// What another monitor of this name needs to go on. Empty: nothing.
  virtual std::vector<uint8_t> save() const { return {}; }
  /// Goes on from there. The bytes come from outside and can be anything; what is refused must change nothing.
  virtual Result<void> load(std::span<const uint8_t> /*state*/, const Store& /*store*/) { return {}; }
};

}  // namespace chiwawa
