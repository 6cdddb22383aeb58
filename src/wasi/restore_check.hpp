// What can be said of a saved state without opening anything: its text and numbers.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wasi/context.hpp"

namespace chiwawa::wasi {

/// In quotes, fit to be printed.
std::string quoted(const std::string& text);

class StateCheck {
 public:
  /// `verdicts` receives one for each problem.
  StateCheck(const Context& wasi, const State& state, std::vector<Verdict>& verdicts)
      : wasi_(wasi), state_(state), verdicts_(verdicts) {}

  void strings();
  /// Whether the record may be used. To be called for each, in their order.
  bool record(const DescriptorRecord& record);

 private:
  void problem(std::string what) { verdicts_.push_back({Verdict::Kind::Refused, std::nullopt, std::move(what)}); }

  const Context& wasi_;
  const State& state_;
  std::vector<Verdict>& verdicts_;
  std::set<DescriptorKind> streams_;
  std::set<std::string_view> preopens_;
  uint64_t next_number_ = 0;
};

}  // namespace chiwawa::wasi
