#include "wasi/host_os_memory.hpp"

#include <algorithm>

namespace chiwawa::wasi {
namespace {

constexpr int kMaxLinks = 40;
constexpr size_t kMaxFileSize = size_t{1} << 30;
constexpr Handle kFirstHandle = 3;

}  // namespace

struct MemoryHost::Node {
  Filetype type = Filetype::RegularFile;
  uint64_t ino = 0;
  uint64_t nlink = 1;
  std::string content;                     // file; symbolic link: its target
  std::map<std::string, NodePtr> entries;  // directory
  uint64_t atim = 0, mtim = 0, ctim = 0;

  bool is_directory() const { return type == Filetype::Directory; }
};

MemoryHost::MemoryHost() { root_ = make(Filetype::Directory); }
MemoryHost::~MemoryHost() = default;

MemoryHost::NodePtr MemoryHost::make(Filetype type) {
  auto node = std::make_shared<Node>();
  node->type = type;
  node->ino = next_ino_++;
  node->atim = node->mtim = node->ctim = realtime;
  return node;
}

void MemoryHost::touch(Node& node) { node.mtim = node.ctim = realtime; }

void MemoryHost::pass(uint64_t nanoseconds) {
  realtime += nanoseconds;
  monotonic += nanoseconds;
}

// --- For tests ---

MemoryHost::NodePtr MemoryHost::walk(std::string_view path) const {
  NodePtr node = root_;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    if (end > at) {
      auto found = node->entries.find(std::string(path.substr(at, end - at)));
      if (found == node->entries.end()) return nullptr;
      node = found->second;
    }
    at = end + 1;
  }
  return node;
}

void MemoryHost::write_file(std::string_view path, std::string_view content) {
  NodePtr node = root_;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    if (end > at) {
      NodePtr& entry = node->entries[std::string(path.substr(at, end - at))];
      if (entry == nullptr) entry = make(end == path.size() ? Filetype::RegularFile : Filetype::Directory);
      node = entry;
    }
    at = end + 1;
  }
  node->content = content;
  touch(*node);
}

std::string MemoryHost::read_file(std::string_view path) const {
  NodePtr node = walk(path);
  return node != nullptr ? node->content : std::string();
}

bool MemoryHost::exists(std::string_view path) const { return walk(path) != nullptr; }

