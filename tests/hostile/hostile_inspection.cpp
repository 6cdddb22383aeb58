#include "hostile/hostile_inspection.hpp"

#include "inspect/coredump.hpp"
#include "inspect/diff.hpp"
#include "inspect/dwarf_lines.hpp"
#include "inspect/heap_view.hpp"
#include "inspect/html.hpp"
#include "inspect/memory_views.hpp"
#include "inspect/open.hpp"
#include "inspect/stats.hpp"
#include "inspect/verify.hpp"
#include "interp/decode.hpp"

namespace chiwawa::hostile {
namespace {

using inspect::OpenSnapshot;
using inspect::Subject;
using inspect::Text;

/// Counts what is written.
class NullSink final : public snapshot::Sink {
 public:
  Result<void> write(std::span<const uint8_t> bytes) override {
    count += bytes.size();
    return {};
  }
  uint64_t count = 0;
};

/// Errors of single views are as good as their output: the input is spoilt.
void show(const Subject& subject) {
  NullSink sink;
  Text out(sink, true);
  inspect::print_overview(out, subject);
  inspect::print_backtrace(out, subject);
  inspect::print_frames(out, subject, {});
  inspect::print_globals(out, subject);
  inspect::print_tables(out, subject);
  inspect::print_segments(out, subject);
  inspect::print_heap(out, subject);
  inspect::print_wasi(out, subject);
  if (const auto stats = inspect::stats_of(subject)) {
    inspect::print_stats(out, *stats);
    out << inspect::json_text(inspect::json_of_stats(*stats));
  }
  for (const inspect::Json& json :
       {inspect::json_of_file(subject), inspect::json_of_program(subject), inspect::json_of_machine(subject, {}, true),
        inspect::json_of_memories(subject), inspect::json_of_tables(subject), inspect::json_of_globals(subject),
        inspect::json_of_segments(subject), inspect::json_of_heap(subject), inspect::json_of_wasi(subject)}) {
    out << inspect::json_text(json);
  }
  for (uint32_t memory = 0; memory < subject.records.memories.size(); ++memory) {
    const inspect::MemoryRange range = inspect::whole_memory(subject.records, memory);
    (void)inspect::print_memory(out, subject, range);
    (void)inspect::find_in_memory(subject, range, {'a', 0});
    (void)inspect::find_strings(subject, range, 4, [&](uint64_t, std::string_view text) { out << text; });
    if (const auto map = inspect::page_map(subject, range)) inspect::print_page_map(out, *map);
  }
  (void)inspect::print_html(out, subject);
  (void)inspect::write_coredump(sink, subject);
  (void)out.finish();
}

}  // namespace

std::string look_at(const Bytes& file, const std::shared_ptr<const Module>& module, const Bytes& good) {
  OpenSnapshot whole;
  OpenSnapshot quick;
  const bool opened_whole = static_cast<bool>(whole.open_bytes(file, "spoilt"));
  const bool opened = static_cast<bool>(quick.open_bytes(file, "spoilt", OpenSnapshot::Check::OnlyShown));
  // Whoever checks less refuses no more.
  if (opened_whole && !opened) return "is opened when it is checked as a whole, and refused otherwise";
  if (opened) {
    quick.take_modules(std::span(&module, 1));
    show(quick.subject());
    OpenSnapshot other;
    if (!other.open_bytes(good, "good", OpenSnapshot::Check::OnlyShown)) return "the good snapshot cannot be opened";
    other.take_modules(std::span(&module, 1));
    int which = 0;
    if (const auto differences = inspect::diff(other.subject(), quick.subject(), {}, which)) {
      NullSink sink;
      Text out(sink);
      inspect::print_diff(out, *differences);
      inspect::print_diff_stat(out, *differences);
      inspect::print_diff_pages(out, *differences);
      out << inspect::json_text(inspect::json_of_diff(*differences));
      (void)out.finish();
    }
  }
  const inspect::Verification result = inspect::verify_snapshot(&file, "", ".", std::span(&module, 1));
  NullSink sink;
  Text out(sink);
  inspect::print_verification(out, result);
  (void)out.finish();
  if (result.passed() && !opened_whole) return "passes all checks and cannot be opened";
  return {};
}

Tally spoil_debug_sections(const Corpus& corpus, size_t count, uint64_t seed) {
  Tally tally;
  Random random(seed);
  for (const CorpusFile& file : corpus) {
    const auto module = load(file.bytes);
    if (!module) continue;
    std::vector<inspect::CustomSection> sections;
    for (const inspect::CustomSection& section : inspect::custom_sections(**module)) {
      const bool debug = section.name.starts_with(".debug_") || section.name == "name";
      if (debug && section.contents.size() != 0) sections.push_back(section);
    }
    if (sections.empty()) continue;
    const bool lines = sections.size() > 1;
    for (size_t i = 0; i < (lines ? count * 20 : count); ++i) {
      Bytes bytes = file.bytes;
      for (size_t changes = 1 + random.below(6); changes != 0; --changes) {
        const ByteRange range = sections[random.below(sections.size())].contents;
        uint8_t& byte = bytes[range.begin + random.below(range.size())];
        byte = random.below(2) == 0 ? static_cast<uint8_t>(random.next())
                                    : static_cast<uint8_t>(byte ^ 1u << random.below(8));
      }
      Result<Module> spoilt = decode(std::move(bytes));
      if (!spoilt) {
        tally.problems.push_back(file.name + ": a custom section made the module malformed");
        continue;
      }
      (void)inspect::read_debug_names(*spoilt);
      std::vector<uint32_t> offsets;
      for (const FunctionBody& body : spoilt->bodies) offsets.push_back(body.code.begin);
      const inspect::SourceLines found = inspect::find_source_lines(*spoilt, std::move(offsets));
      ++tally.ends[!found.available        ? "no line tables"
                   : found.problem.empty() ? "line tables read"
                                           : "line tables refused, or in part"];
    }
  }
  return tally;
}

}  // namespace chiwawa::hostile
