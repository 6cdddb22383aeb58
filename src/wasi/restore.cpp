// Wasi::restore: from records that strangers may have written to open descriptors. First everything is checked as
// text and numbers; then everything is opened, nothing created or changed. All problems are told at once.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "interp/utf8.hpp"
#include "wasi/wasi_impl.hpp"

namespace chiwawa::wasi {
namespace {

/// Collects what is wrong, one line each.
struct Problems {
  std::string text;
  size_t count = 0;

  void add(const std::string& what) {
    constexpr size_t kMaxReported = 50;
    if (++count <= kMaxReported) text += (text.empty() ? "" : "\n") + what;
    if (count == kMaxReported + 1) text += "\n... and more";
  }
};

std::string title(const DescriptorRecord& record) { return "descriptor " + std::to_string(record.number) + ": "; }

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return out + "\"";
}

/// Why `path` cannot be one that save() wrote; empty if it can.
std::string_view path_problem(const std::string& path) {
  if (path.empty()) return "had no name any more when it was saved (removed or replaced while open)";
  if (path.size() > 4 * kMaxPath) return "has a path that is too long";
  if (path.find('\0') != std::string::npos || !is_utf8({reinterpret_cast<const uint8_t*>(path.data()), path.size()}))
    return "has a path that is not text";
  if (path[0] == '/') return "has an absolute path";
  for (size_t at = 0; at <= path.size();) {
    size_t end = std::min(path.find('/', at), path.size());
    std::string_view name(path.data() + at, end - at);
    if (name == ".." || name.empty() || (name == "." && path != ".")) return "has a path that is not plain";
    at = end + 1;
  }
  return {};
}

/// Text and numbers only.
void check(const Context& wasi, const State& state, Problems& problems) {
  for (const auto* strings : {&state.args, &state.environ}) {
    uint64_t size = 0;
    for (const auto& s : *strings) {
      if (s.find('\0') != std::string::npos) problems.add("an argument or environment variable has a zero byte in it");
      size += s.size() + 1 + 4;
    }
    if (size > UINT32_MAX) problems.add("the arguments or environment variables are too long");
  }
  std::set<DescriptorKind> streams;
  std::set<std::string_view> preopens;
  uint64_t next = 0;
  for (const auto& record : state.descriptors) {
    auto add = [&](std::string_view what) { problems.add(title(record) + std::string(what)); };
    if (record.number < next) add("is listed twice, or out of order");
    if (record.number >= kMaxDescriptors) add("has too large a number");
    next = uint64_t{record.number} + 1;
    if ((record.rights_base & ~right::All) != 0 || (record.rights_inheriting & ~right::All) != 0) {
      add("has rights that do not exist");
    }
    if ((record.fdflags & ~fdflag::All) != 0) add("has flags that do not exist");
    switch (record.kind) {
      case DescriptorKind::Stdin:
      case DescriptorKind::Stdout:
      case DescriptorKind::Stderr:
        if (!streams.insert(record.kind).second) add("is a standard stream that another one is already");
        continue;
      case DescriptorKind::Preopen:
        if (!preopens.insert(record.preopen).second) add("is a preopen that another one is already");
        break;
      case DescriptorKind::Directory:
      case DescriptorKind::File:
        if (auto what = path_problem(record.path); !what.empty()) add(what);
        break;
      default: add("is of a kind that does not exist"); continue;
    }
    if (record.offset > static_cast<uint64_t>(INT64_MAX)) add("has an offset that is too large");
    if (!wasi.find_root(record.preopen)) {
      add("no directory is given as " + quoted(record.preopen) + " (give one with --dir HOST::" + record.preopen + ")");
    }
  }
}

/// Opens a Directory or File. Adds to `problems` and returns nothing if that is not possible.
std::optional<Descriptor> reopen(Context& wasi, const DescriptorRecord& record, Problems& problems) {
  RootIndex root = *wasi.find_root(record.preopen);
  std::string name = quoted(record.path) + " in " + quoted(record.preopen);
  auto fail = [&](const std::string& what) {
    problems.add(title(record) + name + " " + what);
    return std::nullopt;
  };
  bool directory = record.kind == DescriptorKind::Directory;
  OpenOptions options;
  options.read = directory || (record.rights_base & right::FdRead) != 0;
  options.write = !directory && (record.rights_base & right::FdWrite) != 0;
  options.directory = directory;
  options.follow = true;
  options.fdflags = record.fdflags;
  if (options.write && wasi.roots[root].read_only) return fail("was open for writing, but is read-only now");
  // Looked at before it is opened: opening a device can have an effect.
  auto named = wasi.os->stat_at(wasi.roots[root].handle, record.path, true);
  if (named.ok() && directory != (named.value.type == Filetype::Directory)) {
    return fail(directory ? "is not a directory" : "is not a file");
  }
  auto handle = named.ok() ? wasi.os->open(wasi.roots[root].handle, record.path, options) : Sys<Handle>(named.error);
  if (!handle.ok()) {
    if (handle.error == Errno::Noent) return fail("does not exist any more");
    return fail("cannot be opened: " + explain(handle.error));
  }
  Descriptor d;
  d.kind = record.kind;
  d.handle = handle.value;
  d.fdflags = record.fdflags;
  d.rights_base = record.rights_base & (directory ? right::Directory : right::File);
  d.rights_inheriting = record.rights_inheriting;
  d.root = root;
  d.path = record.path;
  auto refuse = [&](const std::string& what) {
    wasi.close(d);
    return fail(what);
  };
  auto stat = wasi.os->stat(d.handle);
  if (!stat.ok() || directory != (stat.value.type == Filetype::Directory)) return refuse("has been replaced");
  d.type = stat.value.type;
  d.can_block = !directory && d.type != Filetype::RegularFile;
  if (d.type == Filetype::RegularFile) {
    // Behind the end is fine if it was so when saved.
    if (record.offset > stat.value.size && record.offset <= record.size) {
      return refuse("has become too short: the guest is at byte " + std::to_string(record.offset) + " of " +
                    std::to_string(record.size) + ", it has " + std::to_string(stat.value.size));
    }
    auto position = wasi.os->seek(d.handle, static_cast<int64_t>(record.offset), Whence::Set);
    if (!position.ok()) return refuse("cannot be positioned");
  } else if (record.offset != 0) {
    return refuse("is not a regular file any more");
  }
  return d;
}

}  // namespace

