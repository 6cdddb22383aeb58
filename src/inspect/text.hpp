// Text for people, handed on in pieces: a dump of gigabytes needs no gigabytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "interp/result.hpp"
#include "snapshot/stream.hpp"

namespace chiwawa::inspect {

/// What a piece of text is; on a terminal each has its colour.
enum class Tone : uint8_t { Plain, Title, Dim, Name, Good, Bad, Changed };

/// Collects text and gives it to a sink. After the sink's first error nothing more is written, and finish() returns it.
class Text {
 public:
  /// The sink must outlive it. `colour`: with escape sequences (ECMA-48).
  explicit Text(snapshot::Sink& sink, bool colour = false) : sink_(sink), colour_(colour) {}
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  Text& operator<<(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= kPiece) flush();
    return *this;
  }
  /// Text of one tone; without line ends in it.
  Text& put(Tone tone, std::string_view text);
  /// "name      " before the first line of a part, blanks before the others: `title` is empty for these.
  Text& part(std::string_view title);

  bool colour() const { return colour_; }
  /// Whether writing failed already: long loops stop then.
  bool failed() const { return !result_; }
  Result<void> finish() {
    flush();
    return result_;
  }

 private:
  static constexpr size_t kPiece = 64 * 1024;
  void flush();

  snapshot::Sink& sink_;
  bool colour_;
  std::string buffer_;
  Result<void> result_;
};

/// What `print` writes into a Text, as a string.
template <typename F>
std::string text_of(F print, bool colour = false) {
  snapshot::MemorySink sink;
  Text text(sink, colour);
  print(text);
  (void)text.finish();
  return {sink.data.begin(), sink.data.end()};
}

/// `text`, filled with blanks to `width` columns. Columns are counted as code points.
std::string padded(std::string_view text, size_t width);

}  // namespace chiwawa::inspect
