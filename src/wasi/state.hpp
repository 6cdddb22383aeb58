// What WASI keeps between two host calls, as plain records that a snapshot can hold. Nothing of the host is in them:
// guest descriptors are numbers of our own, files are named by preopen and path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chiwawa::wasi {

/// The numbers are saved in snapshots and never reused.
enum class DescriptorKind : uint8_t {
  Stdin = 0,
  Stdout = 1,
  Stderr = 2,
  Preopen = 3,     ///< a directory given by the embedder
  Directory = 4,   ///< opened by the guest
  File = 5,        ///< regular file opened by the guest
  Listener = 6,    ///< a listening socket given by the embedder
  Connection = 7,  ///< a socket that a listener has accepted
};

struct DescriptorRecord {
  uint32_t number = 0;  ///< the guest's
  DescriptorKind kind = DescriptorKind::File;
  uint64_t rights_base = 0;
  uint64_t rights_inheriting = 0;
  uint16_t fdflags = 0;  ///< preview1 fdflags
  /// Preopen: its guest name. Directory, File: the guest name of the preopen that it was opened under.
  std::string preopen;
  /// Directory, File: path beneath that preopen, "." for the preopen itself; empty if it had none any more when saved:
  /// a directory was removed, then; a file, see removed_file. No ".." in it.
  std::string path;
  uint64_t offset = 0;  ///< File: bytes from the start
  uint64_t size = 0;    ///< File: bytes, when saved
  uint64_t mtime = 0;   ///< File: nanoseconds since 1970, when saved
  /// Directory, File: the identity that the guest knows it by (filestat's dev and ino), which it keeps after a
  /// restore: programs (SQLite) compare them to see whether somebody has replaced a file. Both 0: none to keep.
  uint64_t device = 0;
  uint64_t inode = 0;
  /// File without a path: which of State::removed_files it is.
  std::optional<uint32_t> removed_file;
  /// File without a path: it has a name somewhere, out of the guest's reach.
  bool elsewhere = false;
  uint32_t listener = 0;  ///< Listener: position in Config::listeners
  std::string address;    ///< Listener: what it listened on, for messages
};

/// A poll_oneoff (sleep) that is under way.
struct SleepRecord {
  uint64_t elapsed = 0;  ///< nanoseconds since it began, when saved
};

struct State {
  std::vector<std::string> args;
  std::vector<std::string> environ;           ///< "K=V"
  std::vector<DescriptorRecord> descriptors;  ///< by number, ascending
  uint64_t monotonic = 0;  ///< nanoseconds: the guest's monotonic clock, when saved; it never goes back
  std::optional<SleepRecord> sleep;
  /// Contents of files that were removed, replaced or moved away while the guest had them open.
  std::vector<std::vector<uint8_t>> removed_files;
  /// Of a deterministic guest: the state of its random numbers.
  std::optional<uint64_t> random;
};

}  // namespace chiwawa::wasi
