// Numbers and names as bytes, for what monitors leave in a snapshot.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "interp/result.hpp"

namespace chiwawa {

class StateWriter {
 public:
  /// Seven bits a byte, the lowest first (LEB128).
  void number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<uint8_t>(value | 0x80));
    bytes_.push_back(static_cast<uint8_t>(value));
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

/// Reads what anybody may have written. After something wrong every number is 0, and check() says so.
class StateReader {
 public:
  explicit StateReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool at_end() const { return failed_ || at_ == bytes_.size(); }
  void fail() { failed_ = true; }
  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !failed_ && at_ < bytes_.size(); shift += 7) {
      const uint8_t byte = bytes_[at_++];
      value |= uint64_t{byte & 0x7Fu} << shift;
      if ((byte & 0x80) == 0) return value;
    }
    failed_ = true;
    return 0;
  }
  /// A number of things of at least one byte each that follow: never more than there are bytes.
  size_t count() {
    const uint64_t value = number();
    if (value > bytes_.size() - at_) failed_ = true;
    return failed_ ? 0 : static_cast<size_t>(value);
  }
  std::string_view text() {
    const size_t size = count();
    const std::string_view result(reinterpret_cast<const char*>(bytes_.data()) + at_, size);
    at_ += size;
    return result;
  }
  /// Phase::Snapshot if anything was wrong.
  Result<void> check(const char* whose) const {
    if (failed_) return Error{Phase::Snapshot, std::string("the state of the monitor \"") + whose + "\" is damaged"};
    return {};
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace chiwawa
