#include "spec/values.hpp"

#include <charconv>

namespace chiwawa::spec {
namespace {

std::optional<ValType> parse_type(const std::string& type) {
  for (const ValType number : {ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128}) {
    if (type == name(number)) return number;
  }
  for (auto code = static_cast<uint32_t>(ValType::ExnRef); code <= static_cast<uint32_t>(ValType::NoExnRef); ++code) {
    if (type == name(static_cast<ValType>(code))) return static_cast<ValType>(code);
  }
  return std::nullopt;
}

std::optional<uint64_t> parse_number(const std::string& digits) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

struct FloatShape {
  uint64_t exponent;   // all ones: infinity or NaN
  uint64_t quiet_bit;  // the payload of a canonical NaN; set in every arithmetic one
};
constexpr FloatShape kF32{0x7F80'0000, 0x0040'0000};
constexpr FloatShape kF64{0x7FF0'0000'0000'0000, 0x0008'0000'0000'0000};

bool nan_matches(const std::string& kind, const Value& value) {
  const bool single = value.type == ValType::F32;
  const FloatShape shape = single ? kF32 : kF64;
  const uint64_t magnitude = value.bits & (single ? 0x7FFF'FFFFu : 0x7FFF'FFFF'FFFF'FFFFu);
  if (kind == "nan:canonical") return magnitude == (shape.exponent | shape.quiet_bit);
  return (magnitude & (shape.exponent | shape.quiet_bit)) == (shape.exponent | shape.quiet_bit);
}

/// The lanes of a vector in the vectors' spelling; every lane as a value of a scalar type that is wide enough.
struct LaneShape {
  ValType type = ValType::I32;
  unsigned bits = 0;
};

std::optional<LaneShape> parse_shape(const Json& vector) {
  const std::string lanes = text(vector, "lane_type");
  if (lanes == "i8") return LaneShape{ValType::I32, 8};
  if (lanes == "i16") return LaneShape{ValType::I32, 16};
  if (lanes == "i32") return LaneShape{ValType::I32, 32};
  if (lanes == "i64") return LaneShape{ValType::I64, 64};
  if (lanes == "f32") return LaneShape{ValType::F32, 32};
  if (lanes == "f64") return LaneShape{ValType::F64, 64};
  return std::nullopt;
}

bool vector_matches(const Json& expected, const Value& actual) {
  const std::optional<LaneShape> shape = parse_shape(expected);
  const auto lanes = expected.find("value");
  if (!shape || lanes == expected.end() || lanes->size() != 128 / shape->bits) return false;
  for (unsigned lane = 0; lane < lanes->size(); ++lane) {
    const unsigned at = lane * shape->bits;
    const uint64_t half = at < 64 ? actual.bits : actual.high;
    const uint64_t mask = ~uint64_t{0} >> (64 - shape->bits);
    const Value value{shape->type, half >> (at % 64) & mask};
    const auto wanted = (*lanes)[lane].get<std::string>();
    if (wanted.starts_with("nan:") ? !nan_matches(wanted, value) : parse_number(wanted) != value.bits) return false;
  }
  return true;
}

std::optional<Value> parse_vector(const Json& json) {
  const std::optional<LaneShape> shape = parse_shape(json);
  const auto lanes = json.find("value");
  if (!shape || lanes == json.end() || lanes->size() != 128 / shape->bits) return std::nullopt;
  Value value{ValType::V128, 0, 0};
  for (unsigned lane = 0; lane < lanes->size(); ++lane) {
    const std::optional<uint64_t> number = parse_number((*lanes)[lane].get<std::string>());
    if (!number) return std::nullopt;
    const unsigned at = lane * shape->bits;
    (at < 64 ? value.bits : value.high) |= *number << (at % 64);
  }
  return value;
}

/// Without a value, a reference of that type that is not null is meant; a null reference's type has no other.
bool reference_matches(const Json& expected, ValType type, const Value& actual, const Store& store) {
  if (store.types.top(type) != actual.type) return false;
  const std::string value = text(expected, "value");
  if (value == "null" || type == store.types.bottom(type)) return actual.bits == kNullRef;
  if (value.empty()) return actual.bits != kNullRef && store.has_type(actual.bits, type);
  const std::optional<Value> wanted = parse_value(expected);
  return wanted && wanted->bits == actual.bits;
}

bool matches(const Json& expected, const Value& actual, const Store& store) {
  const std::string type = text(expected, "type");
  if (const auto ref = parse_type(type); ref && is_ref(*ref)) return reference_matches(expected, *ref, actual, store);
  if (type == "v128") return actual.type == ValType::V128 && vector_matches(expected, actual);
  if (type == "refnull") return is_ref(actual.type) && actual.bits == kNullRef;
  if (parse_type(type) != actual.type) return false;
  const std::string value = text(expected, "value");
  if (value.starts_with("nan:")) return nan_matches(value, actual);
  const std::optional<Value> wanted = parse_value(expected);
  return wanted && *wanted == actual;
}

bool all_match(const Json& expected, const std::vector<Value>& actual, const Store& store) {
  if (!expected.is_array() || expected.size() != actual.size()) return false;
  for (size_t i = 0; i < actual.size(); ++i) {
    if (!matches(expected[i], actual[i], store)) return false;
  }
  return true;
}

std::string hex(uint64_t bits) {
  char buffer[20] = "0x";
  const auto end = std::to_chars(buffer + 2, buffer + sizeof buffer, bits, 16).ptr;
  return {buffer, end};
}

}  // namespace

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Value> parse_value(const Json& json) {
  const std::optional<ValType> type = parse_type(text(json, "type"));
  if (!type) return std::nullopt;
  if (*type == ValType::V128) return parse_vector(json);
  const std::string value = text(json, "value");
  if (is_ref(*type) && value == "null") return Value{*type, kNullRef};
  const std::optional<uint64_t> number = parse_number(value);
  if (!number) return std::nullopt;
  return Value{*type, is_ref(*type) ? *number + 1 : *number};
}

bool results_match(const Json& command, const std::vector<Value>& actual, const Store& store) {
  if (const auto either = command.find("either"); either != command.end()) {
    for (const Json& one : *either) {
      // One result, or a list of them.
      if (one.is_array() ? all_match(one, actual, store) : actual.size() == 1 && matches(one, actual[0], store)) {
        return true;
      }
    }
    return false;
  }
  const auto expected = command.find("expected");
  return expected != command.end() && all_match(*expected, actual, store);
}

std::string show(const std::vector<Value>& values) {
  std::string result;
  for (const Value& value : values) {
    if (!result.empty()) result += ' ';
    result += std::string(name(value.type)) + ":";
    if (is_ref(value.type)) {
      result += value.bits == kNullRef ? "null" : std::to_string(value.bits - 1);
    } else if (is_vec(value.type)) {
      result += hex(value.high) + ":" + hex(value.bits);
    } else {
      result += value.type == ValType::I32 || value.type == ValType::I64 ? std::to_string(value.bits) : hex(value.bits);
    }
  }
  return result.empty() ? "nothing" : result;
}

}  // namespace chiwawa::spec
