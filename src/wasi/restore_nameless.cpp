#include "wasi/restore_nameless.hpp"

#include <algorithm>
#include <utility>

namespace chiwawa::wasi {

Nameless::~Nameless() {
  if (name_.empty()) return;
  is_directory_ ? os().remove_directory(directory(), name_) : os().unlink_file(directory(), name_);
}

template <typename Make>
Errno Nameless::make_somewhere(RootIndex first, Make make) {
  Errno error = Errno::Rofs;
  for (size_t i = 0; i < wasi_.roots.size(); ++i) {
    root_ = static_cast<RootIndex>((first + i) % wasi_.roots.size());
    if (wasi_.roots[root_].read_only) continue;
    uint64_t number = 0;
    os().random({reinterpret_cast<uint8_t*>(&number), sizeof number});
    std::string name = ".chiwawa-removed-" + std::to_string(number);
    const Errno made = make(name);
    if (made == Errno::Success) {
      name_ = std::move(name);
      return made;
    }
    if (i == 0 || error == Errno::Rofs) error = made;
  }
  return error;
}

Errno Nameless::make_file(RootIndex first, const std::vector<uint8_t>& content) {
  Handle handle = kNoHandle;
  const Errno made = make_somewhere(first, [&](const std::string& name) {
    OpenOptions options;
    options.read = options.write = options.create = options.exclusive = true;
    auto opened = os().open(directory(), name, options);
    handle = opened.value;
    return opened.error;
  });
  if (made != Errno::Success) return made;
  const Errno filled = fill(handle, content);
  os().close(handle);
  return filled;
}

Errno Nameless::make_directory(RootIndex first) {
  is_directory_ = true;
  return make_somewhere(first, [&](const std::string& name) { return os().create_directory(directory(), name); });
}

Sys<Handle> Nameless::open(const OpenOptions& options) { return os().open(directory(), name_, options); }

Errno Nameless::fill(Handle handle, const std::vector<uint8_t>& content) {
  for (size_t written = 0; written < content.size();) {
    // The host only reads from it.
    const Buffer rest{const_cast<uint8_t*>(content.data()) + written, std::min(content.size() - written, kMaxTransfer)};
    auto n = os().write_at(handle, {&rest, 1}, written);
    if (!n.ok()) return n.error;
    if (n.value == 0) return Errno::Io;
    written += n.value;
  }
  return Errno::Success;
}

}  // namespace chiwawa::wasi
