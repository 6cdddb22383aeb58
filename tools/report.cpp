#include "report.hpp"

#include <algorithm>
#include <cstdio>

#include "interp/text.hpp"

namespace chiwawa::tools {

std::string format(const Value& value) {
  const uint64_t bits = value.bits;
  switch (value.type) {
    case ValType::I32: return "Num(I32(" + number(value) + "))";
    case ValType::I64: return "Num(I64(" + number(value) + "))";
    case ValType::F32: return "Num(F32(" + number(value) + "))";
    case ValType::F64: return "Num(F64(" + number(value) + "))";
    case ValType::V128: return "Vec(V128(" + number(value) + "))";
    default: break;
  }
  if (bits == kNullRef) return "Ref(RefNull)";
  if (value.type == ValType::FuncRef) return "Ref(FuncAddr(" + number(value) + "))";
  if (is_i31_ref(bits)) return "Ref(I31(" + number(value) + "))";
  // Where it lies in the heap tells nobody anything.
  if (is_heap_ref(bits)) return value.type == ValType::ExnRef ? "Ref(RefExn)" : "Ref(RefObject)";
  return "Ref(RefExtern(" + number(value) + "))";
}

void print_results(const std::vector<Value>& values, std::FILE* to) {
  for (const Value& value : values) std::fprintf(to, "Result: %s\n", format(value).c_str());
  std::fflush(to);
}

void print_trap(const Store& store, const Trap& trap) {
  std::string text = "trap: ";
  // A host function's reason says more than that it was one.
  if (trap.kind == TrapKind::HostFunction && !trap.detail.empty()) {
    text += trap.detail;
  } else {
    text += name(trap.kind);
    if (!trap.detail.empty()) text += ": " + trap.detail;
  }
  text = printable(text) + "\n";
  const char* preposition = "at";
  for (const CodePosition& position : trap.call_chain) {
    text += "  " + std::string(preposition) + " " + printable(store.function_name(position.function));
    if (!store[position.function].is_host()) text += ", module offset " + hex(position.offset);
    text += "\n";
    preposition = "called from";
  }
  if (trap.call_chain.size() == Trap::kMaxReportedFrames) text += "  called from further frames, not shown\n";
  std::fputs(text.c_str(), stderr);
}

ExitCode print_error(const Error& error) {
  print_note(describe(error));
  return error.phase == Phase::Snapshot ? kExitSnapshot : kExitRefused;
}

void print_note(const std::string& text) {
  std::string lines;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines += (at == 0 ? "chiwawa: " : "  ") + printable(text.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  std::fputs(lines.c_str(), stderr);
}

ExitCode print_verdicts(const std::vector<wasi::Verdict>& verdicts) {
  size_t refused = 0;
  for (const wasi::Verdict& verdict : verdicts) {
    const char* word = "fine     ";
    if (verdict.kind == wasi::Verdict::Kind::Changed) word = "changed  ";
    if (verdict.kind == wasi::Verdict::Kind::Refused) {
      word = "REFUSED  ";
      ++refused;
    }
    std::printf("%s%s\n", word, printable(describe(verdict)).c_str());
  }
  if (refused == 0) {
    std::puts("The restore would be complete.");
  } else {
    std::printf("The restore would be refused: %zu of %zu cannot be had.\n", refused, verdicts.size());
  }
  std::fflush(stdout);
  return refused == 0 ? kExitOk : kExitSnapshot;
}

}  // namespace chiwawa::tools
