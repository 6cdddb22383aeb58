// The ways a run ends or stops. https://webassembly.github.io/spec/core/intro/overview.html#trap
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interp/types.hpp"

namespace chiwawa {

enum class TrapKind : uint8_t {
  None,
  Unreachable,
  IntegerDivideByZero,
  IntegerOverflow,
  InvalidConversionToInteger,
  OutOfBoundsMemoryAccess,
  OutOfBoundsTableAccess,
  UndefinedElement,
  UninitializedElement,
  IndirectCallTypeMismatch,
  CallStackExhausted,
  NullReference,
  NullFunctionReference,
  NullStructureReference,
  NullArrayReference,
  NullI31Reference,
  NullExceptionReference,
  CastFailure,
  OutOfBoundsArrayAccess,
  UncaughtException,  ///< no frame has a clause for it
  HeapExhausted,      ///< no memory for an object
  UnalignedAtomic,
  ExpectedSharedMemory,  ///< memory.atomic.wait in a memory that is not shared
  Deadlock,              ///< a wait that nobody can end
  HostFunction,          ///< a host function refused to go on; Trap::detail says why
};

/// The text the official test suite uses, "integer divide by zero".
const char* name(TrapKind kind);

/// One entry of a call chain: a function, and where in the module's bytes its frame stands.
struct CodePosition {
  FuncAddr function{};
  uint32_t offset = 0;
};

struct Trap {
  TrapKind kind = TrapKind::None;
  std::string detail;
  /// Innermost frame first; at most kMaxReportedFrames.
  std::vector<CodePosition> call_chain;
  static constexpr size_t kMaxReportedFrames = 64;
};

/// Pausing is an ordinary result: the machine can be captured or run on.
enum class PauseReason : uint8_t {
  Budget,    ///< the budget given to run() is used up
  HostWait,  ///< a host call or memory.atomic.wait waits for time or input; running on tries it again
};

struct Outcome {
  enum class Kind : uint8_t { Finished, Trapped, Exited, Paused };

  Kind kind = Kind::Finished;
  /// Finished. A reference's type is the greatest of its hierarchy; what it refers to is there until the next run.
  std::vector<Value> values;
  Trap trap;                                ///< Trapped
  uint32_t exit_code = 0;                   ///< Exited
  PauseReason pause = PauseReason::Budget;  ///< Paused
};

}  // namespace chiwawa
