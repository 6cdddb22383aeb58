#include "monitor/perfetto.hpp"

#include <nlohmann/json.hpp>

#include "interp/state_bytes.hpp"
#include "interp/text.hpp"
#include "wasi/call_text.hpp"

namespace chiwawa::monitor {

uint64_t PerfettoTrace::now() const {
  const auto time = std::chrono::steady_clock::now() - begin_;
  return before_ + static_cast<uint64_t>(std::chrono::nanoseconds(time).count());
}

void PerfettoTrace::begin(const Store& store) {
  if (restored_) return;
  output_.text("[\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":1,\"tid\":1,\"args\":{\"name\":\"guest\"}},\n");
  memory(store);
}

void PerfettoTrace::begin_event(char phase, const std::string& quoted_name, uint64_t at) {
  output_.text("{\"ph\":\"");
  output_.letter(phase);
  output_.text("\",\"name\":");
  output_.text(quoted_name);
  output_.text(",\"pid\":1,\"tid\":1,\"ts\":");
  microseconds(at);
}

void PerfettoTrace::microseconds(uint64_t nanoseconds) {
  output_.number(nanoseconds / 1000);
  output_.letter('.');
  for (uint64_t unit = 100; unit != 0; unit /= 10) output_.letter(static_cast<char>('0' + nanoseconds / unit % 10));
}

bool PerfettoTrace::wants_calls(const FuncInst& function) const {
  const Module& module = *function.instance->module;
  const uint32_t begin = module.body(function.function_index).code.begin;
  return begin >= filter_.begin && begin < filter_.end && filter_.has(module, function.function_index);
}

void PerfettoTrace::entered(const Store& store, FuncAddr function) {
  if (skipped_ != 0 || !take()) {
    ++skipped_;
    return;
  }
  ++open_;
  begin_event('B', names_.quoted(store, function), now());
  output_.text("},\n");
}

void PerfettoTrace::left(const Store& store, FuncAddr function) {
  if (skipped_ != 0) {
    --skipped_;
    return;
  }
  if (open_ == 0) return;
  --open_;
  // What has begun is ended, however many events there were.
  begin_event('E', names_.quoted(store, function), now());
  output_.text("},\n");
}

void PerfettoTrace::host_call(const HostCallEvent& event) {
  if (!take()) return;
  using nlohmann::ordered_json;
  const HostFunction& function = event.function.host;
  const uint64_t end = now();
  ordered_json args = ordered_json::object();
  std::string title = function.name;
  if (wasi::is_wasi(function)) {
    const wasi::CallText call = wasi::describe_call(event);
    for (const wasi::CallValue& arg : call.args) args[std::string(arg.name)] = arg.text;
    for (const wasi::CallValue& result : call.results) args[std::string(result.name)] = result.text;
    if (!call.error.empty()) args["errno"] = std::string(call.error);
  } else {
    title = printable(function.module + "." + function.name);
  }
  begin_event('X', ordered_json(title).dump(), end - std::min(end, event.nanoseconds));
  output_.text(",\"cat\":\"host\",\"dur\":");
  microseconds(event.nanoseconds);
  output_.text(",\"args\":");
  output_.text(args.dump());
  output_.text("},\n");
}

void PerfettoTrace::memory(const Store& store) {
  uint64_t bytes = 0;
  for (const auto& memory : store.memories) bytes += memory->memory.size_bytes();
  begin_event('C', "\"memory\"", now());
  output_.text(",\"args\":{\"bytes\":");
  output_.number(bytes);
  output_.text("}},\n");
}

void PerfettoTrace::memory_grown(const MemoryGrownEvent& event) {
  if (take()) memory(event.store);
}

void PerfettoTrace::ended(const Ending& ending, const Instrumentation& /*instrumentation*/) {
  if (ending.kind == Outcome::Kind::Paused) return;
  // The slices that are open end here; and the last event has no comma behind it.
  output_.text("{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":1,\"args\":{\"name\":\"main\"}}\n]\n");
}

std::vector<uint8_t> PerfettoTrace::save() const {
  StateWriter out;
  for (const uint64_t n : {now(), taken_, open_, skipped_}) out.number(n);
  return out.take();
}

Result<void> PerfettoTrace::load(std::span<const uint8_t> state, const Store& /*store*/) {
  StateReader in(state);
  const uint64_t before = in.number(), taken = in.number(), open = in.number(), skipped = in.number();
  CHIWAWA_TRY(in.check("perfetto"));
  before_ = before;
  taken_ = taken;
  open_ = open;
  skipped_ = skipped;
  restored_ = true;
  return {};
}

}  // namespace chiwawa::monitor
