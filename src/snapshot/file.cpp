#include "snapshot/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
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

/// A file that is removed unless it got its name.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& path) : path_(path) {}
  ~TemporaryFile() {
    close();
    if (exists_) ::unlink(name_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  /// 0 or an error number.
  int create() {
    for (int i = 0; i < 100; ++i) {
      name_ = path_ + ".tmp" + std::to_string(i);
      descriptor_ = open_retrying(name_, O_WRONLY | O_CREAT | O_EXCL);
      if (descriptor_ >= 0) {
        exists_ = true;
        return 0;
      }
      if (errno != EEXIST) return errno;
    }
    return EEXIST;
  }
  int close() {
    const int descriptor = std::exchange(descriptor_, -1);
    return descriptor >= 0 && ::close(descriptor) != 0 ? errno : 0;
  }
  int rename() {
    if (std::rename(name_.c_str(), path_.c_str()) != 0) return errno;
    exists_ = false;
    return 0;
  }
  int descriptor() const { return descriptor_; }
  const std::string& name() const { return name_; }

 private:
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
  if (const int code = file.close(); code != 0) return io_error("write", file.name(), code);
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
