// fd_*: everything that works on an open descriptor.
#include <algorithm>
#include <array>

#include "wasi/transfer.hpp"

namespace chiwawa::wasi::preview1 {
namespace {

/// A file position that the host can have.
bool is_position(uint64_t offset) { return offset <= static_cast<uint64_t>(INT64_MAX); }

template <typename L>
Answer filestat_get(Call& call, uint32_t fd, uint32_t result) {
  auto d = descriptor(call, fd, right::FdFilestatGet);
  if (!d.ok()) return d.error;
  if (!call.memory.has(result, L::size)) return Errno::Fault;
  Stat stat;
  if (d.value->is_stdio() || d.value->is_socket()) {
    stat.type = d.value->type;  // the rest is the host's business, and would differ after a restore
    stat.nlink = 1;
  } else {
    auto s = call.wasi.os->stat(d.value->handle);
    if (!s.ok()) return s.error;
    stat = call.wasi.guest_stat(s.value);
  }
  store_filestat<L>(call.memory, result, stat);
  return Errno::Success;
}

Answer seek(Call& call, uint32_t fd, int64_t offset, Whence whence, uint32_t result) {
  bool only_tells = offset == 0 && whence == Whence::Cur;
  auto d = seekable_descriptor(call, fd, only_tells ? right::FdTell : right::FdSeek | right::FdTell);
  if (!d.ok()) return d.error;
  if (!call.memory.has(result, 8)) return Errno::Fault;
  auto position = call.wasi.os->seek(d.value->handle, offset, whence);
  if (!position.ok()) return position.error;
  call.memory.store<uint64_t>(result, position.value);
  return Errno::Success;
}

Answer sync(Call& call, uint32_t fd, uint64_t needed, bool data_only) {
  auto d = descriptor(call, fd, needed);
  if (!d.ok()) return d.error;
  return call.wasi.os->sync(d.value->handle, data_only);
}

}  // namespace

Answer fd_advise(Call& call, uint32_t fd, uint64_t offset, uint64_t len, uint32_t advice) {
  auto d = seekable_descriptor(call, fd, right::FdAdvise);
  if (!d.ok()) return d.error;
  if (advice >= kAdviceCount || !is_position(offset) || !is_position(len)) return Errno::Inval;
  return call.wasi.os->advise(d.value->handle, offset, len, advice);
}

Answer fd_allocate(Call& call, uint32_t fd, uint64_t offset, uint64_t len) {
  auto d = seekable_descriptor(call, fd, right::FdAllocate);
  if (!d.ok()) return d.error;
  if (len == 0 || !is_position(offset) || !is_position(len)) return Errno::Inval;
  if (!is_position(offset + len)) return Errno::Fbig;
  return call.wasi.os->allocate(d.value->handle, offset, len);
}

Answer fd_close(Call& call, uint32_t fd) {
  if (call.wasi.table.find(fd) == nullptr) return Errno::Badf;
  call.wasi.close(call.wasi.table.take(fd));
  return Errno::Success;
}

Answer fd_datasync(Call& call, uint32_t fd) { return sync(call, fd, right::FdDatasync, true); }

Answer fd_sync(Call& call, uint32_t fd) { return sync(call, fd, right::FdSync, false); }

Answer fd_fdstat_get(Call& call, uint32_t fd, uint32_t result) {
  auto d = descriptor(call, fd, 0);
  if (!d.ok()) return d.error;
  using L = layout::Fdstat;
  if (!call.memory.has(result, L::size)) return Errno::Fault;
  std::memset(call.memory.at(result), 0, L::size);
  call.memory.store<uint8_t>(result + L::filetype, static_cast<uint8_t>(d.value->type));
  call.memory.store<uint16_t>(result + L::flags, d.value->fdflags);
  call.memory.store<uint64_t>(result + L::rights_base, d.value->rights_base);
  call.memory.store<uint64_t>(result + L::rights_inheriting, d.value->rights_inheriting);
  return Errno::Success;
}

Answer fd_fdstat_set_flags(Call& call, uint32_t fd, uint32_t flags) {
  auto d = descriptor(call, fd, right::FdFdstatSetFlags);
  if (!d.ok()) return d.error;
  if ((flags & ~uint32_t{fdflag::All}) != 0) return Errno::Inval;
  auto fdflags = static_cast<uint16_t>(flags);
  constexpr uint16_t kFixed = fdflag::Dsync | fdflag::Rsync | fdflag::Sync;  // no system can change these later
  if ((fdflags & kFixed) != (d.value->fdflags & kFixed)) return Errno::Notsup;
  // A standard stream is shared with other processes: what the guest wants is kept here only.
  if (d.value->kind == DescriptorKind::File) {
    if (Errno e = call.wasi.os->set_flags(d.value->handle, fdflags); e != Errno::Success) return e;
  }
  d.value->fdflags = fdflags;
  return Errno::Success;
}

Answer fd_fdstat_set_rights(Call& call, uint32_t fd, uint64_t base, uint64_t inheriting) {
  auto d = descriptor(call, fd, 0);
  if (!d.ok()) return d.error;
  if ((base & ~d.value->rights_base) != 0 || (inheriting & ~d.value->rights_inheriting) != 0) return Errno::Notcapable;
  d.value->rights_base = base;
  d.value->rights_inheriting = inheriting;
  return Errno::Success;
}

Answer fd_filestat_get(Call& call, uint32_t fd, uint32_t result) {
  return filestat_get<layout::Filestat>(call, fd, result);
}

Answer unstable_fd_filestat_get(Call& call, uint32_t fd, uint32_t result) {
  return filestat_get<layout::UnstableFilestat>(call, fd, result);
}

Answer fd_filestat_set_size(Call& call, uint32_t fd, uint64_t size) {
  auto d = file_descriptor(call, fd, right::FdFilestatSetSize);
  if (!d.ok()) return d.error;
  if (!is_position(size)) return Errno::Fbig;
  return call.wasi.os->set_size(d.value->handle, size);
}

Answer fd_filestat_set_times(Call& call, uint32_t fd, uint64_t atim, uint64_t mtim, uint32_t flags) {
  auto d = descriptor(call, fd, right::FdFilestatSetTimes);
  if (!d.ok()) return d.error;
  auto times = times_of(atim, mtim, flags);
  if (!times.ok()) return times.error;
  if (call.wasi.read_only(*d.value)) return Errno::Rofs;
  return call.wasi.os->set_times(d.value->handle, times.value);
}

Answer fd_pread(Call& call, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint64_t offset, uint32_t nread) {
  auto d = seekable_descriptor(call, fd, right::FdRead | right::FdSeek);
  if (!d.ok()) return d.error;
  if (!is_position(offset)) return Errno::Inval;
  if (!check_transfer(call.memory, iovs, iovs_len, nread)) return Errno::Fault;
  return transfer(call, iovs, iovs_len, nread, false, [&](std::span<const Buffer> buffers, uint64_t moved) {
    return call.wasi.os->read_at(d.value->handle, buffers, offset + moved);
  });
}

Answer fd_pwrite(Call& call, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint64_t offset, uint32_t nwritten) {
  auto d = seekable_descriptor(call, fd, right::FdWrite | right::FdSeek);
  if (!d.ok()) return d.error;
  if (!is_position(offset)) return Errno::Inval;
  if (!check_transfer(call.memory, iovs, iovs_len, nwritten)) return Errno::Fault;
  return transfer(call, iovs, iovs_len, nwritten, false, [&](std::span<const Buffer> buffers, uint64_t moved) {
    return call.wasi.os->write_at(d.value->handle, buffers, offset + moved);
  });
}

Answer fd_read(Call& call, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t nread) {
  auto d = file_descriptor(call, fd, right::FdRead);
  if (!d.ok()) return d.error;
  if (!check_transfer(call.memory, iovs, iovs_len, nread)) return Errno::Fault;
  if (d.value->is_socket()) return receive(call, *d.value, iovs, iovs_len, 0, nread);
  if (d.value->can_block) {
    // First wait, then read: when the wait is given up nothing has been taken from the stream.
    auto ready = call.wasi.await(*d.value, false);
    if (!ready) return Answer::wait();
    if (*ready != Errno::Success) return *ready;
  }
  return transfer(call, iovs, iovs_len, nread, d.value->can_block, [&](std::span<const Buffer> buffers, uint64_t) {
    return call.wasi.os->read(d.value->handle, buffers);
  });
}

Answer fd_write(Call& call, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t nwritten) {
  auto d = file_descriptor(call, fd, right::FdWrite);
  if (!d.ok()) return d.error;
  if (!check_transfer(call.memory, iovs, iovs_len, nwritten)) return Errno::Fault;
  if (d.value->is_socket()) return send(call, *d.value, iovs, iovs_len, nwritten);
  HostOs& os = *call.wasi.os;
  bool must_not_block = d.value->can_block && (call.wasi.config.slice != 0 || (d.value->fdflags & fdflag::Nonblock));
  if (!must_not_block) {
    return transfer(call, iovs, iovs_len, nwritten, false,
                    [&](std::span<const Buffer> buffers, uint64_t) { return os.write(d.value->handle, buffers); });
  }
  auto write_now = [&](std::span<const Buffer> buffers, uint64_t) { return os.write_now(d.value->handle, buffers); };
  for (int tries = 0; tries < 2; ++tries) {
    Answer answer = transfer(call, iovs, iovs_len, nwritten, true, write_now);
    if (answer.error != Errno::Again) return answer;
    auto ready = call.wasi.await(*d.value, true);
    if (!ready) break;
    if (*ready != Errno::Success) return *ready;
  }
  return Answer::wait();
}

Answer fd_prestat_get(Call& call, uint32_t fd, uint32_t result) {
  auto d = descriptor(call, fd, 0);
  if (!d.ok() || d.value->kind != DescriptorKind::Preopen) return Errno::Badf;
  using L = layout::Prestat;
  if (!call.memory.has(result, L::size)) return Errno::Fault;
  constexpr uint32_t kDirectory = 0;  // witx: preopentype
  call.memory.store<uint32_t>(result + L::tag, kDirectory);
  call.memory.store<uint32_t>(result + L::name_len,
                              static_cast<uint32_t>(call.wasi.roots[d.value->root].guest_name.size()));
  return Errno::Success;
}

Answer fd_prestat_dir_name(Call& call, uint32_t fd, uint32_t path, uint32_t path_len) {
  auto d = descriptor(call, fd, 0);
  if (!d.ok() || d.value->kind != DescriptorKind::Preopen) return Errno::Badf;
  const std::string& name = call.wasi.roots[d.value->root].guest_name;
  if (path_len < name.size()) return Errno::Nametoolong;
  if (!call.memory.has(path, name.size())) return Errno::Fault;
  call.memory.store_text(path, name);
  return Errno::Success;
}

Answer fd_renumber(Call& call, uint32_t from, uint32_t to) {
  auto& table = call.wasi.table;
  if (table.find(from) == nullptr || table.find(to) == nullptr) return Errno::Badf;
  if (from == to) return Errno::Success;
  call.wasi.close(table.take(to));
  table.put(to, table.take(from));
  return Errno::Success;
}

Answer fd_seek(Call& call, uint32_t fd, uint64_t offset, uint32_t whence, uint32_t newoffset) {
  if (whence > 2) return Errno::Inval;
  return seek(call, fd, static_cast<int64_t>(offset), static_cast<Whence>(whence), newoffset);
}

Answer unstable_fd_seek(Call& call, uint32_t fd, uint64_t offset, uint32_t whence, uint32_t newoffset) {
  static constexpr std::array<Whence, 3> kWhence = {Whence::Cur, Whence::End, Whence::Set};
  if (whence > 2) return Errno::Inval;
  return seek(call, fd, static_cast<int64_t>(offset), kWhence[whence], newoffset);
}

Answer fd_tell(Call& call, uint32_t fd, uint32_t offset) { return seek(call, fd, 0, Whence::Cur, offset); }

}  // namespace chiwawa::wasi::preview1
