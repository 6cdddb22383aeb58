// Wasi::save: from what is open to plain records.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "interp/utf8.hpp"
#include "wasi/wasi_impl.hpp"

namespace chiwawa::wasi {
namespace {

/// Whether the path leads to what is open. Hosts that know no inodes are believed.
bool leads_to(Context& wasi, RootIndex root, const std::string& path, const Stat& open_stat) {
  if (path.empty()) return false;
  auto named = wasi.os->stat_at(wasi.roots[root].handle, path, true);
  if (!named.ok() || named.value.type != open_stat.type) return false;
  return (named.value.dev == open_stat.dev && named.value.ino == open_stat.ino) || open_stat.ino == 0;
}

/// Sets the record's preopen and path to those that lead to what is open: as the guest opened it, as it has linked it
/// since, or, if somebody else has renamed it, where the host says that it is now. False if there are none.
bool find_name(Context& wasi, const Descriptor& d, const Stat& open_stat, DescriptorRecord& record) {
  if (leads_to(wasi, d.root, d.path, open_stat)) {
    record.path = d.path;
    return true;
  }
  if (open_stat.nlink == 0) return false;
  for (const Name& link : d.links) {
    if (!leads_to(wasi, link.root, link.path, open_stat)) continue;
    record.preopen = wasi.roots[link.root].guest_name;
    record.path = link.path;
    return true;
  }
  for (size_t i = 0; i < wasi.roots.size(); ++i) {
    const auto root = static_cast<RootIndex>((d.root + i) % wasi.roots.size());
    auto name = wasi.os->name_beneath(wasi.roots[root].handle, d.handle);
    const std::string& path = name.value;
    if (!name.ok() || !is_utf8({reinterpret_cast<const uint8_t*>(path.data()), path.size()}) ||
        !leads_to(wasi, root, path, open_stat)) {
      continue;
    }
    record.preopen = wasi.roots[root].guest_name;
    record.path = path;
    return true;
  }
  return false;
}

/// The first `size` bytes of a regular file, or fewer if it ends before.
Errno read_all(HostOs& os, Handle handle, size_t size, std::vector<uint8_t>& content) {
  content.resize(size);
  size_t filled = 0;
  while (filled < content.size()) {
    const Buffer rest{content.data() + filled, std::min(content.size() - filled, kMaxTransfer)};
    auto n = os.read_at(handle, {&rest, 1}, filled);
    if (!n.ok()) return n.error;
    if (n.value == 0) break;
    filled += n.value;
  }
  content.resize(filled);
  return Errno::Success;
}

/// Keeps the contents of files that no path leads to any more.
class RemovedFiles {
 public:
  RemovedFiles(Context& wasi, State& state) : wasi_(wasi), state_(state) {}

  /// Sets the record's removed_file, if it is a file. Why it cannot; empty if it could.
  std::string keep(const Descriptor& d, const Stat& stat, DescriptorRecord& record) {
    if (d.kind == DescriptorKind::Directory) {
      return stat.nlink == 0 ? "" : "is a directory that somebody else has moved out of reach";
    }
    if (d.type != Filetype::RegularFile) return "is no regular file, and was removed or replaced";
    record.elsewhere = stat.nlink > 0;
    const FileId id{stat.dev, stat.ino};
    if (auto known = known_.find(id); known != known_.end() && stat.ino != 0) {
      record.removed_file = known->second;
      return {};
    }
    const uint64_t limit = wasi_.config.embed_limit;
    if (stat.size > limit || stat.size > limit - used_) {
      return "is a file without a name that can be reached, of " + std::to_string(stat.size) +
             " bytes: with the others, more than such files may take in a snapshot (" + std::to_string(limit) +
             ", see --embed-files)";
    }
    std::vector<uint8_t> content;
    Errno error = read_all(*wasi_.os, d.handle, static_cast<size_t>(stat.size), content);
    if (error != Errno::Success) {  // it may be open for writing only
      if (auto readable = wasi_.os->reopen_for_reading(d.handle); readable.ok()) {
        error = read_all(*wasi_.os, readable.value, static_cast<size_t>(stat.size), content);
        wasi_.os->close(readable.value);
      }
    }
    if (error != Errno::Success) return "is a removed file that cannot be read: " + explain(error);
    used_ += content.size();
    record.removed_file = static_cast<uint32_t>(state_.removed_files.size());
    known_[id] = *record.removed_file;
    state_.removed_files.push_back(std::move(content));
    return {};
  }

 private:
  Context& wasi_;
  State& state_;
  std::map<FileId, uint32_t> known_;
  uint64_t used_ = 0;  // bytes
};

}  // namespace

Result<State> Wasi::save() {
  State state;
  RemovedFiles removed(*impl_, state);
  std::string lost;
  state.args = impl_->config.args;
  state.environ = impl_->config.environ;
  state.monotonic = impl_->monotonic();
  if (impl_->deterministic) state.random = impl_->deterministic->random;
  if (impl_->waiting) state.sleep = SleepRecord{state.monotonic - impl_->waiting->since};
  for (uint32_t number = 0; number < impl_->table.end(); ++number) {
    const Descriptor* d = impl_->table.find(number);
    if (d == nullptr) continue;
    DescriptorRecord record;
    record.number = number;
    record.kind = d->kind;
    record.rights_base = d->rights_base;
    record.rights_inheriting = d->rights_inheriting;
    record.fdflags = d->fdflags;
    if (d->kind == DescriptorKind::Listener) {
      record.listener = d->listener;
      record.address = impl_->listeners[d->listener].address;
    }
    if (!d->is_stdio() && !d->is_socket()) record.preopen = impl_->roots[d->root].guest_name;
    if (d->kind == DescriptorKind::Directory || d->kind == DescriptorKind::File) {
      auto stat = impl_->os->stat(d->handle);
      if (!stat.ok() || !find_name(*impl_, *d, stat.value, record)) {
        if (std::string why = removed.keep(*d, stat.value, record); !why.empty()) {
          lost += (lost.empty() ? "" : "\n") + describe({Verdict::Kind::Refused, number, why});
        }
      }
      Stat seen = impl_->guest_stat(stat.value);
      record.device = seen.dev;
      record.inode = seen.ino;
      if (d->kind == DescriptorKind::File) {
        record.size = stat.value.size;
        record.mtime = stat.value.mtim;
        if (d->type == Filetype::RegularFile) {
          record.offset = impl_->os->seek(d->handle, 0, Whence::Cur).value;
        }
      }
    }
    state.descriptors.push_back(std::move(record));
  }
  if (!lost.empty()) return Error{Phase::Io, "what the guest has open could not be opened again: " + lost};
  return state;
}

}  // namespace chiwawa::wasi
