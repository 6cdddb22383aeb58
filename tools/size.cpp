#include "size.hpp"

#include <charconv>

namespace chiwawa::tools {

std::optional<uint64_t> parse_size(const std::string& text) {
  uint64_t bytes = 0;
  const char* const end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, bytes);
  if (error != std::errc() || at == text.data()) return std::nullopt;
  int shift = 0;
  if (at != end) {
    switch (*at++) {
      case 'k':
      case 'K': shift = 10; break;
      case 'm':
      case 'M': shift = 20; break;
      case 'g':
      case 'G': shift = 30; break;
      default: return std::nullopt;
    }
  }
  if (at != end || bytes > (~uint64_t{0} >> shift)) return std::nullopt;
  return bytes << shift;
}

std::string check_size(const std::string& text) {
  return parse_size(text) ? "" : "expected a number of bytes, also with K, M or G: " + text;
}

}  // namespace chiwawa::tools
