#include "wasi/restore_check.hpp"

#include <algorithm>

#include "interp/utf8.hpp"

namespace chiwawa::wasi {
namespace {

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

}  // namespace

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return out + "\"";
}

void StateCheck::strings() {
  for (const auto* strings : {&state_.args, &state_.environ}) {
    uint64_t size = 0;
    for (const auto& s : *strings) {
      if (s.find('\0') != std::string::npos) problem("an argument or environment variable has a zero byte in it");
      size += s.size() + 1 + 4;
    }
    if (size > UINT32_MAX) problem("the arguments or environment variables are too long");
  }
}

bool StateCheck::record(const DescriptorRecord& record) {
  bool good = true;
  auto refuse = [&](std::string_view what) {
    good = false;
    verdicts_.push_back({Verdict::Kind::Refused, record.number, std::string(what)});
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
      if (record.removed_file || (record.kind == DescriptorKind::Directory && record.path.empty())) break;
      if (auto what = path_problem(record.path); !what.empty()) refuse(what);
      break;
    case DescriptorKind::Listener:
    case DescriptorKind::Connection: return good;
    default: refuse("is of a kind that does not exist"); return good;
  }
  if (record.offset > static_cast<uint64_t>(INT64_MAX)) refuse("has an offset that is too large");
  if (!wasi_.find_root(record.preopen)) {
    refuse("no directory is given as " + quoted(record.preopen) + ": give one with --dir HOST::GUEST");
  }
  return good;
}

}  // namespace chiwawa::wasi
