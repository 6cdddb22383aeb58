// Trace lines for programs. Written by hand, because a million of them a second are wanted; only names go through the
// library.
#include <nlohmann/json.hpp>

#include "interp/text.hpp"
#include "monitor/touched_memory.hpp"
#include "monitor/trace.hpp"
#include "wasi/call_text.hpp"

namespace chiwawa::monitor {

void JsonTrace::position(const Store& store, CodePosition position) {
  output_.text(",\"function\":{\"index\":");
  output_.number(store[position.function].function_index);
  output_.text(",\"name\":");
  output_.text(names_.quoted(store, position.function));
  output_.letter('}');
  if (!shows(kTracePc)) return;
  output_.text(",\"pc\":");
  output_.number(position.offset);
}

void JsonTrace::value(const Value& value) {
  if (value.type == ValType::I32) {
    output_.text("{\"i32\":");
    output_.number(static_cast<int32_t>(static_cast<uint32_t>(value.bits)));
    return output_.letter('}');
  }
  output_.text("{\"");
  output_.text(chiwawa::name(value.type));
  output_.text("\":\"");
  output_.text(trace_number(value));
  output_.text("\"}");
}

void JsonTrace::memory(const View& view) {
  const std::optional<TouchedMemory> touched = touched_memory(view);
  if (!touched) return;
  output_.text(",\"memory\":{\"index\":");
  output_.number(touched->range.memory);
  output_.text(",\"address\":");
  output_.number(touched->range.address);
  output_.text(",\"size\":");
  output_.number(touched->range.bytes);
  output_.text(touched->in_bounds ? ",\"in_bounds\":true" : ",\"in_bounds\":false");
  if (touched->shown != 0) output_.text(",\"bytes\":\"");
  for (size_t i = 0; i < touched->shown; ++i) output_.hex(touched->bytes[i], 2);
  if (touched->shown != 0) output_.letter('"');
  output_.letter('}');
}

void JsonTrace::before(const View& view) {
  if (!take()) return;
  output_.text("{\"event\":\"instruction\",\"instr\":\"");
  output_.text(chiwawa::name(view.instr().opcode));
  output_.letter('"');
  position(view.store(), {view.function_address(), view.offset()});
  const auto values = [this](const char* begin, auto for_each) {
    output_.text(begin);
    list(for_each, [this](const Value& v) { value(v); });
    output_.letter(']');
  };
  if (shows(kTraceRegs)) values(",\"regs\":[", [&](auto f) { view.for_each_operand(f); });
  if (shows(kTraceLocals)) values(",\"locals\":[", [&](auto f) { view.for_each_local(f); });
  if (shows(kTraceGlobals)) values(",\"globals\":[", [&](auto f) { view.for_each_global(f); });
  if (shows(kTraceMemory)) memory(view);
  output_.text("}\n");
}

void JsonTrace::host_call(const HostCallEvent& event) {
  if (!wants_host_call(event) || !take()) return;
  using nlohmann::ordered_json;
  const HostFunction& function = event.function.host;
  output_.text("{\"event\":\"host_call\"");
  if (event.caller != nullptr) position(event.store, event.position);
  ordered_json more = {{"host", printable(function.module + "." + function.name)}};
  if (wasi::is_wasi(function)) {
    const wasi::CallText call = wasi::describe_call(event);
    more["args"] = ordered_json::object();
    for (const wasi::CallValue& arg : call.args) more["args"][std::string(arg.name)] = arg.text;
    more["results"] = ordered_json::object();
    for (const wasi::CallValue& result : call.results) more["results"][std::string(result.name)] = result.text;
    if (!call.error.empty()) more["errno"] = std::string(call.error);
  }
  const std::string text = more.dump();
  output_.letter(',');
  output_.text(std::string_view(text).substr(1));
  output_.letter('\n');
}

}  // namespace chiwawa::monitor
