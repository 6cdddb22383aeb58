// Machine: one computation in a Store - frames, operands, pending host call. With the store it is the whole
// continuation: nothing of a paused guest is anywhere else.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "interp/outcome.hpp"
#include "interp/result.hpp"
#include "interp/store.hpp"

namespace chiwawa {

/// Which dispatcher executes.
enum class Dispatch : uint8_t { Loop, Tail };

/// Whether this build contains it.
bool has_dispatch(Dispatch dispatch);
/// The fastest that this build contains.
Dispatch default_dispatch();

struct MachineLimits {
  /// Frames; one more ends in the trap "call stack exhausted".
  uint32_t max_call_depth = 200'000;
  /// Slots (8 bytes) of all frames together; beyond it the same trap. 256 MiB.
  uint32_t max_stack_slots = 32u << 20;
};

/// A frame as the specification sees it.
struct FrameImage {
  FuncAddr function{};
  /// Byte offset in the module. Innermost frame: of the instruction to execute next. All others, and the innermost
  /// one while a host call is pending: of the byte after the call that is under way.
  uint32_t position = 0;
  uint32_t local_count = 0;    ///< parameters included
  uint32_t operand_count = 0;  ///< without the arguments of the call under way
};

/// The portable form of a paused machine: the same for every build and every way the code was compiled.
struct MachineImage {
  std::vector<FrameImage> frames;  ///< outermost first
  /// Of every frame in turn: its locals, then its operands, bottom first. A reference's type is the greatest of its
  /// hierarchy.
  std::vector<Value> values;
  /// A host call that has not finished; it is made again when the machine runs on.
  struct PendingCall {
    FuncAddr function{};
    std::vector<Value> args;
  };
  std::optional<PendingCall> pending;
  /// The innermost frame stands at a memory.atomic.wait, which has begun so many nanoseconds ago.
  std::optional<uint64_t> waited;
  /// The function that was invoked, whose results run() returns in the end.
  FuncAddr entry{};
  /// Steps executed since the start of the run; only when they are counted (CompileOptions::exact).
  std::optional<uint64_t> steps;
  /// What the embedder is going to invoke when this computation has finished (the program's function, while the start
  /// function runs). Belongs to the embedder: capture() leaves it out, restore() ignores it, snapshots carry it.
  struct NextCall {
    FuncAddr function{};
    std::vector<Value> args;
  };
  std::optional<NextCall> next;
};

/// Executes one invocation at a time. The store must outlive it. Not copyable; to duplicate a computation, capture it.
class Machine {
 public:
  explicit Machine(Store& store, MachineLimits limits = {}, Dispatch dispatch = default_dispatch());
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Begins a call of `function`. Phase::Invoke if the arguments do not fit its type. Any former computation is
  /// forgotten, and only one machine of a store may have one: what it does not refer to is taken from the heap.
  Result<void> invoke(FuncAddr function, std::span<const Value> args);

  /// Goes on until the computation ends or `budget` is used up. The budget is in steps when the store's code counts
  /// them (exact), in polls when it polls, and ignored otherwise. Requires a computation that has not ended.
  Outcome run(uint64_t budget = ~uint64_t{0});

  /// As run(), but if the store's code counts steps it may stop up to reach() steps early, where that costs nothing.
  /// All but the last part of many steps is best done so.
  Outcome run_up_to(uint64_t budget);
  /// Steps.
  uint64_t reach() const;

  /// Steps executed so far by all computations of this machine, also before a restore; 0 unless CompileOptions::exact.
  uint64_t steps() const;

  /// The paused machine's portable form. Requires that the last outcome was Paused, or a restore. run(0) brings a
  /// computation that has just begun to its first instruction, if the store's code polls or counts steps.
  MachineImage capture();

  /// Replaces the computation by a captured one. Everything is checked against the module's validation: positions,
  /// types of locals and operands, that callers stand behind calls of the callee's type, limits. Phase::Snapshot on
  /// failure; the machine then has no computation.
  Result<void> restore(const MachineImage& image);

  /// Where the frames stand, innermost first, at most `max`. Requires a paused or just trapped computation.
  std::vector<CodePosition> call_chain(size_t max = Trap::kMaxReportedFrames);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace chiwawa