std::vector<std::string> MemoryHost::list_all() const {
  std::vector<std::string> all;
  std::vector<std::pair<std::string, NodePtr>> open = {{"/", root_}};
  while (!open.empty()) {
    auto [prefix, dir] = std::move(open.back());
    open.pop_back();
    for (const auto& [name, node] : dir->entries) {
      std::string path = prefix + name;
      if (node->is_directory()) open.emplace_back(path + "/", node);
      all.push_back(path + (node->is_directory()                   ? "/"
                            : node->type == Filetype::SymbolicLink ? " -> " + node->content
                                                                   : ""));
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

// --- Handles ---

Handle MemoryHost::add(Open open) {
  Handle handle = kFirstHandle;
  while (open_.contains(handle)) ++handle;
  open_.emplace(handle, std::move(open));
  return handle;
}

Sys<MemoryHost::Open*> MemoryHost::opened(Handle handle) {
  auto found = open_.find(handle);
  if (found == open_.end()) return Errno::Badf;
  return &found->second;
}

Sys<MemoryHost::NodePtr> MemoryHost::node_of(Handle handle) {
  auto open = opened(handle);
  if (!open.ok()) return open.error;
  return open.value->node;
}

Sys<Handle> MemoryHost::open_root(const std::string& host_path) {
  NodePtr node = walk(host_path);
  if (node == nullptr) return Errno::Noent;
  if (!node->is_directory()) return Errno::Notdir;
  return add({node, 0, 0, true, false});
}

void MemoryHost::close(Handle handle) { open_.erase(handle); }

// --- Paths ---

Errno MemoryHost::find(Handle dir, std::string path, bool follow, Found& found) {
  auto start = opened(dir);
  if (!start.ok()) return start.error;
  if (!start.value->node->is_directory()) return Errno::Notdir;
  std::vector<NodePtr> above;  // the directories that lead to `here`
  NodePtr here = start.value->node;
  int links = 0;
  if (path[0] == '/') return Errno::Notcapable;
  found = {nullptr, "", here, false};
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, end - at);
    const size_t next = path.find_first_not_of('/', end);
    const bool last = next == std::string::npos;
    found.directory = last && end < path.size();
    at = last ? path.size() : next;
    if (name.size() > 255) return Errno::Nametoolong;
    if (name == "." || name == "..") {
      if (name == "..") {
        if (above.empty()) return Errno::Notcapable;
        here = above.back();
        above.pop_back();
      }
      found = {nullptr, "", here, found.directory};
      continue;
    }
    auto entry = here->entries.find(name);
    NodePtr node = entry == here->entries.end() ? nullptr : entry->second;
    found = {here, name, node, found.directory};
    if (node == nullptr) return last ? Errno::Success : Errno::Noent;
    if (node->type == Filetype::SymbolicLink && (!last || follow || found.directory)) {
      if (++links > kMaxLinks) return Errno::Loop;
      if (node->content[0] == '/') return Errno::Notcapable;
      path = node->content + (last ? (found.directory ? "/" : "") : "/" + path.substr(at));
      at = 0;
      continue;
    }
    if (last) break;
    if (!node->is_directory()) return Errno::Notdir;
    above.push_back(here);
    here = node;
  }
  if (found.directory && found.node != nullptr && !found.node->is_directory()) return Errno::Notdir;
  return Errno::Success;
}

/// Finds a name to make, remove or move.
Errno MemoryHost::find_entry(Handle dir, const std::string& path, Found& found) {
  // The slash at the end is only looked at: what is named is the entry itself.
  std::string name = path;
  bool slash = false;
  while (name.size() > 1 && name.ends_with('/')) {
    name.pop_back();
    slash = true;
  }
  if (Errno e = find(dir, name, false, found); e != Errno::Success) return e;
  if (found.name.empty()) return Errno::Inval;
  found.directory = slash;
  return Errno::Success;
}

Sys<Handle> MemoryHost::open(Handle dir, const std::string& path, const OpenOptions& options) {
  Found found;
  const bool follow = options.follow && !(options.create && options.exclusive);
  if (Errno e = find(dir, path, follow, found); e != Errno::Success) return e;
  if (found.node == nullptr) {
    if (!options.create) return Errno::Noent;
    if (found.directory) return Errno::Isdir;
    if (options.directory) return Errno::Inval;
    if (found.parent->nlink == 0) return Errno::Noent;
    found.node = make(Filetype::RegularFile);
    found.parent->entries[found.name] = found.node;
    touch(*found.parent);
  } else {
    if (options.create && options.exclusive) return Errno::Exist;
    if (found.node->type == Filetype::SymbolicLink) return Errno::Loop;
    if (options.directory && !found.node->is_directory()) return Errno::Notdir;
    if (found.node->is_directory() && (options.write || options.truncate || options.create)) return Errno::Isdir;
    if (options.truncate) {
      found.node->content.clear();
      touch(*found.node);
    }
  }
  return add({found.node, 0, options.fdflags, options.read || !options.write, options.write});
}

Sys<Handle> MemoryHost::reopen_for_reading(Handle handle) {
  auto node = node_of(handle);
  if (!node.ok()) return node.error;
  return add({node.value, 0, 0, true, false});
}

// --- Attributes ---

Stat MemoryHost::stat_of(const Node& node) const {
  Stat s;
  s.dev = 1;
  s.ino = node.ino;
  s.type = node.type;
  s.nlink = node.nlink;
  s.size = node.content.size();
  s.atim = node.atim;
  s.mtim = node.mtim;
  s.ctim = node.ctim;
  return s;
}

Sys<Stat> MemoryHost::stat(Handle handle) {
  if (handle >= 0 && handle < kFirstHandle) return Stat{};  // a pipe
  auto node = node_of(handle);
  if (!node.ok()) return node.error;
  return stat_of(*node.value);
}

Errno MemoryHost::set_times(Node& node, const Times& times) {
  auto set = [&](Times::Kind kind, uint64_t ns, uint64_t& time) {
    if (kind != Times::Kind::Keep) time = kind == Times::Kind::Now ? realtime : ns;
  };
  set(times.access, times.atim, node.atim);
  set(times.modification, times.mtim, node.mtim);
  node.ctim = realtime;
  return Errno::Success;
}

Errno MemoryHost::set_times(Handle handle, const Times& times) {
  auto node = node_of(handle);
  return node.ok() ? set_times(*node.value, times) : node.error;
}

Errno MemoryHost::set_size(Handle handle, uint64_t size) {
  auto open = opened(handle);
  if (!open.ok()) return open.error;
  if (!open.value->write) return Errno::Inval;
  if (size > kMaxFileSize) return Errno::Fbig;
  open.value->node->content.resize(static_cast<size_t>(size));
  touch(*open.value->node);
  return Errno::Success;
}

Errno MemoryHost::allocate(Handle handle, uint64_t offset, uint64_t length) {
  auto open = opened(handle);
  if (!open.ok()) return open.error;
  if (!open.value->write) return Errno::Badf;
  if (offset > kMaxFileSize || length > kMaxFileSize - offset) return Errno::Nospc;
  const auto size = static_cast<size_t>(offset + length);
  std::string& content = open.value->node->content;
  if (content.size() < size) content.resize(size);
  return Errno::Success;
}

Errno MemoryHost::advise(Handle handle, uint64_t, uint64_t, uint32_t) { return opened(handle).error; }

Errno MemoryHost::sync(Handle, bool) { return Errno::Success; }

Errno MemoryHost::set_flags(Handle handle, uint16_t fdflags) {
  if (handle >= 0 && handle < kFirstHandle) {
    stream_flags_[static_cast<size_t>(handle)] = fdflags;
    return Errno::Success;
  }
  auto open = opened(handle);
  if (open.ok()) open.value->fdflags = fdflags;
  return open.error;
}

// --- Bytes ---

Sys<uint64_t> MemoryHost::seek(Handle handle, int64_t offset, Whence whence) {
  auto open = opened(handle);
  if (!open.ok()) return handle < kFirstHandle ? Errno::Spipe : open.error;
  uint64_t base = 0;
  if (whence == Whence::Cur) base = open.value->position;
  if (whence == Whence::End) base = open.value->node->content.size();
  const uint64_t position = base + static_cast<uint64_t>(offset);
  if (position > static_cast<uint64_t>(INT64_MAX)) return Errno::Inval;
  open.value->position = position;
  return position;
}

Sys<size_t> MemoryHost::read_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) {
  auto open = opened(handle);
  if (!open.ok()) return open.error;
  if (!open.value->read) return Errno::Badf;
  if (open.value->node->is_directory()) return Errno::Isdir;
  const std::string& content = open.value->node->content;
  size_t moved = 0;
  for (const Buffer& buffer : buffers) {
    const uint64_t at = offset + moved;
    if (at >= content.size()) break;
    const size_t n = std::min(buffer.size, content.size() - static_cast<size_t>(at));
    std::copy_n(content.data() + static_cast<size_t>(at), n, reinterpret_cast<char*>(buffer.data));
    moved += n;
  }
  return moved;
}

