// Trace lines for people.
#include "interp/text.hpp"
#include "monitor/touched_memory.hpp"
#include "monitor/trace.hpp"
#include "wasi/call_text.hpp"

namespace chiwawa::monitor {

void TextTrace::value(const Value& value) {
  switch (value.type) {
    case ValType::I32:
      output_.text("I32(");
      output_.number(static_cast<int32_t>(static_cast<uint32_t>(value.bits)));
      break;
    case ValType::I64:
      output_.text("I64(");
      output_.number(static_cast<int64_t>(value.bits));
      break;
    case ValType::F32: output_.text("F32("), output_.text(number(value)); break;
    case ValType::F64: output_.text("F64("), output_.text(number(value)); break;
    case ValType::V128: output_.text("V128("), output_.text(number(value)); break;
    default: output_.text("Ref("), output_.text(trace_number(value)); break;
  }
  output_.letter(')');
}

void TextTrace::immediates(const Instr& instr) {
  const auto show = [this](uint64_t n) {
    output_.letter(' ');
    output_.number(n);
  };
  switch (chiwawa::immediates(instr.opcode)) {
    case Immediates::None:
    case Immediates::Reserved:
    case Immediates::BlockType:
    case Immediates::RefType:
    case Immediates::CastType:
    case Immediates::SelectTypes:
    case Immediates::TryTable:
    case Immediates::LabelTable:
    case Immediates::Shuffle: return;
    case Immediates::MemArg:
      if (instr.mem_offset != 0) output_.text(" offset="), output_.number(instr.mem_offset);
      return;
    case Immediates::MemArgLane:
      if (instr.mem_offset != 0) output_.text(" offset="), output_.number(instr.mem_offset);
      return show(instr.lane);
    case Immediates::Lane: return show(instr.lane);
    case Immediates::I32Const:
    case Immediates::I64Const:
    case Immediates::F32Const:
    case Immediates::F64Const: {
      static constexpr ValType kTypes[] = {ValType::I32, ValType::I64, ValType::F32, ValType::F64};
      const auto kind =
          static_cast<size_t>(chiwawa::immediates(instr.opcode)) - static_cast<size_t>(Immediates::I32Const);
      output_.letter(' ');
      if (kind == 0) return output_.number(static_cast<int32_t>(static_cast<uint32_t>(instr.bits)));
      return output_.text(chiwawa::number({kTypes[kind], instr.bits}));
    }
    case Immediates::V128Const:
      output_.letter(' ');
      return output_.text(chiwawa::number({ValType::V128, instr.vector.low, instr.vector.high}));
    case Immediates::TypeField:
    case Immediates::TypeCount:
    case Immediates::TypeData:
    case Immediates::TypeElem:
    case Immediates::TypeType:
    case Immediates::TableInit:
    case Immediates::TableCopy:
    case Immediates::MemoryInit:
    case Immediates::MemoryCopy:
    case Immediates::CallIndirect: show(instr.index); return show(instr.index2);
    default: return show(instr.index);
  }
}

void TextTrace::memory(const View& view) {
  const std::optional<TouchedMemory> touched = touched_memory(view);
  if (!touched) return;
  output_.text(" | Memory:{0x");
  output_.number(touched->range.address, 16);
  output_.letter('+');
  output_.number(touched->range.bytes);
  if (!touched->in_bounds) output_.text(": out of bounds");
  if (touched->shown != 0) output_.letter(':');
  for (size_t i = 0; i < touched->shown; ++i) {
    output_.letter(' ');
    output_.hex(touched->bytes[i], 2);
  }
  output_.letter('}');
}

void TextTrace::before(const View& view) {
  if (!take()) return;
  output_.text(names_.of(view.store(), view.function_address()));
  output_.text(" [");
  if (shows(kTracePc)) {
    output_.text("PC:");
    output_.hex(view.offset(), 4);
    output_.text(" | ");
  }
  output_.text("Instr:");
  output_.text(chiwawa::name(view.instr().opcode));
  immediates(view.instr());
  const auto values = [this](const char* begin, auto for_each, char end) {
    output_.text(begin);
    list(for_each, [this](const Value& v) { value(v); });
    output_.letter(end);
  };
  if (shows(kTraceRegs)) values(" | Regs:{", [&](auto f) { view.for_each_operand(f); }, '}');
  if (shows(kTraceLocals)) values(" | Locals:[", [&](auto f) { view.for_each_local(f); }, ']');
  if (shows(kTraceGlobals)) values(" | Globals:[", [&](auto f) { view.for_each_global(f); }, ']');
  if (shows(kTraceMemory)) memory(view);
  output_.text("]\n");
}

void TextTrace::host_call(const HostCallEvent& event) {
  if (!wants_host_call(event) || !take()) return;
  if (event.caller != nullptr) output_.text(names_.of(event.store, event.position.function)), output_.letter(' ');
  output_.letter('[');
  if (shows(kTracePc) && event.caller != nullptr) {
    output_.text("PC:");
    output_.hex(event.position.offset, 4);
    output_.text(" | ");
  }
  if (wasi::is_wasi(event.function.host)) {
    output_.text("WASI:");
    output_.text(wasi::line(wasi::describe_call(event)));
  } else {
    output_.text("Host:");
    output_.text(printable(event.function.host.module + "." + event.function.host.name));
    char separator = '(';
    if (event.args.empty()) output_.letter(separator);
    for (const Value& arg : event.args) {
      output_.letter(separator);
      value(arg);
      separator = ',';
    }
    output_.letter(')');
    if (!event.results.empty()) output_.text(" = ");
    for (const Value& result : event.results) value(result);
  }
  output_.text("]\n");
}

}  // namespace chiwawa::monitor
