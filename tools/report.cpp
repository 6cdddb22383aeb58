#include "report.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace chiwawa::tools {
namespace {

std::string hex(uint64_t number) {
  char buffer[20];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, 16).ptr;
  return "0x" + std::string(buffer, end);
}

template <typename Float, typename Bits>
std::string format_float(Bits bits, Bits payload_mask, Bits canonical_payload) {
  const auto value = std::bit_cast<Float>(bits);
  const std::string sign = (bits >> (8 * sizeof(Bits) - 1)) != 0 ? "-" : "";
  if (std::isinf(value)) return sign + "inf";
  if (std::isnan(value)) {
    const Bits payload = bits & payload_mask;
    return sign + (payload == canonical_payload ? "nan" : "nan:" + hex(payload));
  }
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

/// Names come from the module: control characters would reach the user's terminal.
std::string printable(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      result += c;
    } else {
      result += "\\x";
      result += "0123456789abcdef"[byte >> 4];
      result += "0123456789abcdef"[byte & 15];
    }
  }
  return result;
}

}  // namespace

std::string format(const Value& value) {
  const uint64_t bits = value.bits;
  const auto low = static_cast<uint32_t>(bits);
  switch (value.type) {
    case ValType::I32: return "Num(I32(" + std::to_string(static_cast<int32_t>(low)) + "))";
    case ValType::I64: return "Num(I64(" + std::to_string(static_cast<int64_t>(bits)) + "))";
    case ValType::F32: return "Num(F32(" + format_float<float, uint32_t>(low, 0x7F'FFFF, 0x40'0000) + "))";
    case ValType::F64:
      return "Num(F64(" + format_float<double, uint64_t>(bits, 0xF'FFFF'FFFF'FFFF, 0x8'0000'0000'0000) + "))";
    case ValType::FuncRef: return bits == kNullRef ? "Ref(RefNull)" : "Ref(FuncAddr(" + std::to_string(bits - 1) + "))";
    case ValType::ExternRef:
      return bits == kNullRef ? "Ref(RefNull)" : "Ref(RefExtern(" + std::to_string(bits - 1) + "))";
    case ValType::V128: break;
  }
  return "?";
}

void print_results(const std::vector<Value>& values) {
  for (const Value& value : values) std::printf("Result: %s\n", format(value).c_str());
  std::fflush(stdout);
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

void print_note(const std::string& text) { std::fprintf(stderr, "chiwawa: %s\n", printable(text).c_str()); }

}  // namespace chiwawa::tools
