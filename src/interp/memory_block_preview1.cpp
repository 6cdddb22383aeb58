// Inside a wasm host the C library copies what it enlarges, and has no block of 2 GiB or more. So a large memory lies
// at the end of our own, where it grows in place; and what cannot grow in place moves to a place with room to grow.
// Asking the host takes it some time whatever is asked for (V8: 2 ms where there are 3 GiB already), so it is asked for
// more than is needed.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "interp/memory_block.hpp"
#include "interp/types.hpp"

namespace chiwawa {
namespace {

constexpr size_t kPage = kPageSize;
constexpr size_t kLarge = 64u << 20;
/// What the C library is made to have below the first large memory, so that it does not need more behind it. Not
/// touched.
constexpr size_t kHeapReserve = 32u << 20;
/// The most that the host is asked for in advance.
constexpr size_t kMostAhead = 64u << 20;

/// Large blocks that were given back, by address, none next to another: we cannot give them to our host. Never shrinks
/// below what it has reserved, so that giving back needs no memory.
std::vector<MemoryBlock>& holes() {
  static std::vector<MemoryBlock> list = [] {
    std::vector<MemoryBlock> empty;
    empty.reserve(256);
    return empty;
  }();
  return list;
}

uint8_t* end_of(const MemoryBlock& block) { return block.data + block.size; }

void add_hole(MemoryBlock block) {
  const auto next =
      std::find_if(holes().begin(), holes().end(), [&](const MemoryBlock& hole) { return hole.data > block.data; });
  const bool joins_next = next != holes().end() && end_of(block) == next->data;
  const bool joins_last = next != holes().begin() && end_of(*(next - 1)) == block.data;
  if (joins_last) {
    (next - 1)->size += block.size;
    if (!joins_next) return;
    (next - 1)->size += next->size;
    holes().erase(next);
  } else if (joins_next) {
    *next = {block.data, block.size + next->size};
  } else if (holes().size() < holes().capacity()) {
    holes().insert(next, block);
  }  // else it is lost
}

/// From the smallest hole that has room.
uint8_t* take_from_holes(size_t size) {
  MemoryBlock* best = nullptr;
  for (MemoryBlock& hole : holes()) {
    if (hole.size >= size && (best == nullptr || hole.size < best->size)) best = &hole;
  }
  if (best == nullptr) return nullptr;
  uint8_t* const taken = best->data;
  best->data += size;
  best->size -= size;
  if (best->size == 0) holes().erase(holes().begin() + (best - holes().data()));
  std::memset(taken, 0, size);
  return taken;
}

size_t own_size() { return __builtin_wasm_memory_size(0) * kPage; }

bool grow_own(size_t bytes) { return __builtin_wasm_memory_grow(0, bytes / kPage) != ~size_t{0}; }

/// Grows what is at the end of our own memory by so many bytes, or by more. Returns by how many, or 0.
size_t grow_end(size_t bytes, size_t old_size) {
  const size_t ahead = std::min(kMostAhead, old_size / 8 / kPage * kPage);
  if (ahead > bytes && grow_own(ahead)) return ahead;
  return grow_own(bytes) ? bytes : 0;
}

uint8_t* large_block(size_t size) {
  if (uint8_t* const taken = take_from_holes(size)) return taken;
  static const bool reserved = [] {
    void* const heap = std::malloc(kHeapReserve);
    std::free(heap);
    return heap != nullptr;
  }();
  const size_t begin = own_size();
  return reserved && grow_own(size) ? reinterpret_cast<uint8_t*>(begin) : nullptr;
}

/// A new block for `size` bytes, with room for a quarter more if there is so much.
MemoryBlock new_block(size_t size, size_t room) {
  for (const size_t wanted : {room, size}) {
    uint8_t* const data = wanted < kLarge ? static_cast<uint8_t*>(std::calloc(wanted, 1)) : large_block(wanted);
    if (data != nullptr) return {data, wanted};
  }
  return {};
}

}  // namespace

MemoryBlock grow_block(MemoryBlock block, size_t used, size_t size) {
  if (block.data == nullptr) return new_block(size, size);
  const bool last = block.size >= kLarge && reinterpret_cast<size_t>(block.data) + block.size == own_size();
  if (last) {
    const size_t more = grow_end(size - block.size, block.size);
    return more == 0 ? MemoryBlock{} : MemoryBlock{block.data, block.size + more};
  }
  const size_t quarter = block.size / 4 / kPage * kPage;
  const MemoryBlock moved = new_block(size, std::max(size, block.size + quarter));
  if (moved.data == nullptr) return {};
  std::memcpy(moved.data, block.data, used);
  release_block(block);
  return moved;
}

void release_block(MemoryBlock block) {
  if (block.size >= kLarge) return add_hole(block);
  std::free(block.data);
}

}  // namespace chiwawa
