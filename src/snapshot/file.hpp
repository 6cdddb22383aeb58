// Snapshots in files: published whole or not at all, read front to back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interp/result.hpp"
#include "snapshot/function_ref.hpp"
#include "snapshot/stream.hpp"

namespace chiwawa::snapshot {

/// Makes `path` hold what `write` writes into the sink, or leaves it as it was. The bytes go to a new file beside it
/// ("path.tmp0", …; readable by its owner only), which is flushed to the disk and then takes the name `path`; if
/// anything fails it is removed. A process that is killed on the way can leave the temporary file behind, never a
/// damaged `path`; the next call for the same path uses the file again (inside a wasm host: when it is 10 minutes old).
///
/// If `path` is there and no regular file (a pipe, a device), it is written directly. If it is a symbolic link, the
/// link is replaced. Errors: Phase::Io with path and reason, or what `write` returned.
Result<void> publish(const std::string& path, FunctionRef<Result<void>(Sink&)> write);

/// Writes to an open descriptor, which stays the caller's.
class DescriptorSink final : public Sink {
 public:
  /// `name` is for messages.
  DescriptorSink(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
  Result<void> write(std::span<const uint8_t> bytes) override;

 private:
  int descriptor_;
  std::string name_;
};

/// Reads a file, or an open descriptor. Not copyable.
class FileSource final : public Source {
 public:
  FileSource() = default;
  ~FileSource();
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  /// Opens `path`. Phase::Io with path and reason. To be called once.
  Result<void> open(const std::string& path);
  /// Reads a descriptor that stays the caller's, such as 0.
  void use(int descriptor, std::string name);

  Result<size_t> read(std::span<uint8_t> into) override;
  std::optional<uint64_t> size() const override { return size_; }
  bool seek(uint64_t offset) override;

 private:
  int descriptor_ = -1;
  bool owned_ = false;
  std::string name_;
  std::optional<uint64_t> size_;
};

/// The whole of a file. Phase::Io with path and reason.
Result<std::vector<uint8_t>> read_file(const std::string& path);

}  // namespace chiwawa::snapshot