Sys<size_t> MemoryHost::write_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) {
  auto open = opened(handle);
  if (!open.ok()) return open.error;
  if (!open.value->write) return Errno::Badf;
  std::string& content = open.value->node->content;
  size_t moved = 0;
  for (const Buffer& buffer : buffers) {
    if (buffer.size == 0) continue;
    const uint64_t at = offset + moved;
    if (at > kMaxFileSize || buffer.size > kMaxFileSize - at) return Errno::Fbig;
    const auto begin = static_cast<size_t>(at);
    if (content.size() < begin + buffer.size) content.resize(begin + buffer.size);
    std::copy_n(reinterpret_cast<const char*>(buffer.data), buffer.size, content.data() + begin);
    moved += buffer.size;
  }
  if (moved > 0) touch(*open.value->node);
  return moved;
}

Sys<size_t> MemoryHost::read(Handle handle, std::span<const Buffer> buffers) {
  if (handle != 0) {
    auto open = opened(handle);
    if (!open.ok()) return open.error;
    auto moved = read_at(handle, buffers, open.value->position);
    if (moved.ok()) open.value->position += moved.value;
    return moved;
  }
  if (input.empty() && input_open) return Errno::Again;
  size_t moved = 0;
  for (const Buffer& buffer : buffers) {
    const size_t n = std::min(buffer.size, input.size() - moved);
    std::copy_n(input.data() + moved, n, reinterpret_cast<char*>(buffer.data));
    moved += n;
  }
  input.erase(0, moved);
  return moved;
}

