#include "monitor/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace chiwawa::monitor {

Output::~Output() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

Result<void> Output::open(const std::string& path) {
  path_ = path;
  buffer_ = std::make_unique<char[]>(kBuffer);
  descriptor_ = STDERR_FILENO;
  if (path.empty()) return {};
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (descriptor_ < 0) return Error{Phase::Io, path + ": cannot be written: " + std::strerror(errno)};
  return {};
}

void Output::slow_text(std::string_view text) {
  while (!text.empty()) {
    if (used_ == kBuffer) flush();
    const size_t part = text.copy(buffer_.get() + used_, kBuffer - used_);
    used_ += part;
    text.remove_prefix(part);
  }
}

void Output::hex(uint64_t value, int digits) {
  int needed = 1;
  while (needed < 16 && value >> (4 * needed) != 0) ++needed;
  for (; digits > needed; --digits) letter('0');
  number(value, 16);
}

void Output::flush() {
  size_t at = 0;
  while (at < used_ && error_ == 0) {
    const ssize_t written = ::write(descriptor_, buffer_.get() + at, used_ - at);
    if (written > 0) {
      at += static_cast<size_t>(written);
    } else if (written < 0 && errno != EINTR && errno != EAGAIN) {
      error_ = errno;
    }
  }
  used_ = 0;
}

Result<void> Output::finish() {
  if (buffer_ == nullptr) return {};
  flush();
  if (descriptor_ > STDERR_FILENO && ::close(descriptor_) != 0 && error_ == 0) error_ = errno;
  descriptor_ = -1;
  buffer_.reset();
  if (error_ == 0) return {};
  return Error{Phase::Io,
               (path_.empty() ? "standard error" : path_) + ": not all was written: " + std::strerror(error_)};
}

}  // namespace chiwawa::monitor
