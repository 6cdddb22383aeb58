#include <cstdlib>
#include <cstring>

#include "interp/memory_block.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace chiwawa {

// On Linux the kernel gives zero pages that cost nothing until they are touched, and moves mappings without copying.
// Elsewhere realloc() does, and the new part is cleared by hand.
#if defined(__linux__)

MemoryBlock grow_block(MemoryBlock block, size_t, size_t size) {
  void* const moved = block.data == nullptr ? mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                                            : mremap(block.data, block.size, size, MREMAP_MAYMOVE);
  return moved == MAP_FAILED ? MemoryBlock{} : MemoryBlock{static_cast<uint8_t*>(moved), size};
}

void release_block(MemoryBlock block) {
  if (block.data != nullptr) munmap(block.data, block.size);
}

#else

MemoryBlock grow_block(MemoryBlock block, size_t, size_t size) {
  if (block.data == nullptr) {
    auto* const made = static_cast<uint8_t*>(std::calloc(size, 1));
    return made == nullptr ? MemoryBlock{} : MemoryBlock{made, size};
  }
  auto* const moved = static_cast<uint8_t*>(std::realloc(block.data, size));
  if (moved == nullptr) return {};
  std::memset(moved + block.size, 0, size - block.size);
  return {moved, size};
}

void release_block(MemoryBlock block) { std::free(block.data); }

#endif

}  // namespace chiwawa
