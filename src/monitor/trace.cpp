#include "monitor/trace.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "interp/state_bytes.hpp"
#include "interp/text.hpp"

namespace chiwawa::monitor {

uint32_t trace_kinds(Opcode opcode) {
  const MemoryAccess access = memory_access(opcode);
  uint32_t kinds = (access.reads ? kTraceLoads : 0u) | (access.writes ? kTraceStores : 0u);
  switch (opcode) {
    case Opcode::memory_copy:
    case Opcode::table_copy: kinds |= kTraceLoads | kTraceStores; break;
    case Opcode::table_get: kinds |= kTraceLoads; break;
    case Opcode::memory_fill:
    case Opcode::memory_init:
    case Opcode::memory_grow:
    case Opcode::data_drop:
    case Opcode::table_set:
    case Opcode::table_fill:
    case Opcode::table_init:
    case Opcode::table_grow:
    case Opcode::elem_drop: kinds |= kTraceStores; break;
    case Opcode::call:
    case Opcode::call_indirect:
    case Opcode::call_ref:
    case Opcode::return_call:
    case Opcode::return_call_indirect:
    case Opcode::return_call_ref:
    case Opcode::return_: kinds |= kTraceCalls; break;
    case Opcode::if_:
    case Opcode::br:
    case Opcode::br_if:
    case Opcode::br_table:
    case Opcode::br_on_null:
    case Opcode::br_on_non_null:
    case Opcode::br_on_cast:
    case Opcode::br_on_cast_fail:
    case Opcode::throw_:
    case Opcode::throw_ref:
    case Opcode::rethrow: kinds |= kTraceBranches; break;
    default: break;
  }
  return kinds;
}

bool TraceFilter::has(const Module& module, uint32_t function_index) const {
  if (functions.empty()) return true;
  const std::string name = module.function_name(function_index), index = std::to_string(function_index);
  return std::ranges::any_of(functions, [&](const std::string& wanted) { return wanted == name || wanted == index; });
}

const std::string& FunctionNames::of(const Store& store, FuncAddr function) {
  std::string& name = names_[raw(function)];
  if (name.empty()) name = printable(store.function_name(function));
  return name;
}

const std::string& FunctionNames::quoted(const Store& store, FuncAddr function) {
  std::string& quoted = quoted_[raw(function)];
  if (quoted.empty()) quoted = nlohmann::ordered_json(of(store, function)).dump();
  return quoted;
}

std::string trace_number(const Value& value) {
  if (is_ref(value.type) && is_heap_ref(value.bits)) return value.type == ValType::ExnRef ? "exception" : "object";
  return number(value);
}

bool Tracer::wants_instructions(const FuncInst& function) const {
  return options_.filter.has(*function.instance->module, function.function_index);
}

bool Tracer::wants(const FuncInst& /*function*/, const Instr& instr) const {
  if (instr.offset < options_.filter.begin || instr.offset >= options_.filter.end) return false;
  return (options_.events & (kTraceAll | trace_kinds(instr.opcode))) != 0;
}

bool Tracer::wants_host_call(const HostCallEvent& event) const {
  if ((options_.events & (kTraceAll | kTraceCalls)) == 0) return false;
  const TraceFilter& filter = options_.filter;
  if (event.caller == nullptr) return filter.functions.empty() && filter.begin == 0;
  const uint32_t offset = event.position.offset;
  return offset >= filter.begin && offset < filter.end &&
         filter.has(*event.caller->module, event.store[event.position.function].function_index);
}

std::vector<uint8_t> Tracer::save() const {
  StateWriter out;
  out.number(taken_);
  return out.take();
}

Result<void> Tracer::load(std::span<const uint8_t> state, const Store& /*store*/) {
  StateReader in(state);
  const uint64_t taken = in.number();
  CHIWAWA_TRY(in.check("trace"));
  taken_ = taken;
  return {};
}

}  // namespace chiwawa::monitor
