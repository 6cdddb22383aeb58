#include "snapshot/stream.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace chiwawa::snapshot {

Result<size_t> MemorySource::read(std::span<uint8_t> into) {
  const size_t count = std::min(into.size(), bytes_.size() - position_);
  if (count != 0) std::memcpy(into.data(), bytes_.data() + position_, count);
  position_ += count;
  return count;
}

bool Buffer::allocate(size_t size) {
  if (size > capacity_ || data_ == nullptr) {
    std::unique_ptr<uint8_t[]> fresh(new (std::nothrow) uint8_t[std::max<size_t>(size, 1)]);
    if (fresh == nullptr) return false;
    data_ = std::move(fresh);
    capacity_ = size;
  }
  size_ = size;
  return true;
}

void Buffer::clear() {
  data_.reset();
  size_ = 0;
  capacity_ = 0;
}

}  // namespace chiwawa::snapshot
