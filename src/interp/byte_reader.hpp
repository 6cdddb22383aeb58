// A cursor over a range of a module's bytes: little-endian numbers, LEB128, lengths. Never reads beyond the range.
// https://webassembly.github.io/spec/core/binary/values.html
#pragma once

#include <cassert>
#include <cstdint>
#include <span>

namespace chiwawa {

/// The first fault sticks: from then on the reader is at its end and every read gives 0, so that a caller may read
/// several fields and look at ok() once, and its loops over a count() end by themselves. Fault texts are literals
/// (those of the official test suite), so that a reader costs nothing to make.
class ByteReader {
 public:
  /// Requires begin <= end <= bytes.size(). Positions are offsets in `bytes`. `end_text` is the fault of reading on at
  /// the end.
  ByteReader(std::span<const uint8_t> bytes, uint32_t begin, uint32_t end,
             const char* end_text = "unexpected end of section or function")
      : data_(bytes.data()), position_(begin), end_(end), end_text_(end_text) {
    assert(begin <= end && end <= bytes.size());
  }

  uint32_t position() const { return position_; }
  uint32_t end() const { return end_; }
  uint32_t remaining() const { return end_ - position_; }
  bool at_end() const { return position_ >= end_; }

  bool ok() const { return fault_ == nullptr; }
  const char* fault() const { return fault_; }
  uint32_t fault_position() const { return fault_position_; }

  /// `text` must be a literal.
  void fail(const char* text, uint32_t at) {
    if (fault_ != nullptr) return;
    fault_ = text;
    fault_position_ = at;
    position_ = end_;
  }

  /// The next byte, which is not read over; 0 at the end.
  uint8_t peek() const { return at_end() ? uint8_t{0} : data_[position_]; }

  uint8_t u8() {
    if (at_end()) {
      fail(end_text_, position_);
      return 0;
    }
    return data_[position_++];
  }

  // Nearly all numbers take one byte, which is read in place.
  uint32_t u32() { return short_leb() ? data_[position_++] : static_cast<uint32_t>(unsigned_leb<32>()); }
  uint64_t u64() { return short_leb() ? data_[position_++] : unsigned_leb<64>(); }
  int32_t s32() { return short_leb() ? signed_byte() : static_cast<int32_t>(signed_leb<32>()); }
  int64_t s33() { return short_leb() ? signed_byte() : signed_leb<33>(); }
  int64_t s64() { return short_leb() ? signed_byte() : signed_leb<64>(); }

  uint32_t fixed_u32() { return static_cast<uint32_t>(fixed<4>()); }
  uint64_t fixed_u64() { return fixed<8>(); }

  /// A number of items of which each takes at least `min_size` bytes: never more than the remaining bytes can hold,
  /// so that it is safe to reserve memory for them.
  uint32_t count(uint32_t min_size) {
    const uint32_t at = position_;
    const uint32_t n = u32();
    if (n > remaining() / min_size) {
      fail(end_text_, at);
      return 0;
    }
    return n;
  }

  /// Skips `size` bytes and returns where they begin.
  uint32_t skip(uint32_t size, const char* fault_text) {
    const uint32_t at = position_;
    if (size > remaining()) {
      fail(fault_text, at);
      return at;
    }
    position_ += size;
    return at;
  }

 private:
  bool short_leb() const { return position_ < end_ && data_[position_] < 0x80; }
  int8_t signed_byte() { return static_cast<int8_t>((data_[position_++] ^ 0x40) - 0x40); }

  // The last byte of the longest allowed form holds fewer than seven bits of the number: the others must be zero
  // (unsigned) or copies of the sign.
  template <uint32_t kBits>
  uint64_t unsigned_leb() {
    const uint32_t begin = position_;
    uint64_t value = 0;
    for (uint32_t shift = 0;; shift += 7) {
      const uint8_t byte = u8();
      if (!ok()) return 0;
      if (kBits - shift < 7 && (byte & 0x7F) >> (kBits - shift) != 0) return fault_in(begin, "integer too large");
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
      if (kBits - shift <= 7) return fault_in(begin, "integer representation too long");
    }
  }

  template <uint32_t kBits>
  int64_t signed_leb() {
    const uint32_t begin = position_;
    uint64_t value = 0;
    for (uint32_t shift = 0;; shift += 7) {
      const uint8_t byte = u8();
      if (!ok()) return 0;
      if (kBits - shift < 7) {
        const uint32_t sign_and_unused = (byte & 0x7Fu) >> (kBits - shift - 1);
        if (sign_and_unused != 0 && sign_and_unused != 0x7Fu >> (kBits - shift - 1)) {
          return static_cast<int64_t>(fault_in(begin, "integer too large"));
        }
      }
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) {
        if ((byte & 0x40) != 0 && shift + 7 < 64) value |= ~uint64_t{0} << (shift + 7);
        return static_cast<int64_t>(value);
      }
      if (kBits - shift <= 7) return static_cast<int64_t>(fault_in(begin, "integer representation too long"));
    }
  }

  template <uint32_t kBytes>
  uint64_t fixed() {
    if (remaining() < kBytes) {
      fail(end_text_, position_);
      return 0;
    }
    uint64_t value = 0;
    for (uint32_t i = 0; i < kBytes; ++i) value |= uint64_t{data_[position_ + i]} << (8 * i);
    position_ += kBytes;
    return value;
  }

  uint64_t fault_in(uint32_t at, const char* text) {
    fail(text, at);
    return 0;
  }

  const uint8_t* data_;
  uint32_t position_;
  uint32_t end_;
  const char* end_text_;
  const char* fault_ = nullptr;
  uint32_t fault_position_ = 0;
};

}  // namespace chiwawa
