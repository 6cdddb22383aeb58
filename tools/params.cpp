#include "params.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

namespace chiwawa::tools {
namespace {

constexpr std::string_view kSeparators = ", \t\n";

std::string_view type_prefix(ValType type) {
  switch (type) {
    case ValType::I32: return "I32(";
    case ValType::I64: return "I64(";
    case ValType::F32: return "F32(";
    case ValType::F64: return "F64(";
    case ValType::V128: return "V128(";
    default: return "RefExtern(";
  }
}

/// "-" and "+" are taken off the front.
bool take_sign(std::string_view& text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  return negative;
}

std::optional<uint64_t> parse_unsigned(std::string_view digits) {
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  }
  uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, value, base);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

/// Between -2^(width-1) and 2^width - 1, as `width` bits.
std::optional<uint64_t> parse_integer(std::string_view text, int width) {
  const bool negative = take_sign(text);
  const std::optional<uint64_t> magnitude = parse_unsigned(text);
  const uint64_t mask = ~uint64_t{0} >> (64 - width);
  if (!magnitude || *magnitude > (negative ? uint64_t{1} << (width - 1) : mask)) return std::nullopt;
  return (negative ? ~*magnitude + 1 : *magnitude) & mask;
}

bool is_float_syntax(std::string_view text) {
  // strtod takes more than we want: white space, "infinity", "nan(...)".
  if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return false;
  return text.find_first_not_of("0123456789abcdefABCDEFxXpP.+-") == text.npos;
}

template <typename Float>
Float to_float(const char* text, char** end) {
  if constexpr (sizeof(Float) == 4) {
    return std::strtof(text, end);
  } else {
    return std::strtod(text, end);
  }
}

template <typename Float, typename Bits>
std::optional<uint64_t> parse_float(std::string_view text, Bits infinity, Bits quiet_nan) {
  const Bits sign = take_sign(text) ? Bits{1} << (8 * sizeof(Bits) - 1) : 0;
  if (text == "inf") return sign | infinity;
  if (text == "nan") return sign | quiet_nan;
  if (text.starts_with("nan:")) {
    const std::optional<uint64_t> payload = text.starts_with("nan:0x") ? parse_unsigned(text.substr(4)) : std::nullopt;
    const Bits largest = (quiet_nan ^ infinity) * 2 - 1;
    if (!payload || *payload == 0 || *payload > largest) return std::nullopt;
    return sign | infinity | static_cast<Bits>(*payload);
  }
  if (!is_float_syntax(text)) return std::nullopt;
  const std::string copy(text);
  char* end = nullptr;
  const Float value = to_float<Float>(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size() || std::isinf(value)) return std::nullopt;
  return sign | std::bit_cast<Bits>(value);
}

std::optional<uint64_t> parse_number(std::string_view text, ValType type) {
  switch (type) {
    case ValType::I32: return parse_integer(text, 32);
    case ValType::I64: return parse_integer(text, 64);
    case ValType::F32: return parse_float<float, uint32_t>(text, 0x7F80'0000, 0x7FC0'0000);
    case ValType::F64: return parse_float<double, uint64_t>(text, 0x7FF0'0000'0000'0000, 0x7FF8'0000'0000'0000);
    default: {
      const std::optional<uint64_t> number = parse_unsigned(text);
      if (!number || *number == ~uint64_t{0}) return std::nullopt;
      return *number + 1;
    }
  }
}

/// At most 32 hexadecimal digits, the highest lane first.
std::optional<Value> parse_vector(std::string_view text) {
  if (!text.starts_with("0x") || text.size() < 3 || text.size() > 34) return std::nullopt;
  const std::string_view digits = text.substr(2);
  const size_t high = digits.size() - std::min<size_t>(digits.size(), 16);
  const std::optional<uint64_t> low = parse_unsigned("0x" + std::string(digits.substr(high)));
  const std::optional<uint64_t> upper = parse_unsigned("0x" + std::string(high == 0 ? "0" : digits.substr(0, high)));
  if (!low || !upper) return std::nullopt;
  return Value{ValType::V128, *low, *upper};
}

std::optional<Value> parse_value(std::string_view text, ValType type) {
  if (is_vec(type)) return parse_vector(text);
  const std::optional<uint64_t> bits = parse_number(text, type);
  return bits ? std::optional(Value{type, *bits}) : std::nullopt;
}

Error error(std::string cause) { return {Phase::Invoke, std::move(cause)}; }

/// One parameter, "I32(5)".
Result<Value> parse_param(std::string_view text, size_t number, ValType wanted) {
  const std::string where = "parameter " + std::to_string(number) + ", " + std::string(text) + ": ";
  if (text == "RefNull") {
    if (!is_ref(wanted)) return error(where + "the function wants " + std::string(name(wanted)));
    return Value{wanted, kNullRef};
  }
  for (const ValType type :
       {ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128, ValType::ExternRef}) {
    const std::string_view prefix = type_prefix(type);
    if (!text.starts_with(prefix)) continue;
    if (!text.ends_with(')')) return error(where + "the closing parenthesis is missing");
    if (type != (is_ref(wanted) ? nullable(wanted) : wanted))
      return error(where + "the function wants " + std::string(name(wanted)));
    const std::string_view inside = text.substr(prefix.size(), text.size() - prefix.size() - 1);
    const std::optional<Value> value = parse_value(inside, type);
    if (!value) return error(where + "not a number of type " + std::string(name(type)));
    return *value;
  }
  return error(where + "expected I32(..), I64(..), F32(..), F64(..), V128(0x..), RefNull or RefExtern(..)");
}

/// Items end at a separator outside of parentheses.
std::vector<std::string_view> split_items(std::string_view list) {
  std::vector<std::string_view> items;
  while (true) {
    list.remove_prefix(std::min(list.size(), list.find_first_not_of(kSeparators)));
    if (list.empty()) return items;
    const size_t length = std::min(list.size(), list.find_first_of(kSeparators));
    items.push_back(list.substr(0, length));
    list.remove_prefix(length);
  }
}

}  // namespace

bool looks_like_params(std::string_view word) {
  for (const std::string_view start : {"I32(", "I64(", "F32(", "F64(", "V128(", "RefNull", "RefExtern("}) {
    if (word.starts_with(start)) return true;
  }
  return false;
}

Result<std::vector<Value>> parse_params(const std::vector<std::string>& lists, const std::vector<ValType>& types) {
  std::vector<std::string_view> items;
  for (const std::string& list : lists) {
    const std::vector<std::string_view> more = split_items(list);
    items.insert(items.end(), more.begin(), more.end());
  }
  if (items.size() != types.size()) {
    std::string wanted;
    for (const ValType type : types) wanted += (wanted.empty() ? "" : " ") + std::string(name(type));
    return error("the function takes " + std::to_string(types.size()) + " parameters [" + wanted + "], not " +
                 std::to_string(items.size()));
  }
  std::vector<Value> values;
  for (size_t i = 0; i < items.size(); ++i) {
    const Result<Value> value = parse_param(items[i], i + 1, types[i]);
    if (!value) return value.error();
    values.push_back(*value);
  }
  return values;
}

}  // namespace chiwawa::tools
