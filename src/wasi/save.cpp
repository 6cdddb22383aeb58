// Wasi::save: from what is open to plain records.
#include "wasi/wasi_impl.hpp"

namespace chiwawa::wasi {
namespace {

/// Whether the record's path still leads to what is open. Hosts that know no inodes are believed.
bool has_its_name(Context& wasi, const Descriptor& d, const Stat& open_stat) {
  if (d.path.empty()) return false;
  auto named = wasi.os->stat_at(wasi.roots[d.root].handle, d.path, true);
  if (!named.ok() || named.value.type != open_stat.type) return false;
  return (named.value.dev == open_stat.dev && named.value.ino == open_stat.ino) || open_stat.ino == 0;
}

}  // namespace

State Wasi::save() {
  State state;
  state.args = impl_->config.args;
  state.environ = impl_->config.environ;
  state.monotonic = impl_->monotonic();
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
    if (!d->is_stdio()) record.preopen = impl_->roots[d->root].guest_name;
    if (d->kind == DescriptorKind::Directory || d->kind == DescriptorKind::File) {
      auto stat = impl_->os->stat(d->handle);
      if (stat.ok() && has_its_name(*impl_, *d, stat.value)) record.path = d->path;
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
  return state;
}

}  // namespace chiwawa::wasi
