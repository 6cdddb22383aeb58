#include "wasi/context.hpp"

#include <algorithm>
#include <utility>

namespace chiwawa::wasi {

std::string explain(Errno error) {
  switch (error) {
    case Errno::Acces: return "permission denied";
    case Errno::Addrinuse: return "the address is in use";
    case Errno::Addrnotavail: return "the address is not one of this host";
    case Errno::Badf: return "it is not open";
    case Errno::Isdir: return "it is a directory";
    case Errno::Loop: return "too many symbolic links";
    case Errno::Mfile:
    case Errno::Nfile: return "too many open files";
    case Errno::Noent: return "no such file or directory";
    case Errno::Notcapable: return "it leads out of its directory";
    case Errno::Notdir: return "not a directory";
    case Errno::Notsock: return "it is no listening socket";
    case Errno::Notsup: return "this host cannot do it";
    case Errno::Perm: return "operation not permitted";
    case Errno::Rofs: return "read-only file system";
    default: return "WASI errno " + std::to_string(static_cast<int>(error));
  }
}

Context::~Context() {
  for (uint32_t number = 0; number < table.end(); ++number) {
    if (Descriptor* d = table.find(number)) close(*d);
  }
  for (const Root& root : roots) os->close(root.handle);
  for (const OpenListener& listener : listeners) {
    if (listener.handle != kNoHandle) os->close(listener.handle);
  }
}

Result<void> Context::open_roots() {
  for (const Preopen& given : config.preopens) {
    if (find_root(given.guest_name)) {
      return Error{Phase::Io, "two directories are given as \"" + given.guest_name + "\""};
    }
    if (given.guest_name.find('\0') != std::string::npos || given.host_path.find('\0') != std::string::npos) {
      return Error{Phase::Io, "a directory's name has a zero byte in it"};
    }
    auto handle = os->open_root(given.host_path);
    if (!handle.ok()) {
      return Error{Phase::Io, "cannot open the directory " + given.host_path + ": " + explain(handle.error)};
    }
    roots.push_back({given.guest_name, handle.value, given.read_only});
  }
  return {};
}

Result<void> Context::open_listeners() {
  for (const Listener& given : config.listeners) {
    const bool inherited = given.inherited >= 0;
    auto handle = inherited ? os->inherited_listener(given.inherited) : os->listen(given.address);
    if (!handle.ok()) {
      return Error{Phase::Io, (inherited ? "cannot listen on descriptor " + std::to_string(given.inherited)
                                         : "cannot listen on " + given.address) +
                                  ": " + explain(handle.error)};
    }
    listeners.push_back({os->listening_on(handle.value), handle.value});
  }
  return {};
}

Descriptor Context::listener(uint32_t index) {
  Descriptor d;
  d.kind = DescriptorKind::Listener;
  d.type = Filetype::SocketStream;
  d.handle = std::exchange(listeners[index].handle, kNoHandle);
  d.can_block = true;
  d.rights_base = right::Listener;
  d.rights_inheriting = right::Connection;
  d.listener = index;
  return d;
}

std::optional<RootIndex> Context::find_root(std::string_view guest_name) const {
  for (size_t i = 0; i < roots.size(); ++i) {
    if (roots[i].guest_name == guest_name) return static_cast<RootIndex>(i);
  }
  return std::nullopt;
}

Descriptor Context::stdio(DescriptorKind kind) {
  Descriptor d;
  d.kind = kind;
  const bool elsewhere = kind == DescriptorKind::Stdout && config.stdout_to_stderr;
  d.handle = os->standard_stream(static_cast<int>(elsewhere ? DescriptorKind::Stderr : kind));
  // A file or a pipe on a standard stream is the same to the guest: nobody could restore the file's position.
  d.type = os->is_terminal(d.handle) ? Filetype::CharacterDevice : Filetype::Unknown;
  auto stat = os->stat(d.handle);
  d.can_block = !stat.ok() || stat.value.type != Filetype::RegularFile;
  d.rights_base = right::Stream & ~(kind == DescriptorKind::Stdin ? right::FdWrite : right::FdRead);
  return d;
}

Descriptor Context::preopen(RootIndex root) const {
  Descriptor d;
  d.kind = DescriptorKind::Preopen;
  d.type = Filetype::Directory;
  d.handle = roots[root].handle;
  d.rights_base = right::Directory;
  d.rights_inheriting = right::Directory | right::File;
  d.root = root;
  d.path = ".";
  return d;
}

void Context::close(const Descriptor& descriptor) {
  // Standard streams are the process's, preopens the root's.
  const bool owns = descriptor.kind >= DescriptorKind::Directory;
  if (owns && descriptor.handle != kNoHandle) {
    os->close(descriptor.handle);
  }
}

std::optional<Errno> Context::await(const Descriptor& descriptor, bool write) {
  bool nonblock = (descriptor.fdflags & fdflag::Nonblock) != 0;
  if (config.slice == 0 && !nonblock) return Errno::Success;  // the transfer itself waits
  PollItem item;
  item.handle = descriptor.handle;
  item.write = write;
  os->poll({&item, 1}, nonblock ? 0 : config.slice);
  if (item.ready) return Errno::Success;
  if (nonblock) return Errno::Again;
  return std::nullopt;
}

std::optional<Errno> Context::await_socket(const Descriptor& socket, bool write) {
  const bool nonblock = (socket.fdflags & fdflag::Nonblock) != 0;
  PollItem item;
  item.handle = socket.handle;
  item.write = write;
  os->poll({&item, 1}, nonblock ? 0 : config.slice == 0 ? kForever : config.slice);
  if (item.ready) return Errno::Success;
  if (nonblock) return Errno::Again;
  return std::nullopt;
}

std::string Context::path_beneath(const Descriptor& dir, std::string_view path) {
  if (dir.path.empty()) return {};
  std::vector<std::string> names;     // the result, component by component
  std::string rest = dir.path + "/";  // what is still to be read
  rest += path;
  int links = 0;
  for (size_t at = 0; at < rest.size();) {
    size_t end = std::min(rest.find('/', at), rest.size());
    std::string name = rest.substr(at, end - at);
    at = end + 1;
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      names.push_back(std::move(name));
      continue;
    }
    if (names.empty()) return {};
    // The parent of what a symbolic link names is not the directory that the link is in.
    std::string so_far;
    for (const auto& n : names) so_far += (so_far.empty() ? "" : "/") + n;
    char target[kMaxPath];
    auto link = os->read_link(roots[dir.root].handle, so_far, {reinterpret_cast<uint8_t*>(target), sizeof target});
    names.pop_back();
    if (link.ok()) {
      if (++links > 40 || link.value == sizeof target) return {};
      std::string tail = at < rest.size() ? rest.substr(at) : std::string();
      rest = std::string(target, link.value) + "/../" + tail;
      at = 0;
    }
  }
  std::string result;
  for (const auto& n : names) result += (result.empty() ? "" : "/") + n;
  return result.empty() ? "." : result;
}

