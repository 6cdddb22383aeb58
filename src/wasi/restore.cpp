// Wasi::restore: from records that strangers may have written to open descriptors. Each is checked as text and numbers
// first (restore_check.cpp), then opened, without creating or changing anything; every descriptor gets a verdict. Only
// when none is refused are removed files made again.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wasi/restore_check.hpp"
#include "wasi/restore_nameless.hpp"
#include "wasi/wasi_impl.hpp"

namespace chiwawa::wasi {
namespace {

bool is_refused(const Verdict& verdict) { return verdict.kind == Verdict::Kind::Refused; }

std::string bytes(uint64_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

/// One restore, or the question what it would do.
class Restoration {
 public:
  Restoration(Context& wasi, const State& state, std::vector<Verdict>& verdicts)
      : wasi_(wasi), state_(state), verdicts_(verdicts) {}

  /// Gives the verdicts. With `apply`, and if nothing is refused, everything is in the table then.
  void run(bool applies);

 private:
  using Record = DescriptorRecord;
  using Kind = Verdict::Kind;

  void problem(std::string what) { verdicts_.push_back({Kind::Refused, std::nullopt, std::move(what)}); }
  void verdict(const Record& record, Kind kind, std::string text) {
    verdicts_.push_back({kind, record.number, std::move(text)});
  }
  std::string location(const Record& record) const { return quoted(record.path) + " in " + quoted(record.preopen); }

  void put_stream(const Record& record);
  void put_preopen(const Record& record);
  void reopen(const Record& record);
  /// Whether a file that could be had is as it must be.
  void compare(const Record& record, const Stat& now);
  void put(const Record& record, Handle handle, const Stat& stat);
  static OpenOptions options_for(const Record& record);

  void announce_removed(const Record& record);
  /// Makes one file or directory, opens it for each of the records, and takes its name away. False: one is refused.
  bool restore_removed(const std::vector<const Record*>& records);
  void put_listener(const Record& record);
  void put_connection(const Record& record);
  void apply();

  Context& wasi_;
  const State& state_;
  std::vector<Verdict>& verdicts_;
  std::set<uint32_t> listeners_;
  std::map<std::pair<DescriptorKind, FileId>, std::vector<const Record*>> removed_;
  std::map<FileId, FileId> host_to_guest_;
  std::set<FileId> guests_;
};

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
  const bool directory = record.kind == DescriptorKind::Directory;
  if (std::all_of(wasi_.roots.begin(), wasi_.roots.end(), [](const Root& root) { return root.read_only; })) {
    return verdict(record, Kind::Refused,
                   std::string("a removed ") + (directory ? "directory" : "file") +
                       " cannot be made again: every directory is read-only; give one without :ro");
  }
  const std::string where = " in " + quoted(record.preopen) + " that was removed while open is made again";
  if (directory) return verdict(record, Kind::Fine, "a directory" + where + ", empty and without a name");
  const std::string copy = " from " + bytes(state_.removed_files[*record.removed_file].size()) +
                           " in the snapshot, without a name, at byte " + std::to_string(record.offset);
  if (!record.elsewhere) return verdict(record, Kind::Fine, "a file" + where + copy);
  const std::string moved = "a file of " + quoted(record.preopen) + " was moved out of the guest's reach while open: ";
  if (wasi_.config.policy == RestorePolicy::Strict) {
    return verdict(record, Kind::Refused,
                   moved + "only a copy can be had; move it back before saving, or use --restore-policy lenient");
  }
  verdict(record, Kind::Changed,
          moved + "a copy is made" + copy + ", and whoever has the file does not see what is written");
}

bool Restoration::restore_removed(const std::vector<const Record*>& records) {
  Nameless nameless(wasi_);
  const Record& first = *records.front();
  const RootIndex root = *wasi_.find_root(first.preopen);
  Errno error = first.removed_file ? nameless.make_file(root, state_.removed_files[*first.removed_file])
                                   : nameless.make_directory(root);
  for (const Record* record : records) {
    auto handle = error == Errno::Success ? nameless.open(options_for(*record)) : Sys<Handle>(error);
    auto stat = handle.ok() ? wasi_.os->stat(handle.value) : Sys<Stat>(handle.error);
    error = stat.error;
    if (stat.ok() && record->removed_file) {
      error = wasi_.os->seek(handle.value, static_cast<int64_t>(record->offset), Whence::Set).error;
    }
    if (error != Errno::Success) {
      if (handle.ok()) wasi_.os->close(handle.value);
      verdict(*record, Kind::Refused,
              "what was removed cannot be made again in " + quoted(record->preopen) + ": " + explain(error));
      return false;
    }
    put(*record, handle.value, stat.value);
  }
  return true;
}

void Restoration::put_listener(const Record& record) {
  const std::string was = record.address.empty() ? "" : ", as it was on " + quoted(record.address);
  if (record.listener >= wasi_.config.listeners.size()) {
    return verdict(record, Kind::Refused,
                   "a listening socket" + was + ", is not given: give one with --tcp-listen HOST:PORT" +
                       (record.listener == 0 ? "" : " (" + std::to_string(record.listener + 1) + " together)"));
  }
  if (!listeners_.insert(record.listener).second) {
    return verdict(record, Kind::Refused, "is a listening socket that another one is already");
  }
  const Listener& given = wasi_.config.listeners[record.listener];
  verdict(record, Kind::Fine,
          "listens on " +
              (given.inherited >= 0 ? "this process's descriptor " + std::to_string(given.inherited) : given.address) +
              was);
}

void Restoration::put_connection(const Record& record) {
  Descriptor d;
  d.kind = DescriptorKind::Connection;
  d.type = Filetype::SocketStream;
  d.can_block = true;
  d.fdflags = record.fdflags;
  d.rights_base = record.rights_base & right::Connection;
  wasi_.table.put(record.number, std::move(d));
  verdict(record, Kind::Changed, "a connection cannot be moved: the guest is told that it was reset");
}

/// What changes something outside. Only when nothing is refused.
void Restoration::apply() {
  if (const auto opened = wasi_.open_listeners(); !opened) return problem(opened.error().cause);
  for (const Record& record : state_.descriptors) {
    if (record.kind != DescriptorKind::Listener) continue;
    Descriptor d = wasi_.listener(record.listener);
    d.rights_base &= record.rights_base;
    d.rights_inheriting &= record.rights_inheriting;
    d.fdflags = record.fdflags;
    wasi_.table.put(record.number, std::move(d));
  }
  // The guest has closed the others: nobody is to connect there and wait.
  for (OpenListener& listener : wasi_.listeners) {
    if (listener.handle == kNoHandle) continue;
    wasi_.os->close(listener.handle);
    listener = {};
  }
  for (const auto& [identity, records] : removed_) {
    if (!restore_removed(records)) return;
  }
  wasi_.keep_ids(std::move(host_to_guest_));
  wasi_.config.args = state_.args;
  wasi_.config.environ = state_.environ;
  wasi_.start_clocks(state_.monotonic);
  if (state_.random) wasi_.deterministic = Deterministic{state_.monotonic, *state_.random};
  if (state_.sleep) wasi_.waiting = Waiting{state_.monotonic - state_.sleep->elapsed, {}};
}

void Restoration::run(bool applies) {
  StateCheck check(wasi_, state_, verdicts_);
  check.strings();
  for (const Record& record : state_.descriptors) {
    if (!check.record(record)) continue;
    if (record.kind <= DescriptorKind::Stderr) {
      put_stream(record);
    } else if (record.kind == DescriptorKind::Preopen) {
      put_preopen(record);
    } else if (record.kind == DescriptorKind::Listener) {
      put_listener(record);
    } else if (record.kind == DescriptorKind::Connection) {
      put_connection(record);
    } else if (record.path.empty()) {
      // Several descriptors of one file or directory have one again.
      const FileId identity =
          record.removed_file ? FileId{*record.removed_file, 0} : FileId{record.device, record.inode};
      removed_[{record.kind, identity}].push_back(&record);
      announce_removed(record);
    } else {
      reopen(record);
    }
  }
  if (applies && std::none_of(verdicts_.begin(), verdicts_.end(), is_refused)) apply();
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
