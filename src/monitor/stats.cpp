#include "monitor/stats.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "interp/state_bytes.hpp"
#include "interp/text.hpp"
#include "wasi/call_text.hpp"

namespace chiwawa::monitor {

namespace {

constexpr size_t kShown = 20;

const char* word(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::Finished: return "finished";
    case Outcome::Kind::Trapped: return "trapped";
    case Outcome::Kind::Exited: return "exited";
    case Outcome::Kind::Paused: return "checkpoint";
  }
  return "";
}

template <typename... T>
std::string print(const char* format, T... values) {
  std::array<char, 256> line{};
  const int size = std::snprintf(line.data(), line.size(), format, values...);
  return {line.data(), std::min(static_cast<size_t>(std::max(size, 0)), line.size() - 1)};
}

std::string as_text(const Statistics& s, Outcome::Kind ending) {
  using Number = unsigned long long;
  std::string text = print("Statistics (%s)\n", word(ending));
  const auto row = [&](const char* name, uint64_t count) { text += print("%-27s %12llu\n", name, Number{count}); };
  row("Instructions", s.instructions);
  const auto shown = std::min(kShown, s.opcodes.size());
  for (size_t i = 0; i < shown; ++i) {
    const double share = 100.0 * static_cast<double>(s.opcodes[i].count) / static_cast<double>(s.instructions);
    text += print("  %-25s %12llu (%5.1f%%)\n", s.opcodes[i].name.c_str(), Number{s.opcodes[i].count}, share);
  }
  if (shown < s.opcodes.size()) text += print("  and %zu others\n", s.opcodes.size() - shown);
  row("Functions executed", s.functions);
  row("Calls", s.direct_calls + s.indirect_calls + s.reference_calls + s.tail_calls);
  row("  direct", s.direct_calls);
  row("  indirect", s.indirect_calls);
  if (s.reference_calls != 0) row("  by reference", s.reference_calls);
  if (s.tail_calls != 0) row("  tail calls", s.tail_calls);
  uint64_t host_calls = 0;
  for (const auto& [name, calls] : s.host_calls) host_calls += calls.calls;
  row("Host calls", host_calls);
  for (const auto& [name, calls] : s.host_calls) {
    text += print("  %-25s %12llu", printable(name).c_str(), Number{calls.calls});
    if (calls.errors != 0) text += print(", %llu failed", Number{calls.errors});
    if (calls.bytes_in != 0) text += print(", %llu bytes in", Number{calls.bytes_in});
    if (calls.bytes_out != 0) text += print(", %llu bytes out", Number{calls.bytes_out});
    text += print(", %.3f ms\n", static_cast<double>(calls.nanoseconds) / 1e6);
  }
  row("Peak memory (bytes)", s.peak_memory);
  row("Memory grown (times)", s.grows);
  text += print("%-27s %12.3f\n", "Time (s)", s.seconds);
  return text;
}

std::string as_json(const Statistics& s, Outcome::Kind ending) {
  using nlohmann::ordered_json;
  ordered_json json = {{"ending", word(ending)}, {"instructions", s.instructions}};
  json["opcodes"] = ordered_json::array();
  for (const Statistics::Count& opcode : s.opcodes) {
    json["opcodes"].push_back({{"name", opcode.name}, {"count", opcode.count}});
  }
  json["functions"] = s.functions;
  json["calls"] = {{"direct", s.direct_calls},
                   {"indirect", s.indirect_calls},
                   {"reference", s.reference_calls},
                   {"tail", s.tail_calls}};
  json["host_calls"] = ordered_json::array();
  for (const auto& [name, calls] : s.host_calls) {
    json["host_calls"].push_back({{"name", printable(name)},
                                  {"calls", calls.calls},
                                  {"errors", calls.errors},
                                  {"bytes_in", calls.bytes_in},
                                  {"bytes_out", calls.bytes_out},
                                  {"nanoseconds", calls.nanoseconds}});
  }
  json["memory"] = {{"peak_bytes", s.peak_memory}, {"grows", s.grows}};
  json["seconds"] = s.seconds;
  return json.dump(2) + "\n";
}

}  // namespace

uint64_t Stats::elapsed() const {
  const auto time = std::chrono::steady_clock::now() - begin_;
  return before_ + static_cast<uint64_t>(std::chrono::nanoseconds(time).count());
}

