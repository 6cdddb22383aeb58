// fd_readdir.
//
// A cookie must mean the same position when the guest has created and removed entries since, and after a restore on
// another host, where nothing but the cookie is left. So entries are ordered by a hash of their names, and the cookie
// is that hash: "go on with the first entry after this one" needs no memory. The hash has 31 bits because telldir()
// in wasi-libc returns a long. Entries with the same hash get the next free numbers.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "wasi/functions.hpp"

namespace chiwawa::wasi::preview1 {
namespace {

constexpr uint64_t kDot = 1;
constexpr uint64_t kDotDot = 2;
constexpr uint64_t kFirst = 3;

uint64_t cookie_of(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  hash ^= hash >> 32;
  return kFirst + (hash & 0x7FFFFFFF) % 0x7FF00000;  // room above for equal hashes
}

Errno make_listing(Context& wasi, Descriptor& dir) {
  auto self = wasi.os->stat(dir.handle);
  if (!self.ok()) return self.error;
  std::vector<DirEntry> entries;
  if (Errno e = wasi.os->list(dir.handle, entries); e != Errno::Success) return e;

  dir.listing.clear();
  dir.listing.reserve(entries.size() + 2);
  // The parent may be outside of what the guest can see: it is not told which one it is.
  dir.listing.push_back({kDot, {".", self.value.ino, Filetype::Directory}});
  dir.listing.push_back({kDotDot, {"..", self.value.ino, Filetype::Directory}});
  for (auto& entry : entries) {
    uint64_t cookie = cookie_of(entry.name);
    dir.listing.push_back({cookie, std::move(entry)});
  }
  auto first = dir.listing.begin() + 2;
  std::sort(first, dir.listing.end(), [](const ListedEntry& a, const ListedEntry& b) {
    return a.cookie != b.cookie ? a.cookie < b.cookie : a.entry.name < b.entry.name;
  });
  uint64_t last = kDotDot;
  for (auto& listed : dir.listing) {
    if (listed.cookie > kDotDot) last = listed.cookie = std::max(listed.cookie, last + 1);
    listed.entry.ino = wasi.guest_id(self.value.dev, listed.entry.ino).second;
  }
  dir.listed = true;
  return Errno::Success;
}

}  // namespace

Answer fd_readdir(Call& call, uint32_t fd, uint32_t buf, uint32_t buf_len, uint64_t cookie, uint32_t bufused) {
  auto d = directory_descriptor(call, fd, right::FdReaddir);
  if (!d.ok()) return d.error;
  if (!call.memory.has(bufused, 4) || !call.memory.has(buf, buf_len)) return Errno::Fault;
  if (cookie == 0 || !d.value->listed) {
    if (Errno e = make_listing(call.wasi, *d.value); e != Errno::Success) return e;
  }
  const auto& listing = d.value->listing;
  auto next = std::upper_bound(listing.begin(), listing.end(), cookie,
                               [](uint64_t c, const ListedEntry& listed) { return c < listed.cookie; });
  uint32_t used = 0;
  auto append = [&](const void* bytes, size_t size) {
    auto n = static_cast<uint32_t>(std::min<size_t>(size, buf_len - used));
    if (n > 0) std::memcpy(call.memory.at(buf + used), bytes, n);
    used += n;
  };
  // The last entry is cut off where the buffer ends, which tells the guest that there are more.
  for (; next != listing.end() && used < buf_len; ++next) {
    using L = layout::Dirent;
    uint8_t header[L::size] = {};
    GuestMemory out({header, sizeof header});
    out.store<uint64_t>(L::next, next->cookie);
    out.store<uint64_t>(L::ino, next->entry.ino);
    out.store<uint32_t>(L::namlen, static_cast<uint32_t>(next->entry.name.size()));
    out.store<uint8_t>(L::type, static_cast<uint8_t>(next->entry.type));
    append(header, sizeof header);
    append(next->entry.name.data(), next->entry.name.size());
  }
  call.memory.store<uint32_t>(bufused, used);
  return Errno::Success;
}

}  // namespace chiwawa::wasi::preview1
