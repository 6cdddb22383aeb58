#include "interp/outcome.hpp"

namespace chiwawa {

const char* name(TrapKind kind) {
  switch (kind) {
    case TrapKind::None: return "none";
    case TrapKind::Unreachable: return "unreachable";
    case TrapKind::IntegerDivideByZero: return "integer divide by zero";
    case TrapKind::IntegerOverflow: return "integer overflow";
    case TrapKind::InvalidConversionToInteger: return "invalid conversion to integer";
    case TrapKind::OutOfBoundsMemoryAccess: return "out of bounds memory access";
    case TrapKind::OutOfBoundsTableAccess: return "out of bounds table access";
    case TrapKind::UndefinedElement: return "undefined element";
    case TrapKind::UninitializedElement: return "uninitialized element";
    case TrapKind::IndirectCallTypeMismatch: return "indirect call type mismatch";
    case TrapKind::CallStackExhausted: return "call stack exhausted";
    case TrapKind::NullReference: return "null reference";
    case TrapKind::NullFunctionReference: return "null function reference";
    case TrapKind::NullStructureReference: return "null structure reference";
    case TrapKind::NullArrayReference: return "null array reference";
    case TrapKind::NullI31Reference: return "null i31 reference";
    case TrapKind::NullExceptionReference: return "null exception reference";
    case TrapKind::CastFailure: return "cast failure";
    case TrapKind::OutOfBoundsArrayAccess: return "out of bounds array access";
    case TrapKind::UncaughtException: return "uncaught exception";
    case TrapKind::HeapExhausted: return "heap exhausted";
    case TrapKind::UnalignedAtomic: return "unaligned atomic";
    case TrapKind::ExpectedSharedMemory: return "expected shared memory";
    case TrapKind::Deadlock: return "deadlock";
    case TrapKind::HostFunction: return "host function failed";
  }
  return "?";
}

}  // namespace chiwawa
