// Where monitors write: a file or standard error, in large pieces.
#pragma once

#include <charconv>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "interp/result.hpp"

namespace chiwawa::monitor {

class Output {
 public:
  Output() = default;
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  /// Creates or empties the file; an empty path is standard error. Phase::Io.
  Result<void> open(const std::string& path);

  void text(std::string_view text) {
    if (kBuffer - used_ < text.size()) return slow_text(text);
    text.copy(buffer_.get() + used_, text.size());
    used_ += text.size();
  }
  void letter(char c) {
    if (used_ == kBuffer) flush();
    buffer_[used_++] = c;
  }
  /// Decimal, or in another base with small letters.
  template <typename T>
  void number(T value, int base = 10) {
    constexpr size_t kLongest = 24;
    if (kBuffer - used_ < kLongest) flush();
    char* const at = buffer_.get() + used_;
    used_ = static_cast<size_t>(std::to_chars(at, at + kLongest, value, base).ptr - buffer_.get());
  }
  /// Hexadecimal, with at least so many digits.
  void hex(uint64_t value, int digits);

  /// Writes what it holds. What cannot be written is lost, and finish() says so.
  void flush();
  /// Writes the rest and closes the file. Phase::Io if anything could not be written.
  Result<void> finish();

 private:
  static constexpr size_t kBuffer = size_t{1} << 18;
  void slow_text(std::string_view text);

  std::string path_;
  int descriptor_ = -1;
  std::unique_ptr<char[]> buffer_;
  size_t used_ = 0;
  int error_ = 0;  // errno of the first write that failed
};

}  // namespace chiwawa::monitor
