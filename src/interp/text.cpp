#include "interp/text.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "interp/utf8.hpp"

namespace chiwawa {

namespace {

float read_as(const char* text, float) { return std::strtof(text, nullptr); }
double read_as(const char* text, double) { return std::strtod(text, nullptr); }

/// What std::to_chars gives: the fewest digits that read back as this finite number, in the shorter of the two
/// notations. Its own tables for large numbers would be an eighth of a wasm build.
template <typename Float>
std::string shortest(Float value) {
  const std::string sign = std::signbit(value) ? "-" : "";
  value = std::fabs(value);
  if (value == 0) return sign + "0";
  std::array<char, 40> text{};  // "d.ddde+XX"
  for (int more = 0; more < std::numeric_limits<Float>::max_digits10; ++more) {
    std::snprintf(text.data(), text.size(), "%.*e", more, static_cast<double>(value));
    if (read_as(text.data(), value) == value) break;
    // Above a power of two the numbers are further apart than below: what is nearer may belong to the neighbour.
    char& last_digit = *(std::strchr(text.data(), 'e') - 1);
    if (last_digit == '9') continue;
    ++last_digit;
    if (read_as(text.data(), value) == value) break;
  }
  const std::string scientific = text.data();
  const size_t at_e = scientific.find('e');
  std::string digits = scientific.substr(0, 1);
  if (at_e > 2) digits += scientific.substr(2, at_e - 2);
  const auto exponent =
      static_cast<int>(std::strtol(scientific.c_str() + at_e + 1, nullptr, 10));  // of the first digit
  const int count = static_cast<int>(digits.size());
  const int last = exponent - (count - 1);  // of the last digit
  if (count == 1 ? last < -3 || last > 4 : last < -(count + 3) || last > 5) return sign + scientific;
  if (last >= 0) {
    std::array<char, 40> whole{};
    std::snprintf(whole.data(), whole.size(), "%.0f", static_cast<double>(value));
    return sign + whole.data();
  }
  if (exponent >= 0) return sign + digits.insert(static_cast<size_t>(exponent) + 1, ".");
  return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
}

template <typename Float, typename Bits>
std::string float_text(Bits bits, Bits payload_mask, Bits canonical_payload) {
  const auto value = std::bit_cast<Float>(bits);
  const std::string sign = (bits >> (8 * sizeof(Bits) - 1)) != 0 ? "-" : "";
  if (std::isinf(value)) return sign + "inf";
  if (std::isnan(value)) {
    const auto payload = static_cast<Bits>(bits & payload_mask);
    return sign + (payload == canonical_payload ? "nan" : "nan:" + hex(payload));
  }
  return shortest(value);
}

}  // namespace

std::string hex(uint64_t number, size_t digits) {
  char buffer[20];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, 16).ptr;
  const std::string text(buffer, end);
  return "0x" + std::string(digits > text.size() ? digits - text.size() : 0, '0') + text;
}

std::string printable(std::string_view text) {
  const bool utf8 = is_utf8({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F && (byte < 0x80 || utf8)) {
      result += c;
    } else {
      result += "\\x";
      result += "0123456789abcdef"[byte >> 4];
      result += "0123456789abcdef"[byte & 15];
    }
  }
  return result;
}

std::string number(const Value& value) {
  const auto low = static_cast<uint32_t>(value.bits);
  switch (value.type) {
    case ValType::I32: return std::to_string(static_cast<int32_t>(low));
    case ValType::I64: return std::to_string(static_cast<int64_t>(value.bits));
    case ValType::F32: return float_text<float, uint32_t>(low, 0x7F'FFFF, 0x40'0000);
    case ValType::F64: return float_text<double, uint64_t>(value.bits, 0xF'FFFF'FFFF'FFFF, 0x8'0000'0000'0000);
    case ValType::V128: return hex(value.high, 16) + hex(value.bits, 16).substr(2);
    default: break;
  }
  if (value.bits == kNullRef) return "null";
  if (value.type == ValType::FuncRef) return std::to_string(value.bits - 1);
  if (is_i31_ref(value.bits)) return std::to_string(i31_value(value.bits));
  if (is_heap_ref(value.bits)) return std::to_string(value.bits & ~kRefKind);
  return std::to_string(value.bits - 1);
}

}  // namespace chiwawa
