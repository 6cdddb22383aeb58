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

#elif defined(__wasm__)

// Inside a wasm host the C library copies what it enlarges, and has no block of 2 GiB or more. So a large memory lies
// at the end of our own, where it grows in place.
constexpr size_t kLarge = 64u << 20;
/// What the C library is made to have below the first large memory, so that it does not need more behind it. Not
/// touched.
constexpr size_t kHeapReserve = 32u << 20;

/// The largest of the large memories that were given back: we cannot give them to our host.
struct Spare {
  uint8_t* data = nullptr;
  size_t size = 0;
} spare;

size_t own_size() { return __builtin_wasm_memory_size(0) * size_t{kPageSize}; }

bool grow_own(size_t bytes) { return __builtin_wasm_memory_grow(0, bytes / kPageSize) != ~size_t{0}; }

void release(uint8_t* data, size_t size) {
  if (size < kLarge) return std::free(data);
  if (size > spare.size) spare = {data, size};
}

uint8_t* large_block(size_t size) {
  if (size <= spare.size) {
    const Spare taken = std::exchange(spare, {});
    std::memset(taken.data, 0, size);
    return taken.data;
  }
  static const bool reserved = [] {
    void* const heap = std::malloc(kHeapReserve);
    std::free(heap);
    return heap != nullptr;
  }();
  const size_t begin = own_size();
  return reserved && grow_own(size) ? reinterpret_cast<uint8_t*>(begin) : nullptr;
}

uint8_t* resize(uint8_t* data, size_t old_size, size_t new_size) {
  if (new_size < kLarge) {
    if (data == nullptr) return static_cast<uint8_t*>(std::calloc(new_size, 1));
    auto* const moved = static_cast<uint8_t*>(std::realloc(data, new_size));
    if (moved != nullptr) std::memset(moved + old_size, 0, new_size - old_size);
    return moved;
  }
  const bool last = old_size >= kLarge && reinterpret_cast<size_t>(data) + old_size == own_size();
  if (last) return grow_own(new_size - old_size) ? data : nullptr;
  uint8_t* const moved = large_block(new_size);
  if (moved == nullptr || data == nullptr) return moved;
  std::memcpy(moved, data, old_size);
  release(data, old_size);
  return moved;
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

/// What `bytes` bytes take: whole pages of the default size, so that growing by less rarely costs anything.
size_t storage_for(uint64_t bytes) { return static_cast<size_t>((bytes + kPageSize - 1) / kPageSize * kPageSize); }

}  // namespace

LinearMemory::~LinearMemory() { release(data_, storage_for(size_)); }

LinearMemory::LinearMemory(LinearMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

LinearMemory& LinearMemory::operator=(LinearMemory&& other) noexcept {
  if (this != &other) {
    release(data_, storage_for(size_));
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

bool LinearMemory::grow_to(uint64_t bytes) {
  assert(bytes >= size_);
  if (bytes > std::numeric_limits<size_t>::max() - (kPageSize - 1)) return false;
  if (storage_for(bytes) != storage_for(size_)) {
    uint8_t* const moved = resize(data_, storage_for(size_), storage_for(bytes));
    if (moved == nullptr) return false;
    data_ = moved;
  }
  size_ = bytes;
  return true;
}

}  // namespace chiwawa