uint64_t Context::monotonic() {
  if (deterministic) return deterministic->clock;
  auto now = os->clock_time(ClockId::Monotonic);
  return clock_start_ + (now.ok() && now.value > host_monotonic_ ? now.value - host_monotonic_ : 0);
}

Sys<uint64_t> Context::time(ClockId clock) {
  if (deterministic) return deterministic->clock + (clock == ClockId::Realtime ? Deterministic::kEpoch : 0);
  switch (clock) {
    case ClockId::Realtime: return os->clock_time(clock);
    case ClockId::Monotonic: return monotonic();
    case ClockId::ProcessCputime:
    case ClockId::ThreadCputime: {
      auto now = os->clock_time(clock);
      if (!now.ok()) return now;
      uint64_t start = host_cputime_[clock == ClockId::ProcessCputime ? 0 : 1];
      return clock_start_ + (now.value > start ? now.value - start : 0);
    }
  }
  return Errno::Inval;
}

void Context::sleep(uint64_t nanoseconds) {
  if (deterministic) {
    deterministic->clock += nanoseconds;
  } else {
    os->poll({}, config.slice == 0 ? nanoseconds : std::min(nanoseconds, config.slice));
  }
}

void Context::start_clocks(uint64_t start) {
  // The guest cannot have used more CPU time than time has passed, so its CPU clocks may go on from there, too.
  clock_start_ = start;
  host_monotonic_ = os->clock_time(ClockId::Monotonic).value;
  host_cputime_ = {os->clock_time(ClockId::ProcessCputime).value, os->clock_time(ClockId::ThreadCputime).value};
}

FileId Context::guest_id(uint64_t dev, uint64_t ino) const {
  if (kept_ids_.empty()) return {dev, ino};
  auto found = kept_ids_.find({dev, ino});
  return found == kept_ids_.end() ? FileId{dev, ino} : found->second;
}

Stat Context::guest_stat(Stat stat) const {
  auto [dev, ino] = guest_id(stat.dev, stat.ino);
  stat.dev = dev;
  stat.ino = ino;
  return stat;
}

void Context::keep_ids(std::map<FileId, FileId> host_to_guest) {
  std::map<FileId, FileId> guest_to_host;
  for (const auto& [host, guest] : host_to_guest) guest_to_host[guest] = host;
  kept_ids_ = std::move(host_to_guest);
  // Another file of this host may have an identity that is given away: it gets the one that became free for it.
  for (const auto& [guest, host] : guest_to_host) {
    if (kept_ids_.contains(guest)) continue;
    FileId free = host;
    for (auto next = guest_to_host.find(free); next != guest_to_host.end(); next = guest_to_host.find(free)) {
      free = next->second;
    }
    kept_ids_[guest] = free;
  }
}

}  // namespace chiwawa::wasi
