#include "snapshot/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>

#include <fcntl.h>
#ifndef __wasm__
#include <sys/file.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

namespace chiwawa::snapshot {

namespace {

/// "cannot write x.bin: No space left on device"
Error io_error(const char* what, const std::string& path, int code) {
  return {Phase::Io, std::string("cannot ") + what + " " + path + ": " + std::strerror(code), Error::kNoOffset};
}

int open_retrying(const std::string& path, int flags) {
  int descriptor;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

/// 0 or an error number. What cannot be flushed (a pipe; a host without fsync) need not be.
int flush(int descriptor) {
  while (::fsync(descriptor) != 0) {
    if (errno == EINVAL || errno == ENOTSUP || errno == ENOSYS) return 0;
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Makes a rename in the directory of `path` survive a power failure, as far as the host lets us.
int flush_directory(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const int descriptor = open_retrying(directory, O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return 0;  // writable but not readable
  int code = flush(descriptor);
#ifdef __wasm__
  code = 0;  // hosts differ in what they allow to be done with a directory
#endif
  ::close(descriptor);
  return code;
}

Result<void> write_directly(const std::string& path, FunctionRef<Result<void>(Sink&)> write) {
  const int descriptor = open_retrying(path, O_WRONLY);
  if (descriptor < 0) return io_error("write", path, errno);
  DescriptorSink sink(descriptor, path);
  Result<void> result = write(sink);
  if (::close(descriptor) != 0 && result) return io_error("write", path, errno);
  return result;
}

/// A file that is removed unless it got its name. What a process that was killed has left behind is used again.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& path) : path_(path) {}
  ~TemporaryFile() {
    if (exists_) ::unlink(name_.c_str());
    close();
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  /// 0 or an error number.
  int create() {
    for (int i = 0; i < 100; ++i) {
      name_ = path_ + ".tmp" + std::to_string(i);
      descriptor_ = open_retrying(name_, O_WRONLY | O_CREAT | O_EXCL);
      if (descriptor_ < 0 && errno != EEXIST) return errno;
      exists_ = descriptor_ >= 0 ? lock() : take_over();
      if (exists_) return 0;
      close();
    }
    return EEXIST;
  }
  /// Gives the file its name. Until then nobody else can take it over, so what is published is what was written.
  int rename() {
    if (std::rename(name_.c_str(), path_.c_str()) != 0) return errno;
    exists_ = false;
    return 0;
  }
  /// Tells of errors that only closing reports; the file stays ours.
  int check_closing() {
#ifdef __wasm__
    return 0;  // there are no two descriptors for one file
#else
    const int copy = ::dup(descriptor_);
    return copy >= 0 && ::close(copy) != 0 ? errno : 0;
#endif
  }
  int descriptor() const { return descriptor_; }
  const std::string& name() const { return name_; }

 private:
  void close() {
    if (const int descriptor = std::exchange(descriptor_, -1); descriptor >= 0) ::close(descriptor);
  }

#ifdef __wasm__
  // Without locks, age must tell: whoever still writes has written lately.
  static bool lock() { return true; }
  bool take_over() {
    constexpr time_t kStale = 600;  // seconds
    struct stat status{};
    if (::stat(name_.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    if (::time(nullptr) - status.st_mtim.tv_sec < kStale) return false;
    if (::unlink(name_.c_str()) != 0) return false;
    descriptor_ = open_retrying(name_, O_WRONLY | O_CREAT | O_EXCL);
    return descriptor_ >= 0;
  }
#else
  /// Whether the file is ours alone: nobody has locked it, and the name still leads to it.
  bool lock() {
    struct stat opened{};
    struct stat named{};
    return ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 && ::fstat(descriptor_, &opened) == 0 &&
           ::lstat(name_.c_str(), &named) == 0 && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
  }
  /// Its writer is gone if it is not locked. A file of somebody else's, or with another name, is left alone.
  bool take_over() {
    descriptor_ = open_retrying(name_, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat status{};
    return descriptor_ >= 0 && ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
           status.st_uid == ::geteuid() && (status.st_mode & 077) == 0 && lock() && ::ftruncate(descriptor_, 0) == 0;
  }
#endif

  const std::string& path_;
  std::string name_;
  int descriptor_ = -1;
  bool exists_ = false;
};

}  // namespace

Result<void> publish(const std::string& path, FunctionRef<Result<void>(Sink&)> write) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return io_error("write", path, EISDIR);
    if (!S_ISREG(status.st_mode)) return write_directly(path, write);
  }
  TemporaryFile file(path);
  if (const int code = file.create(); code != 0) return io_error("create", file.name(), code);
  DescriptorSink sink(file.descriptor(), file.name());
  CHIWAWA_TRY(write(sink));
  if (const int code = flush(file.descriptor()); code != 0) return io_error("flush", file.name(), code);
  if (const int code = file.check_closing(); code != 0) return io_error("write", file.name(), code);
  if (const int code = file.rename(); code != 0) return io_error("replace", path, code);
  if (const int code = flush_directory(path); code != 0) return io_error("flush the directory of", path, code);
  return {};
}

Result<void> DescriptorSink::write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    // Some hosts refuse very large writes.
    const ssize_t written = ::write(descriptor_, bytes.data(), std::min<size_t>(bytes.size(), 1u << 20));
    if (written < 0) {
      if (errno == EINTR) continue;
      return io_error("write", name_, errno);
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

FileSource::~FileSource() {
  if (owned_) ::close(descriptor_);
}

Result<void> FileSource::open(const std::string& path) {
  name_ = path;
  descriptor_ = open_retrying(path, O_RDONLY);
  if (descriptor_ < 0) return io_error("open", path, errno);
  owned_ = true;
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) return io_error("read", path, errno);
  if (S_ISDIR(status.st_mode)) return io_error("read", path, EISDIR);
  if (S_ISREG(status.st_mode)) size_ = static_cast<uint64_t>(status.st_size);
  return {};
}

void FileSource::use(int descriptor, std::string name) {
  descriptor_ = descriptor;
  name_ = std::move(name);
}

bool FileSource::seek(uint64_t offset) {
  return size_ && ::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) == static_cast<off_t>(offset);
}

Result<size_t> FileSource::read(std::span<uint8_t> into) {
  for (;;) {
    const ssize_t got = ::read(descriptor_, into.data(), into.size());
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) return io_error("read", name_, errno);
  }
}

Result<std::vector<uint8_t>> read_file(const std::string& path) {
  FileSource source;
  CHIWAWA_TRY(source.open(path));
  std::vector<uint8_t> bytes;
  size_t filled = 0;
  constexpr size_t kReadStep = 65536;
  for (;;) {
    if (filled == bytes.size()) bytes.resize(filled + std::max(filled / 2, kReadStep));
    const Result<size_t> count = source.read(std::span(bytes).subspan(filled));
    if (!count) return count.error();
    if (*count == 0) break;
    filled += *count;
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace chiwawa::snapshot
