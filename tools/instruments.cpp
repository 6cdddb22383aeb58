#include "instruments.hpp"

#include <cstdio>
#include <utility>

#include "report.hpp"
#ifdef CHIWAWA_SOURCE_LINES
#include "inspect/dwarf_lines.hpp"
#endif

namespace chiwawa::tools {

namespace {

/// Looks into the module's DWARF; says so once if there is no way to, though there may be lines.
std::map<uint32_t, monitor::SourcePlace> find_lines(const Module& module, std::vector<uint32_t> offsets) {
  std::map<uint32_t, monitor::SourcePlace> places;
#ifdef CHIWAWA_SOURCE_LINES
  const inspect::SourceLines lines = inspect::find_source_lines(module, std::move(offsets));
  if (!lines.problem.empty()) print_note("source lines may be missing: " + lines.problem);
  for (const auto& [offset, line] : lines.by_offset) {
    if (line.line != 0) places[offset] = {line.file, line.line};
  }
#else
  (void)module, (void)offsets;
  print_note("this build cannot read source lines");
#endif
  return places;
}

}  // namespace

Result<std::unique_ptr<Instruments>> Instruments::create(const InstrumentOptions& options, std::string title) {
  std::unique_ptr<Instruments> made(new Instruments(options, std::move(title)));
  std::vector<Monitor*> monitors;
  const auto add = [&monitors](auto& pointer, auto monitor) {
    pointer = std::move(monitor);
    monitors.push_back(pointer.get());
  };
  if (options.trace) {
    CHIWAWA_TRY(made->trace_output_.open(options.trace_output));
    monitor::Output& output = made->trace_output_;
    switch (options.trace_format) {
      case monitor::TraceFormat::Text:
        add(made->tracer_, std::make_unique<monitor::TextTrace>(options.trace_options, output));
        break;
      case monitor::TraceFormat::Json:
        add(made->tracer_, std::make_unique<monitor::JsonTrace>(options.trace_options, output));
        break;
      case monitor::TraceFormat::Perfetto:
        add(made->perfetto_, std::make_unique<monitor::PerfettoTrace>(options.trace_options.filter, output));
        break;
    }
  }
  if (options.stats) add(made->stats_, std::make_unique<monitor::Stats>(*options.stats));
  if (options.needs_steps()) add(made->counters_, std::make_unique<monitor::CounterProfile>());
  if (options.needs_polls()) add(made->samples_, std::make_unique<monitor::SampleProfile>());
  if (!options.coverage.empty()) add(made->coverage_, std::make_unique<monitor::Coverage>());
  made->instrumentation_ = std::make_unique<Instrumentation>(std::move(monitors));
  return made;
}

void Instruments::begin(const Store& store) {
  if (stats_) stats_->begin(store);
  if (perfetto_) perfetto_->begin(store);
}

void Instruments::end(Machine& machine, const Store& store, const Outcome& outcome) {
  instrumentation_->end(machine, store, outcome);
  if (const Result<void> done = trace_output_.finish(); !done) print_note(describe(done.error()));
  if (stats_) std::fputs(stats_->report().c_str(), stderr);
  if (!options_.profile.empty()) {
    if (const Result<void> written = write_profile(store); !written) print_note(describe(written.error()));
  }
  if (coverage_) {
    instrumentation_->count_uncalled(store);
    if (const Result<void> written = write_coverage(store); !written) print_note(describe(written.error()));
  }
}

Result<void> Instruments::write_profile(const Store& store) const {
  monitor::Output output;
  CHIWAWA_TRY(output.open(options_.profile));
  const monitor::ProfileStacks& profile = counters_ ? counters_->result() : samples_->result();
  if (options_.profile.ends_with(".json")) {
    monitor::write_speedscope(output, store, profile, title_, find_lines);
  } else {
    monitor::write_folded(output, store, profile);
  }
  return output.finish();
}

Result<void> Instruments::write_coverage(const Store& store) const {
  monitor::Output output;
  CHIWAWA_TRY(output.open(options_.coverage));
  monitor::write_coverage(output, store, instrumentation_->counts(), title_, find_lines);
  return output.finish();
}

}  // namespace chiwawa::tools