Result<std::unique_ptr<Wasi>> Wasi::restore(Config config, const State& state) {
  auto impl = std::make_unique<Impl>(std::move(config), system_host());
  CHIWAWA_TRY(impl->open_roots());
  Problems problems;
  check(*impl, state, problems);
  if (problems.count > 0) return Error{Phase::Snapshot, problems.text};

  std::map<FileId, FileId> host_to_guest;
  std::set<FileId> guests;
  for (const auto& record : state.descriptors) {
    Descriptor d;
    if (record.kind <= DescriptorKind::Stderr) {
      d = impl->stdio(record.kind);
      d.rights_base &= record.rights_base;
      d.fdflags = record.fdflags;
    } else if (record.kind == DescriptorKind::Preopen) {
      d = impl->preopen(*impl->find_root(record.preopen));
      d.rights_base &= record.rights_base;
      d.rights_inheriting &= record.rights_inheriting;
      d.fdflags = record.fdflags;
    } else if (auto reopened = reopen(*impl, record, problems)) {
      d = std::move(*reopened);
      FileId guest{record.device, record.inode};
      auto stat = impl->os->stat(d.handle);
      if (guest != FileId{} && stat.ok() && guests.insert(guest).second) {
        host_to_guest.try_emplace({stat.value.dev, stat.value.ino}, guest);
      }
    } else {
      continue;
    }
    impl->table.put(record.number, std::move(d));
  }
  if (problems.count > 0) return Error{Phase::Snapshot, problems.text};

  impl->keep_ids(std::move(host_to_guest));
  impl->config.args = state.args;
  impl->config.environ = state.environ;
  impl->start_clocks(state.monotonic);
  if (state.sleep) impl->waiting = Waiting{state.monotonic - state.sleep->elapsed, {}};
  return std::unique_ptr<Wasi>(new Wasi(std::move(impl)));
}

}  // namespace chiwawa::wasi
