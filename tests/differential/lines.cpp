#include "differential/lines.hpp"

#include <bit>
#include <cmath>

#include "interp/text.hpp"
#include "snapshot/hash.hpp"

namespace chiwawa::differential {
namespace {

std::string reference(const Value& value) {
  if (value.bits == kNullRef) return "ref:null";
  if (is_i31_ref(value.bits)) return "i31:" + std::to_string(i31_value(value.bits));
  if (is_heap_ref(value.bits)) return "object";
  return value.type == ValType::FuncRef ? "func" : "extern:" + std::to_string(value.bits - 1);
}

}  // namespace

std::string text(const Value& value) {
  const auto low = static_cast<uint32_t>(value.bits);
  switch (value.type) {
    case ValType::I32:
    case ValType::I64: return std::string(name(value.type)) + ":" + number(value);
    case ValType::F32: return "f32:" + (std::isnan(std::bit_cast<float>(low)) ? "nan" : hex(low, 8));
    case ValType::F64: return "f64:" + (std::isnan(std::bit_cast<double>(value.bits)) ? "nan" : hex(value.bits, 16));
    case ValType::V128: return "v128:" + number(value);
    default: return reference(value);
  }
}

std::string text(std::span<const Value> values) {
  std::string result;
  for (const Value& value : values) result += " " + text(value);
  return result;
}

std::string text(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::Finished: return "->" + text(outcome.values);
    case Outcome::Kind::Trapped: return std::string("trap ") + name(outcome.trap.kind);
    case Outcome::Kind::Exited: return "exit " + std::to_string(outcome.exit_code);
    case Outcome::Kind::Paused: return "paused";
  }
  return "?";
}

std::string digest(const LinearMemory& memory) { return snapshot::to_hex(snapshot::sha256(memory.bytes())); }

}  // namespace chiwawa::differential
