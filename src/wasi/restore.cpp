// Wasi::restore: from records that strangers may have written to open descriptors. Each is checked as text and numbers
// first, then opened, without creating or changing anything; every descriptor gets a verdict. Only when none is refused
// are removed files made again.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "interp/utf8.hpp"
#include "wasi/wasi_impl.hpp"

namespace chiwawa::wasi {
namespace {

bool is_refused(const Verdict& verdict) { return verdict.kind == Verdict::Kind::Refused; }

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return out + "\"";
}

/// Why `path` cannot be one that save() wrote; empty if it can.
std::string_view path_problem(const std::string& path) {
  if (path.empty()) return "had no name any more when it was saved, and its content was not saved";
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

std::string bytes(uint64_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

/// One restore, or the question what it would do.
class Restoration {
 public:
  Restoration(Context& wasi, const State& state, std::vector<Verdict>& verdicts)
      : wasi_(wasi), state_(state), verdicts_(verdicts) {}

  /// Gives the verdicts. With `apply`, and if nothing is refused, everything is in the table then.
  void run(bool apply);

 private:
  using Record = DescriptorRecord;
  using Kind = Verdict::Kind;

  void problem(std::string what) { verdicts_.push_back({Kind::Refused, std::nullopt, std::move(what)}); }
  void verdict(const Record& record, Kind kind, std::string text) {
    verdicts_.push_back({kind, record.number, std::move(text)});
  }
  std::string location(const Record& record) const { return quoted(record.path) + " in " + quoted(record.preopen); }

  void check_strings();
  /// Text and numbers only. Whether the record may be used.
  bool check(const Record& record);
  void put_stream(const Record& record);
  void put_preopen(const Record& record);
  void reopen(const Record& record);
  /// Whether a file that could be had is as it must be.
  void compare(const Record& record, const Stat& now);
  void put(const Record& record, Handle handle, const Stat& stat);
  static OpenOptions options_for(const Record& record);

  void announce_removed(const Record& record);
  bool restore_removed(uint32_t file);
  /// A new file, under a name of its own, in a directory where that is possible.
  struct Made {
    Handle handle = kNoHandle;
    RootIndex root = 0;
    std::string name;
  };
  Sys<Handle> make_file(RootIndex first, Made& made);
  Errno fill(Handle handle, const std::vector<uint8_t>& content);

  Context& wasi_;
  const State& state_;
  std::vector<Verdict>& verdicts_;
  std::set<DescriptorKind> streams_;
  std::set<std::string_view> preopens_;
  uint64_t next_number_ = 0;
  std::map<FileId, FileId> host_to_guest_;
  std::set<FileId> guests_;
};

void Restoration::check_strings() {
  for (const auto* strings : {&state_.args, &state_.environ}) {
    uint64_t size = 0;
    for (const auto& s : *strings) {
      if (s.find('\0') != std::string::npos) problem("an argument or environment variable has a zero byte in it");
      size += s.size() + 1 + 4;
    }
    if (size > UINT32_MAX) problem("the arguments or environment variables are too long");
  }
}

bool Restoration::check(const Record& record) {
  bool good = true;
  auto refuse = [&](std::string_view what) {
    good = false;
    verdict(record, Kind::Refused, std::string(what));
  };
  if (record.number < next_number_) refuse("is listed twice, or out of order");
  if (record.number >= kMaxDescriptors) refuse("has too large a number");
  next_number_ = std::max(next_number_, uint64_t{record.number} + 1);
  if ((record.rights_base & ~right::All) != 0 || (record.rights_inheriting & ~right::All) != 0) {
    refuse("has rights that do not exist");
  }
  if ((record.fdflags & ~fdflag::All) != 0) refuse("has flags that do not exist");
  if (record.removed_file && (record.kind != DescriptorKind::File || !record.path.empty() ||
                              *record.removed_file >= state_.removed_files.size())) {
    refuse("names a removed file that it cannot be");
  }
  switch (record.kind) {
    case DescriptorKind::Stdin:
    case DescriptorKind::Stdout:
    case DescriptorKind::Stderr:
      if (!streams_.insert(record.kind).second) refuse("is a standard stream that another one is already");
      return good;
    case DescriptorKind::Preopen:
      if (!preopens_.insert(record.preopen).second) refuse("is a preopen that another one is already");
      break;
    case DescriptorKind::Directory:
    case DescriptorKind::File:
      if (record.removed_file) break;
      if (auto what = path_problem(record.path); !what.empty()) refuse(what);
      break;
    default: refuse("is of a kind that does not exist"); return good;
  }
  if (record.offset > static_cast<uint64_t>(INT64_MAX)) refuse("has an offset that is too large");
  if (!wasi_.find_root(record.preopen)) {
    refuse("no directory is given as " + quoted(record.preopen) + ": give one with --dir HOST::GUEST");
  }
  return good;
}

void Restoration::put_stream(const Record& record) {
  static constexpr std::array<const char*, 3> kNames = {"input", "output", "error"};
  Descriptor d = wasi_.stdio(record.kind);
  d.rights_base &= record.rights_base;
  d.fdflags = record.fdflags;
  wasi_.table.put(record.number, std::move(d));
  verdict(record, Kind::Fine,
          std::string("becomes this process's standard ") + kNames[static_cast<size_t>(record.kind)]);
}

void Restoration::put_preopen(const Record& record) {
  const RootIndex root = *wasi_.find_root(record.preopen);
  Descriptor d = wasi_.preopen(root);
  d.rights_base &= record.rights_base;
  d.rights_inheriting &= record.rights_inheriting;
  d.fdflags = record.fdflags;
  wasi_.table.put(record.number, std::move(d));
  verdict(record, Kind::Fine,
          quoted(record.preopen) + " is the directory " + quoted(wasi_.config.preopens[root].host_path) +
              (wasi_.roots[root].read_only ? ", read-only" : ""));
}

OpenOptions Restoration::options_for(const Record& record) {
  const bool directory = record.kind == DescriptorKind::Directory;
  OpenOptions options;
  options.read = directory || (record.rights_base & right::FdRead) != 0;
  options.write = !directory && (record.rights_base & right::FdWrite) != 0;
  options.directory = directory;
  options.follow = true;
  options.fdflags = record.fdflags;
  return options;
}

void Restoration::reopen(const Record& record) {
  const Root& root = wasi_.roots[*wasi_.find_root(record.preopen)];
  const bool directory = record.kind == DescriptorKind::Directory;
  const OpenOptions options = options_for(record);
  auto refuse = [&](const std::string& what) { verdict(record, Kind::Refused, location(record) + " " + what); };
  if (options.write && root.read_only) {
    return refuse("was open for writing, but is read-only now: give its --dir without :ro");
  }
  // Looked at before it is opened: opening a device can have an effect.
  auto named = wasi_.os->stat_at(root.handle, record.path, true);
  if (named.ok() && directory != (named.value.type == Filetype::Directory)) {
    return refuse(directory ? "is not a directory" : "is not a file");
  }
  auto handle = named.ok() ? wasi_.os->open(root.handle, record.path, options) : Sys<Handle>(named.error);
  if (!handle.ok()) {
    if (handle.error != Errno::Noent) return refuse("cannot be opened: " + explain(handle.error));
    return refuse("does not exist any more: copy it there, or give the directory that has it with --dir HOST::GUEST");
  }
  auto close_and_refuse = [&](const std::string& what) {
    wasi_.os->close(handle.value);
    refuse(what);
  };
  auto stat = wasi_.os->stat(handle.value);
  if (!stat.ok() || directory != (stat.value.type == Filetype::Directory)) return close_and_refuse("has been replaced");
  if (stat.value.type == Filetype::RegularFile) {
    // Behind the end is fine if it was so when saved.
    if (record.offset > stat.value.size && record.offset <= record.size) {
      return close_and_refuse("has become too short: the guest is at byte " + std::to_string(record.offset) + " of " +
                              std::to_string(record.size) + ", it has " + std::to_string(stat.value.size) +
                              ": copy the whole file there");
    }
    auto position = wasi_.os->seek(handle.value, static_cast<int64_t>(record.offset), Whence::Set);
    if (!position.ok()) return close_and_refuse("cannot be positioned");
  } else if (record.offset != 0) {
    return close_and_refuse("is not a regular file any more");
  }
  put(record, handle.value, stat.value);
  compare(record, stat.value);
}

void Restoration::compare(const Record& record, const Stat& now) {
  const std::string name = location(record);
  if (now.type != Filetype::RegularFile) return verdict(record, Kind::Fine, name + " is opened again");
  const std::string at = " at byte " + std::to_string(record.offset);
  std::string change;
  if (now.size != record.size) {
    change = "has changed: it had " + bytes(record.size) + ", and has " + std::to_string(now.size);
  } else if (now.mtim != record.mtime && record.mtime != 0) {
    change = "has its size, but another date";
  }
  if (change.empty()) return verdict(record, Kind::Fine, name + " is as it was, opened again" + at);
  if (wasi_.config.policy == RestorePolicy::Strict) {
    return verdict(record, Kind::Refused,
                   name + " " + change +
                       ": bring back the file as it was, with its date (cp -p), or use --restore-policy lenient");
  }
  // A copy has another date, usually.
  verdict(record, now.size != record.size ? Kind::Changed : Kind::Fine, name + " " + change + "; opened again" + at);
}

void Restoration::put(const Record& record, Handle handle, const Stat& stat) {
  const bool directory = record.kind == DescriptorKind::Directory;
  Descriptor d;
  d.kind = record.kind;
  d.type = stat.type;
  d.handle = handle;
  d.can_block = !directory && d.type != Filetype::RegularFile;
  d.fdflags = record.fdflags;
  d.rights_base = record.rights_base & (directory ? right::Directory : right::File);
  d.rights_inheriting = record.rights_inheriting;
  d.root = *wasi_.find_root(record.preopen);
  d.path = record.path;
  wasi_.table.put(record.number, std::move(d));
  const FileId guest{record.device, record.inode};
  if (guest != FileId{} && guests_.insert(guest).second) host_to_guest_.try_emplace({stat.dev, stat.ino}, guest);
}

void Restoration::announce_removed(const Record& record) {
  if (std::all_of(wasi_.roots.begin(), wasi_.roots.end(), [](const Root& root) { return root.read_only; })) {
    return verdict(record, Kind::Refused,
                   "a removed file cannot be made again: every directory is read-only; give one without :ro");
  }
  verdict(record, Kind::Fine,
          "a file in " + quoted(record.preopen) + " that was removed while open is made again from " +
              bytes(state_.removed_files[*record.removed_file].size()) + " in the snapshot, without a name, at byte " +
              std::to_string(record.offset));
}

Sys<Handle> Restoration::make_file(RootIndex first, Made& made) {
  Errno error = Errno::Rofs;
  for (size_t i = 0; i < wasi_.roots.size(); ++i) {
    made.root = static_cast<RootIndex>((first + i) % wasi_.roots.size());
    if (wasi_.roots[made.root].read_only) continue;
    uint64_t number = 0;
    wasi_.os->random({reinterpret_cast<uint8_t*>(&number), sizeof number});
    made.name = ".chiwawa-removed-" + std::to_string(number);
    OpenOptions options;
    options.read = options.write = options.create = options.exclusive = true;
    auto handle = wasi_.os->open(wasi_.roots[made.root].handle, made.name, options);
    if (handle.ok()) {
      made.handle = handle.value;
      return handle;
    }
    if (i == 0 || error == Errno::Rofs) error = handle.error;
  }
  return error;
}

Errno Restoration::fill(Handle handle, const std::vector<uint8_t>& content) {
  for (size_t written = 0; written < content.size();) {
    // The host only reads from it.
    const Buffer rest{const_cast<uint8_t*>(content.data()) + written, std::min(content.size() - written, kMaxTransfer)};
    auto n = wasi_.os->write_at(handle, {&rest, 1}, written);
    if (!n.ok()) return n.error;
    if (n.value == 0) return Errno::Io;
    written += n.value;
  }
  return Errno::Success;
}

/// Makes the file, opens it for every descriptor that it belongs to, and takes its name away.
bool Restoration::restore_removed(uint32_t file) {
  Made made;
  for (const Record& record : state_.descriptors) {
    if (record.removed_file != file) continue;
    auto refuse = [&](const std::string& what, Errno error) {
      verdict(record, Kind::Refused,
              "a removed file cannot be made again in " + quoted(record.preopen) + ": " + what + explain(error));
    };
    Errno error = Errno::Success;
    if (made.handle == kNoHandle) {
      if (auto handle = make_file(*wasi_.find_root(record.preopen), made); !handle.ok()) {
        refuse("", handle.error);
        break;
      }
      error = fill(made.handle, state_.removed_files[file]);
    }
    auto handle = error == Errno::Success
                      ? wasi_.os->open(wasi_.roots[made.root].handle, made.name, options_for(record))
                      : Sys<Handle>(error);
    if (!handle.ok()) {
      refuse("", handle.error);
      break;
    }
    auto stat = wasi_.os->stat(handle.value);
    auto position = wasi_.os->seek(handle.value, static_cast<int64_t>(record.offset), Whence::Set);
    if (!stat.ok() || !position.ok()) {
      wasi_.os->close(handle.value);
      refuse("it cannot be positioned: ", stat.ok() ? position.error : stat.error);
      break;
    }
    put(record, handle.value, stat.value);
  }
  if (made.handle == kNoHandle) return false;
  wasi_.os->unlink_file(wasi_.roots[made.root].handle, made.name);
  wasi_.os->close(made.handle);
  return verdicts_.back().kind != Kind::Refused;
}

void Restoration::run(bool apply) {
  check_strings();
  std::set<uint32_t> removed;
  for (const Record& record : state_.descriptors) {
    if (!check(record)) continue;
    if (record.kind <= DescriptorKind::Stderr) {
      put_stream(record);
    } else if (record.kind == DescriptorKind::Preopen) {
      put_preopen(record);
    } else if (record.removed_file) {
      removed.insert(*record.removed_file);
      announce_removed(record);
    } else {
      reopen(record);
    }
  }
  if (!apply || std::any_of(verdicts_.begin(), verdicts_.end(), is_refused)) return;
  for (const uint32_t file : removed) {
    if (!restore_removed(file)) return;
  }
  wasi_.keep_ids(std::move(host_to_guest_));
  wasi_.config.args = state_.args;
  wasi_.config.environ = state_.environ;
  wasi_.start_clocks(state_.monotonic);
  if (state_.random) wasi_.deterministic = Deterministic{state_.monotonic, *state_.random};
  if (state_.sleep) wasi_.waiting = Waiting{state_.monotonic - state_.sleep->elapsed, {}};
}

/// All that is refused, one line each.
std::string problems(const std::vector<Verdict>& verdicts) {
  constexpr size_t kMaxReported = 50;
  std::string text;
  size_t count = 0;
  for (const Verdict& verdict : verdicts) {
    if (!is_refused(verdict)) continue;
    if (++count > kMaxReported) return text + "\n... and more";
    text += (text.empty() ? "" : "\n") + describe(verdict);
  }
  return text;
}

}  // namespace

std::string describe(const Verdict& verdict) {
  return (verdict.number ? "descriptor " + std::to_string(*verdict.number) + ": " : "") + verdict.text;
}

Result<std::unique_ptr<Wasi>> Wasi::restore(Config config, const State& state, std::vector<Verdict>* verdicts) {
  auto impl = std::make_unique<Impl>(std::move(config));
  CHIWAWA_TRY(impl->open_roots());
  std::vector<Verdict> found;
  Restoration(*impl, state, found).run(true);
  const std::string refused = problems(found);
  if (verdicts != nullptr) *verdicts = std::move(found);
  if (!refused.empty()) return Error{Phase::Snapshot, refused};
  return std::unique_ptr<Wasi>(new Wasi(std::move(impl)));
}

Result<std::vector<Verdict>> Wasi::examine(Config config, const State& state) {
  Impl impl(std::move(config));
  CHIWAWA_TRY(impl.open_roots());
  std::vector<Verdict> verdicts;
  Restoration(impl, state, verdicts).run(false);
  return verdicts;
}

}  // namespace chiwawa::wasi
