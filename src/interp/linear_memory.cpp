#include "interp/linear_memory.hpp"

#include <cassert>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "interp/types.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace chiwawa {

namespace {

// On Linux the kernel gives zero pages that cost nothing until they are touched, and moves mappings without copying.
// Elsewhere realloc() does, and the new part is cleared by hand.
#if defined(__linux__)

uint8_t* resize(uint8_t* data, size_t old_size, size_t new_size) {
  void* const moved = data == nullptr ? mmap(nullptr, new_size, PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                                      : mremap(data, old_size, new_size, MREMAP_MAYMOVE);
  return moved == MAP_FAILED ? nullptr : static_cast<uint8_t*>(moved);
}

void release(uint8_t* data, size_t size) {
  if (data != nullptr) munmap(data, size);
}

#else

uint8_t* resize(uint8_t* data, size_t old_size, size_t new_size) {
  if (data == nullptr) return static_cast<uint8_t*>(std::calloc(new_size, 1));
  auto* const moved = static_cast<uint8_t*>(std::realloc(data, new_size));
  if (moved != nullptr) std::memset(moved + old_size, 0, new_size - old_size);
  return moved;
}

void release(uint8_t* data, size_t) { std::free(data); }

#endif

}  // namespace

LinearMemory::~LinearMemory() { release(data_, static_cast<size_t>(size_)); }

LinearMemory::LinearMemory(LinearMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

LinearMemory& LinearMemory::operator=(LinearMemory&& other) noexcept {
  if (this != &other) {
    release(data_, static_cast<size_t>(size_));
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

bool LinearMemory::grow_to(uint64_t pages) {
  assert(pages >= size_pages());
  if (pages == size_pages()) return true;
  if (pages > std::numeric_limits<size_t>::max() / kPageSize) return false;
  const uint64_t new_size = pages * kPageSize;
  uint8_t* const moved = resize(data_, static_cast<size_t>(size_), static_cast<size_t>(new_size));
  if (moved == nullptr) return false;
  data_ = moved;
  size_ = new_size;
  return true;
}

uint64_t LinearMemory::size_pages() const { return size_ / kPageSize; }

}  // namespace chiwawa
