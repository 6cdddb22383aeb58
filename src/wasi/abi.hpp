// preview1's numbers and layouts, exactly as in its witx files, and the names those files give them.
// https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/witx/typenames.witx
#pragma once

#include <cstddef>
#include <cstdint>

namespace chiwawa::wasi {

/// witx: errno.
enum class Errno : uint16_t {
  Success = 0,
  TooBig = 1,
  Acces = 2,
  Addrinuse = 3,
  Addrnotavail = 4,
  Afnosupport = 5,
  Again = 6,
  Already = 7,
  Badf = 8,
  Badmsg = 9,
  Busy = 10,
  Canceled = 11,
  Child = 12,
  Connaborted = 13,
  Connrefused = 14,
  Connreset = 15,
  Deadlk = 16,
  Destaddrreq = 17,
  Dom = 18,
  Dquot = 19,
  Exist = 20,
  Fault = 21,
  Fbig = 22,
  Hostunreach = 23,
  Idrm = 24,
  Ilseq = 25,
  Inprogress = 26,
  Intr = 27,
  Inval = 28,
  Io = 29,
  Isconn = 30,
  Isdir = 31,
  Loop = 32,
  Mfile = 33,
  Mlink = 34,
  Msgsize = 35,
  Multihop = 36,
  Nametoolong = 37,
  Netdown = 38,
  Netreset = 39,
  Netunreach = 40,
  Nfile = 41,
  Nobufs = 42,
  Nodev = 43,
  Noent = 44,
  Noexec = 45,
  Nolck = 46,
  Nolink = 47,
  Nomem = 48,
  Nomsg = 49,
  Noprotoopt = 50,
  Nospc = 51,
  Nosys = 52,
  Notconn = 53,
  Notdir = 54,
  Notempty = 55,
  Notrecoverable = 56,
  Notsock = 57,
  Notsup = 58,
  Notty = 59,
  Nxio = 60,
  Overflow = 61,
  Ownerdead = 62,
  Perm = 63,
  Pipe = 64,
  Proto = 65,
  Protonosupport = 66,
  Prototype = 67,
  Range = 68,
  Rofs = 69,
  Spipe = 70,
  Srch = 71,
  Stale = 72,
  Timedout = 73,
  Txtbsy = 74,
  Xdev = 75,
  Notcapable = 76,
};

/// witx: rights. What may be done with a descriptor.
namespace right {
constexpr uint64_t FdDatasync = uint64_t{1} << 0;
constexpr uint64_t FdRead = uint64_t{1} << 1;
constexpr uint64_t FdSeek = uint64_t{1} << 2;
constexpr uint64_t FdFdstatSetFlags = uint64_t{1} << 3;
constexpr uint64_t FdSync = uint64_t{1} << 4;
constexpr uint64_t FdTell = uint64_t{1} << 5;
constexpr uint64_t FdWrite = uint64_t{1} << 6;
constexpr uint64_t FdAdvise = uint64_t{1} << 7;
constexpr uint64_t FdAllocate = uint64_t{1} << 8;
constexpr uint64_t PathCreateDirectory = uint64_t{1} << 9;
constexpr uint64_t PathCreateFile = uint64_t{1} << 10;
constexpr uint64_t PathLinkSource = uint64_t{1} << 11;
constexpr uint64_t PathLinkTarget = uint64_t{1} << 12;
constexpr uint64_t PathOpen = uint64_t{1} << 13;
constexpr uint64_t FdReaddir = uint64_t{1} << 14;
constexpr uint64_t PathReadlink = uint64_t{1} << 15;
constexpr uint64_t PathRenameSource = uint64_t{1} << 16;
constexpr uint64_t PathRenameTarget = uint64_t{1} << 17;
constexpr uint64_t PathFilestatGet = uint64_t{1} << 18;
constexpr uint64_t PathFilestatSetSize = uint64_t{1} << 19;
constexpr uint64_t PathFilestatSetTimes = uint64_t{1} << 20;
constexpr uint64_t FdFilestatGet = uint64_t{1} << 21;
constexpr uint64_t FdFilestatSetSize = uint64_t{1} << 22;
constexpr uint64_t FdFilestatSetTimes = uint64_t{1} << 23;
constexpr uint64_t PathSymlink = uint64_t{1} << 24;
constexpr uint64_t PathRemoveDirectory = uint64_t{1} << 25;
constexpr uint64_t PathUnlinkFile = uint64_t{1} << 26;
constexpr uint64_t PollFdReadwrite = uint64_t{1} << 27;
constexpr uint64_t SockShutdown = uint64_t{1} << 28;
constexpr uint64_t SockAccept = uint64_t{1} << 29;

constexpr uint64_t All = (SockAccept << 1) - 1;

/// The rights that apply to what is not a directory.
constexpr uint64_t File = FdDatasync | FdRead | FdSeek | FdFdstatSetFlags | FdSync | FdTell | FdWrite | FdAdvise |
                          FdAllocate | FdFilestatGet | FdFilestatSetSize | FdFilestatSetTimes | PollFdReadwrite;
/// The rights that apply to a directory itself.
constexpr uint64_t Directory = FdFdstatSetFlags | FdDatasync | FdSync | FdAdvise | PathCreateDirectory |
                               PathCreateFile | PathLinkSource | PathLinkTarget | PathOpen | FdReaddir | PathReadlink |
                               PathRenameSource | PathRenameTarget | PathFilestatGet | PathFilestatSetSize |
                               PathFilestatSetTimes | FdFilestatGet | FdFilestatSetTimes | PathSymlink |
                               PathRemoveDirectory | PathUnlinkFile | PollFdReadwrite;
/// What a stream (terminal, pipe) can do: everything that needs no position.
constexpr uint64_t Stream = FdDatasync | FdRead | FdFdstatSetFlags | FdSync | FdWrite | FdFilestatGet | PollFdReadwrite;
/// A listening socket, and one that it has accepted.
constexpr uint64_t Listener = FdRead | FdFdstatSetFlags | FdFilestatGet | PollFdReadwrite | SockShutdown | SockAccept;
constexpr uint64_t Connection = FdRead | FdWrite | FdFdstatSetFlags | FdFilestatGet | PollFdReadwrite | SockShutdown;
}  // namespace right

/// witx: fdflags.
namespace fdflag {
constexpr uint16_t Append = 1;
constexpr uint16_t Dsync = 2;
constexpr uint16_t Nonblock = 4;
constexpr uint16_t Rsync = 8;
constexpr uint16_t Sync = 16;
constexpr uint16_t All = 31;
}  // namespace fdflag

/// witx: oflags.
namespace oflag {
constexpr uint32_t Creat = 1;
constexpr uint32_t Directory = 2;
constexpr uint32_t Excl = 4;
constexpr uint32_t Trunc = 8;
constexpr uint32_t All = 15;
}  // namespace oflag

/// witx: lookupflags.
namespace lookupflag {
constexpr uint32_t SymlinkFollow = 1;
constexpr uint32_t All = 1;
}  // namespace lookupflag

/// witx: fstflags.
namespace fstflag {
constexpr uint32_t Atim = 1;
constexpr uint32_t AtimNow = 2;
constexpr uint32_t Mtim = 4;
constexpr uint32_t MtimNow = 8;
constexpr uint32_t All = 15;
}  // namespace fstflag

/// witx: filetype.
enum class Filetype : uint8_t {
  Unknown = 0,
  BlockDevice = 1,
  CharacterDevice = 2,
  Directory = 3,
  RegularFile = 4,
  SocketDgram = 5,
  SocketStream = 6,
  SymbolicLink = 7,
};

/// witx: clockid.
enum class ClockId : uint32_t { Realtime = 0, Monotonic = 1, ProcessCputime = 2, ThreadCputime = 3 };

/// witx: advice; its numbers are below this.
constexpr uint32_t kAdviceCount = 6;

/// witx: whence. The older module numbers it differently: cur 0, end 1, set 2.
enum class Whence : uint8_t { Set = 0, Cur = 1, End = 2 };

/// witx: eventtype.
enum class EventType : uint8_t { Clock = 0, FdRead = 1, FdWrite = 2 };
constexpr uint16_t kSubscriptionClockAbstime = 1;
constexpr uint16_t kEventFdReadwriteHangup = 1;

/// witx: signal; its numbers are below this.
constexpr uint32_t kSignalCount = 31;

/// witx: riflags. (There are no siflags, and the only roflag is of datagrams.)
namespace riflag {
constexpr uint32_t Peek = 1;
constexpr uint32_t Waitall = 2;
constexpr uint32_t All = 3;
}  // namespace riflag

/// witx: sdflags.
namespace sdflag {
constexpr uint32_t Read = 1;
constexpr uint32_t Write = 2;
constexpr uint32_t All = 3;
}  // namespace sdflag

/// Layouts of the structures in guest memory: sizes and offsets of the fields, in bytes; all little-endian.
namespace layout {
struct Iovec {
  static constexpr uint32_t size = 8, buf = 0, len = 4;
};
struct Fdstat {
  static constexpr uint32_t size = 24, filetype = 0, flags = 2, rights_base = 8, rights_inheriting = 16;
};
struct Filestat {
  static constexpr uint32_t size = 64, dev = 0, ino = 8, filetype = 16, nlink = 24, bytes = 32, atim = 40, mtim = 48,
                            ctim = 56;
};
/// The older module's: nlink is 32 bits wide.
struct UnstableFilestat {
  static constexpr uint32_t size = 56, dev = 0, ino = 8, filetype = 16, nlink = 20, bytes = 24, atim = 32, mtim = 40,
                            ctim = 48;
};
struct Prestat {
  static constexpr uint32_t size = 8, tag = 0, name_len = 4;
};
struct Dirent {
  static constexpr uint32_t size = 24, next = 0, ino = 8, namlen = 16, type = 20;
};
struct Subscription {
  static constexpr uint32_t size = 48, userdata = 0, tag = 8, fd = 16, clock_id = 16, timeout = 24, flags = 40;
};
/// The older module's: an identifier stands before the clock.
struct UnstableSubscription {
  static constexpr uint32_t size = 56, userdata = 0, tag = 8, fd = 16, clock_id = 24, timeout = 32, flags = 48;
};
struct Event {
  static constexpr uint32_t size = 32, userdata = 0, error = 8, type = 10, nbytes = 16, flags = 24;
};
}  // namespace layout

}  // namespace chiwawa::wasi