void Stats::note_memory(const Store& store) {
  uint64_t bytes = 0;
  for (const auto& memory : store.memories) bytes += memory->memory.size_bytes();
  result_.peak_memory = std::max(result_.peak_memory, bytes);
}

void Stats::host_call(const HostCallEvent& event) {
  const HostFunction& function = event.function.host;
  const bool is_wasi = wasi::is_wasi(function);
  Statistics::HostCalls& calls = result_.host_calls[is_wasi ? function.name : function.module + "." + function.name];
  ++calls.calls;
  calls.nanoseconds += event.nanoseconds;
  if (!is_wasi) return;
  const wasi::CallText call = wasi::measure_call(event);
  calls.errors += !call.error.empty() && call.error != "success" ? 1 : 0;
  calls.bytes_in += call.bytes_in;
  calls.bytes_out += call.bytes_out;
}

void Stats::memory_grown(const MemoryGrownEvent& event) {
  ++result_.grows;
  note_memory(event.store);
}

void Stats::ended(const Ending& ending, const Instrumentation& instrumentation) {
  ending_ = ending.kind;
  std::array<uint64_t, kOpcodeRows> counts{};
  std::array<Opcode, kOpcodeRows> opcodes{};
  for (const auto& function : ending.store.funcs) {
    const FuncAddr address = function->code.function;
    if (function->is_host() || !instrumentation.counts().has(address)) continue;
    bool executed = false;
    instrumentation.counts().for_each(ending.store, address, [&](const Instr& instr, uint64_t count, bool) {
      const uint32_t row = row_of(instr.opcode);
      opcodes[row] = instr.opcode;
      counts[row] += count;
      executed |= count != 0;
    });
    result_.functions += executed ? 1 : 0;
  }
  for (size_t row = 0; row < counts.size(); ++row) {
    const uint64_t count = counts[row];
    if (count == 0) continue;
    result_.instructions += count;
    // A few instructions have two codes.
    std::string name(chiwawa::name(opcodes[row]));
    const auto same = std::ranges::find(result_.opcodes, name, &Statistics::Count::name);
    if (same != result_.opcodes.end()) {
      same->count += count;
    } else {
      result_.opcodes.push_back({std::move(name), count});
    }
    switch (opcodes[row]) {
      case Opcode::call: result_.direct_calls += count; break;
      case Opcode::call_indirect: result_.indirect_calls += count; break;
      case Opcode::call_ref: result_.reference_calls += count; break;
      case Opcode::return_call:
      case Opcode::return_call_indirect:
      case Opcode::return_call_ref: result_.tail_calls += count; break;
      default: break;
    }
  }
  std::ranges::sort(result_.opcodes, [](const Statistics::Count& a, const Statistics::Count& b) {
    return a.count != b.count ? a.count > b.count : a.name < b.name;
  });
  result_.seconds = static_cast<double>(elapsed()) / 1e9;
}

std::string Stats::report() const {
  return format_ == Format::Json ? as_json(result_, ending_) : as_text(result_, ending_);
}

std::vector<uint8_t> Stats::save() const {
  StateWriter out;
  out.number(result_.peak_memory);
  out.number(result_.grows);
  out.number(elapsed());
  for (const auto& [name, calls] : result_.host_calls) {
    out.text(name);
    for (const uint64_t n : {calls.calls, calls.errors, calls.bytes_in, calls.bytes_out, calls.nanoseconds}) {
      out.number(n);
    }
  }
  return out.take();
}

Result<void> Stats::load(std::span<const uint8_t> state, const Store& /*store*/) {
  StateReader in(state);
  Statistics loaded;
  loaded.peak_memory = std::max(in.number(), result_.peak_memory);
  loaded.grows = in.number();
  const uint64_t before = in.number();
  while (!in.at_end()) {
    Statistics::HostCalls& calls = loaded.host_calls[std::string(in.text())];
    for (uint64_t* n : {&calls.calls, &calls.errors, &calls.bytes_in, &calls.bytes_out, &calls.nanoseconds}) {
      *n = in.number();
    }
  }
  CHIWAWA_TRY(in.check("stats"));
  result_ = std::move(loaded);
  before_ = before;
  return {};
}

}  // namespace chiwawa::monitor
