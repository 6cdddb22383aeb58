#include "duration.hpp"

#include <charconv>
#include <string_view>

namespace chiwawa::tools {

std::optional<std::chrono::milliseconds> parse_duration(const std::string& text) {
  constexpr uint64_t kMost = 366ull * 24 * 3600 * 1000;
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number == 0 || number > kMost) return std::nullopt;
  const std::string_view unit(at, static_cast<size_t>(end - at));
  const uint64_t factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : 0;
  if (factor == 0 || number * factor > kMost) return std::nullopt;
  return std::chrono::milliseconds(number * factor);
}

}  // namespace chiwawa::tools
