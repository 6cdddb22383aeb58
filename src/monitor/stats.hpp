// --stats: what a run consisted of, in numbers.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "interp/instrumentation.hpp"
#include "interp/monitor.hpp"
#include "monitor/output.hpp"

namespace chiwawa::monitor {

/// What a run consisted of.
struct Statistics {
  struct Count {
    std::string name;
    uint64_t count = 0;
  };
  struct HostCalls {
    uint64_t calls = 0;
    uint64_t errors = 0;  ///< WASI: answered with another errno than success
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
    uint64_t nanoseconds = 0;
  };
  uint64_t instructions = 0;
  std::vector<Count> opcodes;  ///< executed ones, the most frequent first, equal ones by name
  uint64_t direct_calls = 0, indirect_calls = 0, reference_calls = 0, tail_calls = 0;
  uint64_t functions = 0;                       ///< that were executed
  std::map<std::string, HostCalls> host_calls;  ///< by name
  uint64_t peak_memory = 0;                     ///< bytes of all memories together
  uint64_t grows = 0;                           ///< successful ones, by more than nothing
  double seconds = 0;                           ///< real time, of all parts of the run
};

class Stats : public Monitor {
 public:
  enum class Format : uint8_t { Text, Json };
  explicit Stats(Format format) : format_(format), begin_(std::chrono::steady_clock::now()) {}

  /// To be called when the memories are there.
  void begin(const Store& store) { note_memory(store); }
  const Statistics& result() const { return result_; }
  /// The report, complete after ended().
  std::string report() const;

  std::string_view name() const override { return "stats"; }
  bool wants_counts() const override { return true; }
  void host_call(const HostCallEvent& event) override;
  void memory_grown(const MemoryGrownEvent& event) override;
  void ended(const Ending& ending, const Instrumentation& instrumentation) override;
  std::vector<uint8_t> save() const override;
  Result<void> load(std::span<const uint8_t> state, const Store& store) override;

 private:
  void note_memory(const Store& store);
  uint64_t elapsed() const;

  Format format_;
  Statistics result_;
  Outcome::Kind ending_ = Outcome::Kind::Finished;
  std::chrono::steady_clock::time_point begin_;
  uint64_t before_ = 0;  // nanoseconds of the parts of the run before this one
};

}  // namespace chiwawa::monitor
