// The descriptor table: what the guest has open, under numbers of our own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wasi/host_os.hpp"
#include "wasi/state.hpp"

namespace chiwawa::wasi {

/// Guest descriptors are smaller than this.
constexpr uint32_t kMaxDescriptors = 65536;
/// Bytes in a path; more is nametoolong.
constexpr size_t kMaxPath = 4096;

/// A directory that the embedder gave. Stays open as long as the guest lives, also when its descriptor is closed:
/// what was opened beneath it is named by it.
struct Root {
  std::string guest_name;
  Handle handle = kNoHandle;
  bool read_only = false;
};

/// A listening socket that the embedder gave.
struct OpenListener {
  std::string address;
  Handle handle = kNoHandle;  ///< none when its descriptor has it, or is closed
};

/// Position of a Root in Context::roots.
using RootIndex = uint32_t;

/// An entry of a directory, at the position that fd_readdir's cookies name.
struct ListedEntry {
  uint64_t cookie = 0;  ///< of this entry: the next one has a larger one
  DirEntry entry;
};

/// A path beneath a root.
struct Name {
  RootIndex root = 0;
  std::string path;
};

/// One open thing. Plain data; whoever removes it from the table closes the handle (Context::close).
struct Descriptor {
  DescriptorKind kind = DescriptorKind::File;
  Filetype type = Filetype::Unknown;
  Handle handle = kNoHandle;
  /// Reading or writing may wait for somebody else: a terminal, pipe, device or socket.
  bool can_block = false;
  uint16_t fdflags = 0;
  uint64_t rights_base = 0;
  uint64_t rights_inheriting = 0;
  RootIndex root = 0;  ///< Preopen: itself; Directory, File: what it was opened beneath
  /// Directory, File: path beneath the root, "." for the root itself; empty when it is known to have none any more.
  std::string path;

  /// File: names that the guest has given it besides (path_link) since it was opened.
  std::vector<Name> links;

  /// Listener: position in Context::listeners.
  uint32_t listener = 0;
  /// Connection: bytes that a waiting sock_recv with WAITALL has put into its buffers.
  size_t received = 0;

  /// Directory, Preopen: the entries as they were when fd_readdir last began, by cookie. Rebuilt after a restore.
  std::vector<ListedEntry> listing;
  bool listed = false;

  bool is_stdio() const { return kind <= DescriptorKind::Stderr; }
  bool is_socket() const { return kind == DescriptorKind::Listener || kind == DescriptorKind::Connection; }
  /// A connection that was open over a restore: it is reset.
  bool is_reset() const { return kind == DescriptorKind::Connection && handle == kNoHandle; }
  bool is_directory() const { return kind == DescriptorKind::Preopen || kind == DescriptorKind::Directory; }
  /// Whether it has a position (fd_seek).
  bool has_position() const { return kind == DescriptorKind::File; }
};

/// The guest's numbers and what they mean. Pointers into it are valid until the next add(), put() or take().
class DescriptorTable {
 public:
  Descriptor* find(uint32_t number) { return number < slots_.size() && slots_[number] ? &*slots_[number] : nullptr; }
  /// Gives it the lowest free number. Mfile if there is none.
  Sys<uint32_t> add(Descriptor descriptor);
  /// Gives it this number, which is free and below kMaxDescriptors.
  void put(uint32_t number, Descriptor descriptor);
  /// Removes and returns it. Requires find(number).
  Descriptor take(uint32_t number);

  /// All numbers are below this.
  uint32_t end() const { return static_cast<uint32_t>(slots_.size()); }

 private:
  std::vector<std::optional<Descriptor>> slots_;
  uint32_t maybe_free_ = 0;  // all below are taken
};

}  // namespace chiwawa::wasi
