// path_*: everything that names a file by a path beneath an open directory.
#include <algorithm>
#include <string>
#include <string_view>

#include "interp/utf8.hpp"
#include "wasi/functions.hpp"

namespace chiwawa::wasi::preview1 {
namespace {

/// Reads a path (or a link's target) from guest memory.
Errno load_text(GuestMemory memory, uint32_t address, uint32_t length, std::string& text) {
  if (!memory.has(address, length)) return Errno::Fault;
  if (length == 0) return Errno::Noent;
  if (length > kMaxPath) return Errno::Nametoolong;
  text.assign(reinterpret_cast<const char*>(memory.at(address)), length);
  if (text.find('\0') != std::string::npos) return Errno::Inval;
  if (!is_utf8({memory.at(address), length})) return Errno::Ilseq;
  return Errno::Success;
}

/// A directory and a path beneath it, as most functions take them.
struct Location {
  Descriptor* dir = nullptr;
  std::string path;
  Errno error = Errno::Success;

  Location(Call& call, uint32_t fd, uint64_t rights, uint32_t address, uint32_t length) {
    auto d = directory_descriptor(call, fd, rights);
    error = d.ok() ? load_text(call.memory, address, length, path) : d.error;
    dir = d.value;
  }
  bool ok() const { return error == Errno::Success; }
  bool read_only(Call& call) const { return call.wasi.read_only(*dir); }
};

/// A location whose entry is to be made, changed or removed.
struct WritableLocation : Location {
  WritableLocation(Call& call, uint32_t fd, uint64_t rights, uint32_t address, uint32_t length)
      : Location(call, fd, rights, address, length) {
    if (ok() && read_only(call)) error = Errno::Rofs;
  }
};

template <typename L>
Answer filestat_get(Call& call, uint32_t fd, uint32_t flags, uint32_t path, uint32_t path_len, uint32_t result) {
  Location at(call, fd, right::PathFilestatGet, path, path_len);
  if (!at.ok()) return at.error;
  if ((flags & ~lookupflag::All) != 0) return Errno::Inval;
  if (!call.memory.has(result, L::size)) return Errno::Fault;
  auto stat = call.wasi.os->stat_at(at.dir->handle, at.path, (flags & lookupflag::SymlinkFollow) != 0);
  if (!stat.ok()) return stat.error;
  store_filestat<L>(call.memory, result, call.wasi.guest_stat(stat.value));
  return Errno::Success;
}

/// Changes a name as the rename did.
void rename(RootIndex& root, std::string& path, const Name& from, const Name& to) {
  if (root != from.root || (path != from.path && !path.starts_with(from.path + "/"))) return;
  path = to.path.empty() ? "" : to.path + path.substr(from.path.size());
  root = to.root;
}

/// What is open keeps its file when the guest gives that another name: the name it is saved by changes with it.
void follow_rename(Context& wasi, const Name& from, const Name& to) {
  if (from.path.empty() || (from.root == to.root && from.path == to.path)) return;
  for (uint32_t number = 0; number < wasi.table.end(); ++number) {
    Descriptor* d = wasi.table.find(number);
    if (d == nullptr || (d->kind != DescriptorKind::File && d->kind != DescriptorKind::Directory)) continue;
    rename(d->root, d->path, from, to);
    for (Name& link : d->links) rename(link.root, link.path, from, to);
  }
}

/// The file has a second name, in case the guest removes the first.
void follow_link(Context& wasi, const Name& from, const Name& to) {
  for (uint32_t number = 0; number < wasi.table.end(); ++number) {
    Descriptor* d = wasi.table.find(number);
    if (d == nullptr || d->kind != DescriptorKind::File || to.path.empty()) continue;
    const bool is_it = (d->root == from.root && d->path == from.path) ||
                       std::any_of(d->links.begin(), d->links.end(),
                                   [&](const Name& link) { return link.root == from.root && link.path == from.path; });
    if (is_it) d->links.push_back(to);
  }
}

}  // namespace

Answer path_create_directory(Call& call, uint32_t fd, uint32_t path, uint32_t path_len) {
  WritableLocation at(call, fd, right::PathCreateDirectory, path, path_len);
  if (!at.ok()) return at.error;
  return call.wasi.os->create_directory(at.dir->handle, at.path);
}

Answer path_filestat_get(Call& call, uint32_t fd, uint32_t flags, uint32_t path, uint32_t path_len, uint32_t result) {
  return filestat_get<layout::Filestat>(call, fd, flags, path, path_len, result);
}

Answer unstable_path_filestat_get(Call& call, uint32_t fd, uint32_t flags, uint32_t path, uint32_t path_len,
                                  uint32_t result) {
  return filestat_get<layout::UnstableFilestat>(call, fd, flags, path, path_len, result);
}

Answer path_filestat_set_times(Call& call, uint32_t fd, uint32_t flags, uint32_t path, uint32_t path_len, uint64_t atim,
                               uint64_t mtim, uint32_t fst_flags) {
  WritableLocation at(call, fd, right::PathFilestatSetTimes, path, path_len);
  if (!at.ok()) return at.error;
  if ((flags & ~lookupflag::All) != 0) return Errno::Inval;
  auto times = times_of(atim, mtim, fst_flags);
  if (!times.ok()) return times.error;
  return call.wasi.os->set_times_at(at.dir->handle, at.path, (flags & lookupflag::SymlinkFollow) != 0, times.value);
}

Answer path_link(Call& call, uint32_t old_fd, uint32_t old_flags, uint32_t old_path, uint32_t old_path_len,
                 uint32_t new_fd, uint32_t new_path, uint32_t new_path_len) {
  // A link to a file of a read-only directory would be a way to write it.
  WritableLocation from(call, old_fd, right::PathLinkSource, old_path, old_path_len);
  if (!from.ok()) return from.error;
  WritableLocation to(call, new_fd, right::PathLinkTarget, new_path, new_path_len);
  if (!to.ok()) return to.error;
  if ((old_flags & ~lookupflag::All) != 0) return Errno::Inval;
  const bool follow = (old_flags & lookupflag::SymlinkFollow) != 0;
  Errno e = call.wasi.os->link(from.dir->handle, from.path, follow, to.dir->handle, to.path);
  if (e == Errno::Success) {
    follow_link(call.wasi, {from.dir->root, call.wasi.path_beneath(*from.dir, from.path)},
                {to.dir->root, call.wasi.path_beneath(*to.dir, to.path)});
  }
  return e;
}

Answer path_open(Call& call, uint32_t fd, uint32_t dirflags, uint32_t path, uint32_t path_len, uint32_t oflags,
                 uint64_t rights_base, uint64_t rights_inheriting, uint32_t fdflags, uint32_t opened_fd) {
  uint64_t needed = right::PathOpen;
  if (oflags & oflag::Creat) needed |= right::PathCreateFile;
  if (oflags & oflag::Trunc) needed |= right::PathFilestatSetSize;
  Location at(call, fd, needed, path, path_len);
  if (!at.ok()) return at.error;
  if ((dirflags & ~lookupflag::All) != 0 || (oflags & ~oflag::All) != 0 || (fdflags & ~uint32_t{fdflag::All}) != 0) {
    return Errno::Inval;
  }
  if ((oflags & oflag::Creat) && (oflags & oflag::Directory)) return Errno::Inval;
  if (!call.memory.has(opened_fd, 4)) return Errno::Fault;

  // Rights that nobody knows apply to no file; some programs ask for all 64.
  rights_base &= right::All;
  rights_inheriting &= right::All;
  uint64_t inherited = rights_base | rights_inheriting;
  if (fdflags & fdflag::Dsync) inherited |= right::FdDatasync;
  if (fdflags & (fdflag::Rsync | fdflag::Sync)) inherited |= right::FdSync;
  if ((inherited & ~at.dir->rights_inheriting & (right::File | right::Directory)) != 0) return Errno::Notcapable;

  OpenOptions options;
  options.read = (rights_base & (right::FdRead | right::FdReaddir)) != 0;
  options.write = (rights_base & right::FdWrite) != 0;
  options.create = (oflags & oflag::Creat) != 0;
  options.exclusive = (oflags & oflag::Excl) != 0;
  options.truncate = (oflags & oflag::Trunc) != 0;
  options.directory = (oflags & oflag::Directory) != 0;
  options.follow = (dirflags & lookupflag::SymlinkFollow) != 0;
  options.fdflags = static_cast<uint16_t>(fdflags);
  if (options.directory && options.write) return Errno::Isdir;
  if (at.read_only(call)) {
    if (options.write || options.truncate) return Errno::Rofs;
    if (options.create) {  // allowed as long as there is nothing to create
      if (options.exclusive) return Errno::Rofs;
      options.create = false;
    }
  }

  auto handle = call.wasi.os->open(at.dir->handle, at.path, options);
  if (!handle.ok()) {
    bool would_create = (oflags & oflag::Creat) && !options.create && handle.error == Errno::Noent;
    return would_create ? Errno::Rofs : handle.error;
  }
  auto stat = call.wasi.os->stat(handle.value);
  if (!stat.ok()) {
    call.wasi.os->close(handle.value);
    return stat.error;
  }
  Descriptor d;
  bool is_directory = stat.value.type == Filetype::Directory;
  d.kind = is_directory ? DescriptorKind::Directory : DescriptorKind::File;
  d.type = stat.value.type;
  d.handle = handle.value;
  d.can_block = !is_directory && d.type != Filetype::RegularFile;
  d.fdflags = options.fdflags;
  d.rights_base = rights_base & (is_directory ? right::Directory : right::File);
  d.rights_inheriting = rights_inheriting;
  d.root = at.dir->root;
  d.path = call.wasi.path_beneath(*at.dir, at.path);
  auto number = call.wasi.table.add(std::move(d));
  if (!number.ok()) {
    call.wasi.os->close(handle.value);
    return number.error;
  }
  call.memory.store<uint32_t>(opened_fd, number.value);
  return Errno::Success;
}

Answer path_readlink(Call& call, uint32_t fd, uint32_t path, uint32_t path_len, uint32_t buf, uint32_t buf_len,
                     uint32_t bufused) {
  Location at(call, fd, right::PathReadlink, path, path_len);
  if (!at.ok()) return at.error;
  if (!call.memory.has(buf, buf_len) || !call.memory.has(bufused, 4)) return Errno::Fault;
  auto used = call.wasi.os->read_link(at.dir->handle, at.path, {call.memory.at(buf), buf_len});
  if (!used.ok()) return used.error;
  call.memory.store<uint32_t>(bufused, static_cast<uint32_t>(used.value));
  return Errno::Success;
}

Answer path_remove_directory(Call& call, uint32_t fd, uint32_t path, uint32_t path_len) {
  WritableLocation at(call, fd, right::PathRemoveDirectory, path, path_len);
  if (!at.ok()) return at.error;
  return call.wasi.os->remove_directory(at.dir->handle, at.path);
}

Answer path_rename(Call& call, uint32_t fd, uint32_t old_path, uint32_t old_path_len, uint32_t new_fd,
                   uint32_t new_path, uint32_t new_path_len) {
  WritableLocation from(call, fd, right::PathRenameSource, old_path, old_path_len);
  if (!from.ok()) return from.error;
  WritableLocation to(call, new_fd, right::PathRenameTarget, new_path, new_path_len);
  if (!to.ok()) return to.error;
  std::string old_name = call.wasi.path_beneath(*from.dir, from.path);
  std::string new_name = call.wasi.path_beneath(*to.dir, to.path);
  Errno e = call.wasi.os->rename(from.dir->handle, from.path, to.dir->handle, to.path);
  if (e == Errno::Success) follow_rename(call.wasi, {from.dir->root, old_name}, {to.dir->root, new_name});
  return e;
}

Answer path_symlink(Call& call, uint32_t old_path, uint32_t old_path_len, uint32_t fd, uint32_t new_path,
                    uint32_t new_path_len) {
  WritableLocation at(call, fd, right::PathSymlink, new_path, new_path_len);
  if (!at.ok()) return at.error;
  std::string target;
  if (Errno e = load_text(call.memory, old_path, old_path_len, target); e != Errno::Success) return e;
  return call.wasi.os->symlink(target, at.dir->handle, at.path);
}

Answer path_unlink_file(Call& call, uint32_t fd, uint32_t path, uint32_t path_len) {
  WritableLocation at(call, fd, right::PathUnlinkFile, path, path_len);
  if (!at.ok()) return at.error;
  return call.wasi.os->unlink_file(at.dir->handle, at.path);
}

}  // namespace chiwawa::wasi::preview1
