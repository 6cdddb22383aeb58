// The monitors that the options ask for, and what becomes of their results.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "interp/instrumentation.hpp"
#include "monitor/coverage.hpp"
#include "monitor/output.hpp"
#include "monitor/perfetto.hpp"
#include "monitor/profile.hpp"
#include "monitor/stats.hpp"
#include "monitor/trace.hpp"

namespace chiwawa::tools {

struct InstrumentOptions {
  bool trace = false;
  monitor::TraceOptions trace_options;
  monitor::TraceFormat trace_format = monitor::TraceFormat::Text;
  std::string trace_output;  ///< empty: standard error
  std::optional<monitor::Stats::Format> stats;
  std::string profile;  ///< a file; empty: none
  bool profile_samples = false;
  std::string coverage;  ///< a file; empty: none

  bool any() const { return trace || stats || !profile.empty() || !coverage.empty(); }
  /// What the code must be able to do for them.
  bool needs_steps() const { return !profile.empty() && !profile_samples; }
  bool needs_polls() const { return !profile.empty() && profile_samples; }
};

class Instruments {
 public:
  /// Opens what is written while the guest runs. Phase::Io. `title`: of the program, for people.
  static Result<std::unique_ptr<Instruments>> create(const InstrumentOptions& options, std::string title);

  Instrumentation& instrumentation() { return *instrumentation_; }
  /// To be called when the store is complete, before the first run; after a restore, with what the snapshot has.
  void begin(const Store& store);
  bool samples() const { return options_.needs_polls(); }
  /// Lets what has been traced so far be seen.
  void flush() {
    if (options_.trace) trace_output_.flush();
  }
  /// To be called once, behind the last run: writes results into their files and onto standard error. Problems are
  /// printed as notes.
  void end(Machine& machine, const Store& store, const Outcome& outcome);

 private:
  Instruments(const InstrumentOptions& options, std::string title) : options_(options), title_(std::move(title)) {}
  Result<void> write_profile(const Store& store) const;
  Result<void> write_coverage(const Store& store) const;

  const InstrumentOptions& options_;
  std::string title_;
  monitor::Output trace_output_;
  std::unique_ptr<monitor::Tracer> tracer_;
  std::unique_ptr<monitor::PerfettoTrace> perfetto_;
  std::unique_ptr<monitor::Stats> stats_;
  std::unique_ptr<monitor::CounterProfile> counters_;
  std::unique_ptr<monitor::SampleProfile> samples_;
  std::unique_ptr<monitor::Coverage> coverage_;
  std::unique_ptr<Instrumentation> instrumentation_;
};

}  // namespace chiwawa::tools
