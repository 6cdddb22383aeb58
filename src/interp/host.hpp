// HostFunction: what a guest can import. Arguments go in; return, trap, exit or wait come out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "interp/types.hpp"

namespace chiwawa {

class Store;
struct Instance;

/// How a host call ends.
struct HostResult {
  enum class Kind : uint8_t {
    Return,  ///< results are in place
    Trap,    ///< `detail` says why
    Exit,    ///< the guest ends with `exit_code`
    Wait,    ///< not finished: the machine pauses, and calls the function again with the same arguments
  };
  Kind kind = Kind::Return;
  uint32_t exit_code = 0;
  std::string detail;

  static HostResult done() { return {}; }
  static HostResult trap(std::string why) { return {Kind::Trap, 0, std::move(why)}; }
  static HostResult exit(uint32_t code) { return {Kind::Exit, code, {}}; }
  static HostResult wait() { return {Kind::Wait, 0, {}}; }
};

/// One call of a host function. `slots` holds the arguments, one 64-bit slot each (i32 and f32 in the low half,
/// references as in types.hpp; a vector has two); results are written over them, from slots[0]. A function that waits
/// must leave the arguments as they are.
struct HostCall {
  Store& store;
  Instance* caller = nullptr;  ///< null when the embedder calls the function itself
  uint64_t* slots;

  uint32_t i32(size_t i) const { return static_cast<uint32_t>(slots[i]); }
  uint64_t i64(size_t i) const { return slots[i]; }
  void result(size_t i, uint64_t bits) { slots[i] = bits; }
};

/// The time as the guest sees it, and a way to let it pass; for memory.atomic.wait. `context` belongs to whoever
/// provides it and outlives the store. Without functions the guest has no time: a wait with a timeout ends at once.
struct GuestClock {
  /// Nanoseconds, monotonic.
  uint64_t (*now)(void* context) = nullptr;
  /// Sleeps, at most so many nanoseconds: it may return earlier, so that the machine can be stopped.
  void (*sleep)(uint64_t nanoseconds, void* context) = nullptr;
  void* context = nullptr;

  /// now(), or 0 without a clock.
  uint64_t time() const;
};

/// A host function is named by module and field, so that a snapshot can name it, too.
struct HostFunction {
  std::string module;
  std::string name;
  FuncType type;
  /// Must not call back into a Machine. `context` belongs to whoever provides the function and outlives the store.
  HostResult (*call)(HostCall& call, void* context) = nullptr;
  void* context = nullptr;
};

}  // namespace chiwawa
