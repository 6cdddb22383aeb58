// Machine's inside, shared by machine.cpp (running) and capture.cpp (the portable form).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "interp/executor.hpp"
#include "interp/machine.hpp"

namespace chiwawa {

struct Machine::Impl {
  explicit Impl(Machine& machine) : owner(machine) {}

  Machine& owner;
  Context ctx;
  Dispatch dispatch{};
  uint64_t steps = 0;  ///< only when the store's code counts them
  /// Code of restored frames, compiled with barriers at their positions. New calls use the functions' ordinary code.
  std::vector<std::unique_ptr<Code>> restored_codes;

  /// Goes on until the computation ends or the budget is used up.
  Exit run();
  /// Whether the code counts at branches and calls, or before each step; carries the computation over.
  void set_counting(bool on);
  /// In code that counts: the sync point where the machine stands, if it does at one.
  const SyncSteps* sync_here() const;
  /// In code that counts: the steps that are before the place where the machine stands, in its function's order.
  uint64_t steps_before(Exit exit) const;

  /// The module offset where a restored machine stands that has not run yet, if no host call waits. It need not be a
  /// sync point.
  std::optional<uint32_t> restored_at;

  /// Forgets the computation.
  void reset();
  /// As reset(), with room for so many slots and frames (besides the embedder's).
  bool reserve(uint64_t slots, uint32_t frames);
  Outcome outcome(Exit exit);
  std::vector<CodePosition> call_chain(size_t max) const;
};

}  // namespace chiwawa
