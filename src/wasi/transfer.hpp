// Moving bytes between the guest's buffers and the host. Nothing is copied on the way: the host gets addresses in guest
// memory.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "wasi/functions.hpp"

namespace chiwawa::wasi {

/// Some of the guest's iovecs, pointing into its memory.
class Buffers {
 public:
  /// Takes from iovec number `next` on what fits: at most kMaxBuffers that are not empty, and `budget` bytes. Requires
  /// that the array is inside the memory. Returns false (fault) if a buffer is not.
  bool load(GuestMemory memory, uint32_t iovs, uint32_t count, uint32_t& next, uint64_t budget) {
    used_ = 0;
    bytes_ = 0;
    for (; next < count && used_ < kMaxBuffers && bytes_ < budget; ++next) {
      auto at = iovs + next * layout::Iovec::size;
      auto buf = memory.load<uint32_t>(at + layout::Iovec::buf);
      auto len = memory.load<uint32_t>(at + layout::Iovec::len);
      if (!memory.has(buf, len)) return false;
      if (len == 0) continue;
      uint64_t size = std::min<uint64_t>(len, budget - bytes_);
      list_[used_++] = {memory.at(buf), static_cast<size_t>(size)};
      bytes_ += size;
    }
    return true;
  }
  /// The first `count` bytes, which are fewer than all, are done.
  void drop(size_t count) {
    size_t first = 0;
    while (first < used_ && count >= list_[first].size) count -= list_[first++].size;
    std::move(list_.begin() + static_cast<ptrdiff_t>(first), list_.begin() + static_cast<ptrdiff_t>(used_),
              list_.begin());
    used_ -= first;
    list_[0].data += count;
    list_[0].size -= count;
  }
  std::span<const Buffer> span() const { return {list_.data(), used_}; }
  uint64_t bytes() const { return bytes_; }

 private:
  std::array<Buffer, kMaxBuffers> list_;
  size_t used_ = 0;
  uint64_t bytes_ = 0;
};

/// Checks a transfer's pointers: the array of iovecs, and where the number of bytes goes. A long array's buffers are
/// checked here too, because Buffers sees only a part at a time.
inline bool check_transfer(GuestMemory memory, uint32_t iovs, uint32_t count, uint32_t result) {
  if (!memory.has(result, 4) || !memory.has(iovs, uint64_t{count} * layout::Iovec::size)) return false;
  if (count <= kMaxBuffers) return true;
  for (uint32_t i = 0; i < count; ++i) {
    auto at = iovs + i * layout::Iovec::size;
    if (!memory.has(memory.load<uint32_t>(at + layout::Iovec::buf), memory.load<uint32_t>(at + layout::Iovec::len))) {
      return false;
    }
  }
  return true;
}

/// Moves bytes with `move(buffers, bytes moved so far)`, part by part until one comes out short; `once`: one part.
template <typename Move>
Answer transfer(Call& call, uint32_t iovs, uint32_t count, uint32_t result, bool once, Move move) {
  uint64_t total = 0;
  uint32_t next = 0;
  Buffers buffers;
  do {
    if (!buffers.load(call.memory, iovs, count, next, kMaxTransfer - total)) return Errno::Fault;
    if (buffers.bytes() == 0) break;
    Sys<size_t> moved = move(buffers.span(), total);
    if (!moved.ok()) {
      if (total == 0) return moved.error;
      break;  // what was moved is told now, the error when the guest goes on
    }
    total += moved.value;
    if (moved.value < buffers.bytes()) break;
  } while (!once && next < count && total < kMaxTransfer);
  call.memory.store<uint32_t>(result, static_cast<uint32_t>(total));
  return Errno::Success;
}

/// A byte stream's half of fd_read and sock_recv, of fd_write and sock_send. `flags`: riflags.
Answer receive(Call& call, Descriptor& socket, uint32_t iovs, uint32_t count, uint32_t flags, uint32_t result);
Answer send(Call& call, Descriptor& socket, uint32_t iovs, uint32_t count, uint32_t result);

}  // namespace chiwawa::wasi