Sys<size_t> MemoryHost::write(Handle handle, std::span<const Buffer> buffers) {
  if (handle == 1 || handle == 2) {
    std::string& stream = handle == 1 ? output : errors;
    const size_t before = stream.size();
    for (const Buffer& buffer : buffers) stream.append(reinterpret_cast<const char*>(buffer.data), buffer.size);
    return stream.size() - before;
  }
  auto open = opened(handle);
  if (!open.ok()) return open.error;
  if (open.value->fdflags & fdflag::Append) open.value->position = open.value->node->content.size();
  auto moved = write_at(handle, buffers, open.value->position);
  if (moved.ok()) open.value->position += moved.value;
  return moved;
}

// --- Names ---

Sys<Stat> MemoryHost::stat_at(Handle dir, const std::string& path, bool follow) {
  Found found;
  if (Errno e = find(dir, path, follow, found); e != Errno::Success) return e;
  if (found.node == nullptr) return Errno::Noent;
  return stat_of(*found.node);
}

Errno MemoryHost::set_times_at(Handle dir, const std::string& path, bool follow, const Times& times) {
  Found found;
  if (Errno e = find(dir, path, follow, found); e != Errno::Success) return e;
  return found.node == nullptr ? Errno::Noent : set_times(*found.node, times);
}

Errno MemoryHost::create_directory(Handle dir, const std::string& path) {
  Found found;
  if (Errno e = find_entry(dir, path, found); e != Errno::Success) return e == Errno::Inval ? Errno::Exist : e;
  if (found.node != nullptr) return Errno::Exist;
  found.parent->entries[found.name] = make(Filetype::Directory);
  touch(*found.parent);
  return Errno::Success;
}

Errno MemoryHost::remove_directory(Handle dir, const std::string& path) {
  Found found;
  if (Errno e = find_entry(dir, path, found); e != Errno::Success) return e;
  if (found.node == nullptr) return Errno::Noent;
  if (!found.node->is_directory()) return Errno::Notdir;
  if (!found.node->entries.empty()) return Errno::Notempty;
  found.node->nlink = 0;
  found.parent->entries.erase(found.name);
  touch(*found.parent);
  return Errno::Success;
}

Errno MemoryHost::unlink_file(Handle dir, const std::string& path) {
  Found found;
  if (Errno e = find_entry(dir, path, found); e != Errno::Success) return e;
  if (found.node == nullptr) return Errno::Noent;
  if (found.node->is_directory()) return Errno::Isdir;
  if (found.directory) return Errno::Notdir;
  --found.node->nlink;
  found.parent->entries.erase(found.name);
  touch(*found.parent);
  return Errno::Success;
}

