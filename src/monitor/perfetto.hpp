// --trace-format perfetto: the run on a time line, for ui.perfetto.dev and chrome://tracing.
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU (Trace Event Format, JSON array)
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "monitor/trace.hpp"

namespace chiwawa::monitor {

/// Functions as slices, host calls as slices with their arguments, the size of memory as a counter. Where a run
/// ends by a checkpoint the array stays open, which the format allows, so that its parts can be joined.
class PerfettoTrace final : public Monitor {
 public:
  PerfettoTrace(TraceFilter filter, Output& output)
      : filter_(std::move(filter)), output_(output), begin_(std::chrono::steady_clock::now()) {}

  /// The size of the memories is known.
  void begin(const Store& store);

  std::string_view name() const override { return "perfetto"; }
  bool wants_calls(const FuncInst& function) const override;
  void entered(const Store& store, FuncAddr function) override;
  void left(const Store& store, FuncAddr function) override;
  void host_call(const HostCallEvent& event) override;
  void memory_grown(const MemoryGrownEvent& event) override;
  void ended(const Ending& ending, const Instrumentation& instrumentation) override;
  std::vector<uint8_t> save() const override;
  Result<void> load(std::span<const uint8_t> state, const Store& store) override;

 private:
  uint64_t now() const;  // nanoseconds since the run began
  /// Up to the time.
  void begin_event(char phase, const std::string& quoted_name, uint64_t at);
  void microseconds(uint64_t nanoseconds);
  void memory(const Store& store);
  bool take() {
    if (taken_ >= filter_.first) return false;
    ++taken_;
    return true;
  }

  TraceFilter filter_;
  Output& output_;
  std::chrono::steady_clock::time_point begin_;
  uint64_t before_ = 0;  // nanoseconds of the parts of the run before this one
  bool restored_ = false;
  uint64_t taken_ = 0;
  uint64_t open_ = 0;     // slices that have begun and not ended
  uint64_t skipped_ = 0;  // slices that have begun when no more events were wanted
  FunctionNames names_;
};

}  // namespace chiwawa::monitor
