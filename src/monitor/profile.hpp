// --profile: where a run spends its instructions, or its time, by call chain.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "interp/instrumentation.hpp"
#include "interp/monitor.hpp"
#include "monitor/output.hpp"
#include "monitor/source_lines.hpp"

namespace chiwawa::monitor {

/// Call chains, outermost function first, each with what was spent in it.
struct ProfileStacks {
  struct Stack {
    std::vector<FuncAddr> functions;
    uint64_t weight = 0;
  };
  std::vector<Stack> stacks;
  bool is_time = false;  ///< nanoseconds; otherwise instructions
  uint64_t total() const;
};

/// "main;read;parse 1234", a line for each chain: for flamegraph.pl, inferno and speedscope.
void write_folded(Output& output, const Store& store, const ProfileStacks& profile);
/// For speedscope.app. `lines` may be empty.
void write_speedscope(Output& output, const Store& store, const ProfileStacks& profile, const std::string& title,
                      const SourceLines& lines);

/// Exact: the steps of every call chain.
class CounterProfile final : public Monitor {
 public:
  std::string_view name() const override { return "profile"; }
  bool wants_call_tree() const override { return true; }
  void ended(const Ending& ending, const Instrumentation& instrumentation) override;
  const ProfileStacks& result() const { return result_; }

 private:
  ProfileStacks result_;
};

/// What Instrumentation::sample sees, weighted by time.
class SampleProfile final : public Monitor {
 public:
  std::string_view name() const override { return "samples"; }
  void sampled(const Store& store, std::span<const CodePosition> chain, uint64_t nanoseconds) override;
  void ended(const Ending& ending, const Instrumentation& instrumentation) override;
  std::vector<uint8_t> save() const override;
  Result<void> load(std::span<const uint8_t> state, const Store& store) override;
  const ProfileStacks& result() const { return result_; }

 private:
  std::map<std::vector<FuncAddr>, uint64_t> samples_;
  ProfileStacks result_;
};

}  // namespace chiwawa::monitor