Errno MemoryHost::rename(Handle old_dir, const std::string& old_path, Handle new_dir, const std::string& new_path) {
  Found from, to;
  if (Errno e = find_entry(old_dir, old_path, from); e != Errno::Success) return e;
  if (Errno e = find_entry(new_dir, new_path, to); e != Errno::Success) return e;
  if (from.node == nullptr) return Errno::Noent;
  const bool directory = from.node->is_directory();
  if (!directory && (from.directory || to.directory)) return Errno::Notdir;
  if (directory) {  // not into itself
    std::vector<Node*> below = {from.node.get()};
    while (!below.empty()) {
      Node* node = below.back();
      below.pop_back();
      if (node == to.parent.get()) return Errno::Inval;
      for (const auto& [name, child] : node->entries) below.push_back(child.get());
    }
  }
  if (to.node == from.node) return Errno::Success;
  if (to.node != nullptr) {
    if (directory && !to.node->is_directory()) return Errno::Notdir;
    if (!directory && to.node->is_directory()) return Errno::Isdir;
    if (!to.node->entries.empty()) return Errno::Notempty;
    to.node->nlink -= 1;
  }
  from.parent->entries.erase(from.name);
  to.parent->entries[to.name] = from.node;
  touch(*from.parent);
  touch(*to.parent);
  return Errno::Success;
}

Errno MemoryHost::link(Handle old_dir, const std::string& old_path, bool follow, Handle new_dir,
                       const std::string& new_path) {
  Found from, to;
  if (Errno e = find(old_dir, old_path, follow, from); e != Errno::Success) return e;
  if (Errno e = find_entry(new_dir, new_path, to); e != Errno::Success) return e;
  if (from.node == nullptr) return Errno::Noent;
  if (from.node->is_directory()) return Errno::Perm;
  if (to.node != nullptr) return Errno::Exist;
  if (to.directory) return Errno::Noent;
  ++from.node->nlink;
  to.parent->entries[to.name] = from.node;
  touch(*to.parent);
  return Errno::Success;
}

Errno MemoryHost::symlink(const std::string& target, Handle dir, const std::string& path) {
  if (target[0] == '/') return Errno::Notcapable;
  Found found;
  if (Errno e = find_entry(dir, path, found); e != Errno::Success) return e;
  if (found.node != nullptr) return Errno::Exist;
  if (found.directory) return Errno::Noent;
  NodePtr node = make(Filetype::SymbolicLink);
  node->content = target;
  found.parent->entries[found.name] = node;
  touch(*found.parent);
  return Errno::Success;
}

Sys<size_t> MemoryHost::read_link(Handle dir, const std::string& path, Buffer buffer) {
  Found found;
  if (Errno e = find(dir, path, false, found); e != Errno::Success) return e;
  if (found.node == nullptr) return Errno::Noent;
  if (found.node->type != Filetype::SymbolicLink) return Errno::Inval;
  const size_t n = std::min(buffer.size, found.node->content.size());
  std::copy_n(found.node->content.data(), n, reinterpret_cast<char*>(buffer.data));
  return n;
}

Errno MemoryHost::list(Handle dir, std::vector<DirEntry>& entries) {
  auto node = node_of(dir);
  if (!node.ok()) return node.error;
  if (!node.value->is_directory()) return Errno::Notdir;
  for (const auto& [name, child] : node.value->entries) entries.push_back({name, child->ino, child->type});
  return Errno::Success;
}

// --- Time and chance ---

void MemoryHost::poll(std::span<PollItem> items, uint64_t timeout) {
  bool any = false;
  for (PollItem& item : items) {
    const bool waits = item.handle == 0 && !item.write && input.empty() && input_open;
    item.ready = !waits;
    item.hangup = item.handle == 0 && input.empty() && !input_open;
    item.bytes = item.handle == 0 ? input.size() : 1;
    any = any || item.ready;
  }
  if (!any && timeout != kForever) pass(timeout);
}

Sys<uint64_t> MemoryHost::clock_time(ClockId clock) {
  pass(1);
  return clock == ClockId::Realtime ? realtime : monotonic;
}

Errno MemoryHost::random(Buffer buffer) {
  for (size_t i = 0; i < buffer.size; ++i) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    buffer.data[i] = static_cast<uint8_t>(seed >> 32);
  }
  return Errno::Success;
}

}  // namespace chiwawa::wasi
