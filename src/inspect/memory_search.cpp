// Finding bytes and strings in memory, across blocks and the zeros between them.
#include <algorithm>
#include <charconv>

#include "inspect/memory_views.hpp"

namespace chiwawa::inspect {

namespace {

constexpr size_t kMaxPattern = 4096;
constexpr size_t kMaxString = 4096;

/// "68 69" -> two bytes. False if the text is not that.
bool parse_hex(std::string_view text, std::vector<uint8_t>& bytes) {
  for (size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      ++i;
      continue;
    }
    if (i + 2 > text.size()) return false;
    uint8_t byte = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (error != std::errc() || end != text.data() + i + 2) return false;
    bytes.push_back(byte);
    i += 2;
  }
  return !bytes.empty();
}

/// Looks for the pattern in a stream of pieces with gaps of zeros between them.
class Scanner {
 public:
  Scanner(const std::vector<uint8_t>& pattern, MemoryRange range, Matches& matches)
      : pattern_(pattern), zeros_(pattern.size(), 0), end_(range.begin), range_(range), matches_(matches) {}

  void add(uint64_t offset, std::span<const uint8_t> bytes) {
    zeros(offset);
    feed(bytes);
  }
  void finish() { zeros(range_.end); }

 private:
  /// Zeros up to `offset`. Of a longer gap only its ends matter, since the pattern is not all zero.
  void zeros(uint64_t offset) {
    const uint64_t gap = offset - end_;
    feed(std::span(zeros_).first(static_cast<size_t>(std::min<uint64_t>(gap, zeros_.size()))));
    if (gap <= zeros_.size()) return;
    const uint64_t rest = std::min<uint64_t>(offset - end_, zeros_.size());
    window_.clear();
    end_ = offset - rest;
    feed(std::span(zeros_).first(static_cast<size_t>(rest)));
  }

  void feed(std::span<const uint8_t> bytes) {
    window_.insert(window_.end(), bytes.begin(), bytes.end());
    end_ += bytes.size();
    for (auto at = window_.begin();; ++at) {
      at = std::search(at, window_.end(), pattern_.begin(), pattern_.end());
      if (at == window_.end()) break;
      const uint64_t offset = end_ - static_cast<uint64_t>(window_.end() - at);
      if (++matches_.count <= Matches::kMaxShown) matches_.offsets.push_back(offset);
    }
    const size_t kept = std::min(window_.size(), pattern_.size() - 1);
    window_.erase(window_.begin(), window_.end() - static_cast<ptrdiff_t>(kept));
  }

  const std::vector<uint8_t>& pattern_;
  const std::vector<uint8_t> zeros_;
  uint64_t end_;
  MemoryRange range_;
  Matches& matches_;
  std::vector<uint8_t> window_;  // the bytes before end_ that may begin a match
};

}  // namespace

Result<std::vector<uint8_t>> parse_pattern(std::string_view text) {
  std::vector<uint8_t> bytes;
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  const std::string_view inside = quoted ? text.substr(1, text.size() - 2) : text;
  const bool prefixed = text.starts_with("0x") || text.starts_with("0X");
  const bool spaced = text.find(' ') != std::string_view::npos || text.size() == 2;
  if (quoted || !(prefixed || spaced) || !parse_hex(prefixed ? text.substr(2) : text, bytes)) {
    bytes.assign(inside.begin(), inside.end());
  }
  const char* wrong = nullptr;
  if (bytes.empty()) wrong = "there is nothing to look for";
  if (bytes.size() > kMaxPattern) wrong = "more than 4096 bytes to look for";
  if (std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; })) wrong = "zeros are nearly everywhere";
  if (wrong != nullptr) return Error{Phase::Invoke, wrong, Error::kNoOffset};
  return bytes;
}

Result<Matches> find_in_memory(const Subject& subject, MemoryRange range, const std::vector<uint8_t>& pattern) {
  Matches matches;
  Scanner scanner(pattern, range, matches);
  CHIWAWA_TRY(walk_memory(subject, range,
                          [&](uint64_t offset, std::span<const uint8_t> bytes) { scanner.add(offset, bytes); }));
  scanner.finish();
  return matches;
}

Result<void> print_matches(Text& out, const Subject& subject, MemoryRange range, const Matches& matches) {
  const uint64_t end = whole_memory(subject.records, range.memory).end;
  for (const uint64_t offset : matches.offsets) {
    std::vector<uint8_t> bytes(static_cast<size_t>(std::min<uint64_t>(16, end - offset)));
    const MemoryRange around{range.memory, offset, offset + bytes.size()};
    CHIWAWA_TRY(walk_memory(subject, around, [&](uint64_t at, std::span<const uint8_t> piece) {
      std::copy(piece.begin(), piece.end(), bytes.begin() + static_cast<ptrdiff_t>(at - offset));
    }));
    out << hex_line(offset, bytes) << "\n";
  }
  if (matches.count > matches.offsets.size()) {
    out.put(Tone::Dim, "… and " + grouped(matches.count - matches.offsets.size()) + " more") << "\n";
  }
  if (matches.count == 0) out << "It is nowhere in this memory.\n";
  return {};
}

Json json_of_matches(const Matches& matches) {
  Json offsets = Json::array();
  for (const uint64_t offset : matches.offsets) offsets.push_back(json_number(offset));
  return {{"count", json_number(matches.count)}, {"offsets", std::move(offsets)}};
}

Result<void> find_strings(const Subject& subject, MemoryRange range, size_t min_length, TakeString take) {
  std::string text;
  uint64_t end = range.begin;
  uint64_t length = 0;  // of the run; `text` holds its beginning
  const auto finish = [&] {
    if (length >= std::max<size_t>(min_length, 1)) take(end - length, text);
    text.clear();
    length = 0;
  };
  CHIWAWA_TRY(walk_memory(subject, range, [&](uint64_t offset, std::span<const uint8_t> bytes) {
    if (offset != end) finish();
    end = offset;
    for (const uint8_t byte : bytes) {
      if ((byte < 0x20 || byte >= 0x7F) && byte != '\t') {
        finish();
      } else {
        ++length;
        if (text.size() < kMaxString) text += static_cast<char>(byte);
      }
      ++end;
    }
  }));
  finish();
  return {};
}

}  // namespace chiwawa::inspect
