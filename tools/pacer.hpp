// Budgets for Machine::run: long enough to cost nothing, short enough to look at the clock in time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace chiwawa::tools {

/// Aims at runs of 2 to 5 ms, within bounds.
class Pacer {
 public:
  using Duration = std::chrono::steady_clock::duration;

  /// `largest` bounds what a sudden change costs: a guest whose polls take 1 ns now may need 1 us for each a moment
  /// later.
  explicit Pacer(uint64_t largest) : largest_(largest) {}

  uint64_t budget() const { return budget_; }

  /// Says how long a run with the whole budget took.
  void ran(Duration time) {
    if (time < std::chrono::milliseconds(2)) budget_ = std::min(budget_ * 2, largest_);
    if (time > std::chrono::milliseconds(5)) budget_ = std::max(budget_ / 2, uint64_t{1});
  }

 private:
  uint64_t largest_;
  uint64_t budget_ = 1000;
};

}  // namespace chiwawa::tools
