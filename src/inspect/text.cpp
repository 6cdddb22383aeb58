#include "inspect/text.hpp"

#include <algorithm>

namespace chiwawa::inspect {

namespace {

constexpr size_t kTitleWidth = 10;

const char* escape(Tone tone) {
  switch (tone) {
    case Tone::Title: return "\x1b[1m";
    case Tone::Dim: return "\x1b[2m";
    case Tone::Name: return "\x1b[36m";
    case Tone::Good: return "\x1b[32m";
    case Tone::Bad: return "\x1b[31m";
    case Tone::Changed: return "\x1b[33m";
    case Tone::Plain: break;
  }
  return "";
}

}  // namespace

Text& Text::put(Tone tone, std::string_view text) {
  if (!colour_ || tone == Tone::Plain || text.empty()) return *this << text;
  return *this << escape(tone) << text << "\x1b[0m";
}

Text& Text::part(std::string_view title) {
  put(Tone::Title, title);
  return *this << std::string(title.size() + 1 < kTitleWidth ? kTitleWidth - title.size() : 2, ' ');
}

void Text::flush() {
  if (result_ && !buffer_.empty()) {
    result_ = sink_.write({reinterpret_cast<const uint8_t*>(buffer_.data()), buffer_.size()});
  }
  buffer_.clear();
}

std::string padded(std::string_view text, size_t width) {
  const auto columns =
      static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  return std::string(text) + std::string(columns < width ? width - columns : 0, ' ');
}

}  // namespace chiwawa::inspect
