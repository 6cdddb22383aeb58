// What every preview1 function is written with: the call's surroundings, its answer, and the declarations, made from
// preview1.def.
#pragma once

#include <cstdint>

#include "wasi/context.hpp"
#include "wasi/guest_memory.hpp"

namespace chiwawa::wasi {

/// What a function works on besides its arguments.
struct Call {
  Context& wasi;
  GuestMemory memory;
  const uint64_t* args;
};

/// How a function ends: with an errno for the guest, or as HostResult says.
struct Answer {
  HostResult::Kind kind = HostResult::Kind::Return;
  Errno error = Errno::Success;
  uint32_t exit_code = 0;

  Answer(Errno e) : error(e) {}
  static Answer wait() { return {HostResult::Kind::Wait, 0}; }
  static Answer exit(uint32_t code) { return {HostResult::Kind::Exit, code}; }

 private:
  Answer(HostResult::Kind k, uint32_t code) : kind(k), exit_code(code) {}
};

template <typename Params>
struct ImplementationOf;
template <typename... P>
struct ImplementationOf<void(P...)> {
  using type = Answer(Call&, P...);
};
template <typename Params>
using Implementation = typename ImplementationOf<Params>::type;

namespace preview1 {

using I32 = uint32_t;
using I64 = uint64_t;
// Parameters and what the function answers are in the witx files.
#define WASI_FUNCTION(name, params, results, implementation, unstable_implementation, parameter_names) \
  Implementation<void params> implementation;                                                          \
  Implementation<void params> unstable_implementation;
#include "wasi/preview1.def"

}  // namespace preview1

/// Gives the descriptor `fd`, of which all of `rights` are needed. Badf, Notcapable.
inline Sys<Descriptor*> descriptor(Call& call, uint32_t fd, uint64_t rights) {
  Descriptor* d = call.wasi.table.find(fd);
  if (d == nullptr) return Errno::Badf;
  if ((d->rights_base & rights) != rights) return Errno::Notcapable;
  return d;
}

/// The same for what is not a directory: Isdir.
inline Sys<Descriptor*> file_descriptor(Call& call, uint32_t fd, uint64_t rights) {
  Descriptor* d = call.wasi.table.find(fd);
  if (d == nullptr) return Errno::Badf;
  if (d->is_directory()) return Errno::Isdir;
  if ((d->rights_base & rights) != rights) return Errno::Notcapable;
  return d;
}

/// The same for what has a position: Spipe for streams.
inline Sys<Descriptor*> seekable_descriptor(Call& call, uint32_t fd, uint64_t rights) {
  Descriptor* d = call.wasi.table.find(fd);
  if (d != nullptr && !d->is_directory() && !d->has_position()) return Errno::Spipe;
  return file_descriptor(call, fd, rights);
}

/// The same for sockets: Notsock.
inline Sys<Descriptor*> socket_descriptor(Call& call, uint32_t fd, uint64_t rights) {
  Descriptor* d = call.wasi.table.find(fd);
  if (d == nullptr) return Errno::Badf;
  if (!d->is_socket()) return Errno::Notsock;
  if ((d->rights_base & rights) != rights) return Errno::Notcapable;
  return d;
}

/// The same for directories: Notdir.
inline Sys<Descriptor*> directory_descriptor(Call& call, uint32_t fd, uint64_t rights) {
  Descriptor* d = call.wasi.table.find(fd);
  if (d == nullptr) return Errno::Badf;
  if (!d->is_directory()) return Errno::Notdir;
  if ((d->rights_base & rights) != rights) return Errno::Notcapable;
  return d;
}

/// Writes a filestat in the layout `L`. Requires that the memory has L::size bytes there.
template <typename L>
void store_filestat(GuestMemory memory, uint32_t address, const Stat& stat) {
  std::memset(memory.at(address), 0, L::size);
  memory.store<uint64_t>(address + L::dev, stat.dev);
  memory.store<uint64_t>(address + L::ino, stat.ino);
  memory.store<uint8_t>(address + L::filetype, static_cast<uint8_t>(stat.type));
  if constexpr (L::bytes - L::nlink == 4) {
    memory.store<uint32_t>(address + L::nlink, static_cast<uint32_t>(stat.nlink));
  } else {
    memory.store<uint64_t>(address + L::nlink, stat.nlink);
  }
  memory.store<uint64_t>(address + L::bytes, stat.size);
  memory.store<uint64_t>(address + L::atim, stat.atim);
  memory.store<uint64_t>(address + L::mtim, stat.mtim);
  memory.store<uint64_t>(address + L::ctim, stat.ctim);
}

/// Makes Times of fstflags. Inval if they contradict each other.
inline Sys<Times> times_of(uint64_t atim, uint64_t mtim, uint32_t flags) {
  if ((flags & ~fstflag::All) != 0) return Errno::Inval;
  if ((flags & fstflag::Atim) && (flags & fstflag::AtimNow)) return Errno::Inval;
  if ((flags & fstflag::Mtim) && (flags & fstflag::MtimNow)) return Errno::Inval;
  using Kind = Times::Kind;
  Times times;
  times.access = flags & fstflag::Atim ? Kind::Set : flags & fstflag::AtimNow ? Kind::Now : Kind::Keep;
  times.modification = flags & fstflag::Mtim ? Kind::Set : flags & fstflag::MtimNow ? Kind::Now : Kind::Keep;
  times.atim = atim;
  times.mtim = mtim;
  return times;
}

}  // namespace chiwawa::wasi
