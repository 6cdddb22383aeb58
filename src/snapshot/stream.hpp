// Where a snapshot's bytes go and come from: one pass, front to back, so that pipes will do.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "interp/result.hpp"

namespace chiwawa::snapshot {

/// Takes bytes in order. Errors have Phase::Io.
class Sink {
 public:
  virtual Result<void> write(std::span<const uint8_t> bytes) = 0;

 protected:
  ~Sink() = default;
};

/// Gives bytes in order. Errors have Phase::Io.
class Source {
 public:
  /// Fills the front of `into` (not empty) and returns how many bytes that were; 0 only at the end.
  virtual Result<size_t> read(std::span<uint8_t> into) = 0;
  /// Bytes in the whole source, if that is known beforehand.
  virtual std::optional<uint64_t> size() const { return std::nullopt; }
  /// Goes to a byte offset within size(). False and without effect if this source cannot.
  virtual bool seek(uint64_t offset) {
    (void)offset;
    return false;
  }

 protected:
  ~Source() = default;
};

/// Keeps the bytes.
class MemorySink final : public Sink {
 public:
  Result<void> write(std::span<const uint8_t> bytes) override {
    data.insert(data.end(), bytes.begin(), bytes.end());
    return {};
  }

  std::vector<uint8_t> data;
};

/// Gives somebody else's bytes, which must outlive it.
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  Result<size_t> read(std::span<uint8_t> into) override;
  std::optional<uint64_t> size() const override { return bytes_.size(); }
  bool seek(uint64_t offset) override {
    position_ = static_cast<size_t>(std::min<uint64_t>(offset, bytes_.size()));
    return true;
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
};

/// Bytes that are allocated without aborting when there is no memory.
class Buffer {
 public:
  /// Makes room for `size` bytes of no particular value; what it held is lost. False and unchanged if the host has no
  /// more.
  [[nodiscard]] bool allocate(size_t size);
  /// Gives the memory back.
  void clear();

  std::span<uint8_t> bytes() { return {data_.get(), size_}; }
  std::span<const uint8_t> bytes() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace chiwawa::snapshot
