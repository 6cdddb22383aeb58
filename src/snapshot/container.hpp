// The file around a snapshot's contents: header, compressed frames, trailer with seek table and digests. Knows no wasm.
// schema/FORMAT.md describes the bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "snapshot/format.hpp"
#include "snapshot/hash.hpp"
#include "snapshot/stream.hpp"

namespace chiwawa::snapshot {

struct Header {
  uint16_t major = kMajor;
  uint16_t minor = kMinor;
  uint32_t flags = 0;  ///< none is defined so far
  uint64_t time = 0;   ///< when it was written, in nanoseconds since 1970; 0 if that is not said
  std::string writer;  ///< name and version of the program that wrote the file; at most kMaxWriter bytes
};

/// Where a frame lies in the file, and how large its content is. Bytes.
struct FrameEntry {
  uint64_t offset = 0;
  uint32_t compressed_size = 0;
  uint32_t content_size = 0;
  FrameKind kind = FrameKind::State;
  bool operator==(const FrameEntry&) const = default;
};

struct Trailer {
  std::vector<FrameEntry> frames;
  Sha256 state_digest{};  ///< of the contents of the state and the block indices
};

/// Writes one file: header(), frame() as often as needed, trailer(). After an error the sink's contents are worthless.
class ContainerWriter {
 public:
  /// The sink must outlive it.
  explicit ContainerWriter(Sink& sink);
  ~ContainerWriter();

  Result<void> header(const Header& header);
  /// One zstd frame with checksum. Needs, whatever the content's size, less than 4 MiB beside it.
  Result<void> frame(FrameKind kind, std::span<const uint8_t> content, int level);
  Result<void> trailer();

  /// Bytes written so far.
  uint64_t offset() const { return offset_; }

 private:
  Result<void> put(std::span<const uint8_t> bytes);

  struct Zstd;
  Sink& sink_;
  uint64_t offset_ = 0;
  Hasher128 hasher_;
  Sha256Hasher state_hasher_;
  std::vector<FrameEntry> frames_;
  std::unique_ptr<Zstd> zstd_;
  std::vector<uint8_t> out_;
};

/// Reads one file in the same order. Every error has Phase::Snapshot (damage) or Phase::Io, and the byte offset in the
/// file; after one, the reader is of no more use.
class ContainerReader {
 public:
  /// The source must outlive it.
  explicit ContainerReader(Source& source);
  ~ContainerReader();

  /// Reads the header, also one of another version or with unknown flags: the caller decides.
  Result<Header> header();
  /// Decompresses the next frame into `content`. Refuses one of more than `max_content` bytes, without a checksum, or
  /// larger than the source could hold, before anything is allocated.
  Result<void> frame(FrameKind kind, uint64_t max_content, Buffer& content);
  /// Steps over the next frame, which is not part of the state's digest. With seek_over(): without reading it.
  Result<void> skip_frame(FrameKind kind, uint64_t max_content);
  /// Whether what follows is a skippable frame: no more frames, but the trailer.
  Result<bool> at_trailer();
  /// Checks the seek table and the digests against what was read, and that the source ends here. (After frames that
  /// were seeked over, the file's digest is not known.)
  Result<Trailer> trailer();

  /// Reads the trailer of a source that can seek, before anything else, and goes back to the beginning. From then on
  /// skip_frame() seeks. False and without effect if the source cannot seek.
  Result<bool> seek_over();
  /// After seek_over(): what the trailer says, checked against nothing so far.
  const Trailer& announced() const { return announced_; }
  /// After seek_over(): decompresses any frame of the file, which does not count as read. Then goes on where it was.
  Result<void> frame_at(const FrameEntry& entry, uint64_t max_content, Buffer& content);

  bool seeks() const { return seeking_; }
  /// The frames read so far.
  const std::vector<FrameEntry>& frames() const { return frames_; }

  /// Bytes read so far: where the next frame begins.
  uint64_t offset() const { return offset_; }

 private:
  struct FrameInfo;
  Result<size_t> peek(size_t count);
  Result<void> require(size_t count, const char* what);
  std::span<const uint8_t> buffered() const;
  void consume(size_t count);
  Result<FrameInfo> frame_header();
  Result<void> decompress(uint64_t max_content, Buffer& content);
  void go_to(uint64_t offset);
  Result<Trailer> trailer_fields();

  struct Zstd;
  Source& source_;
  uint64_t offset_ = 0;
  Hasher128 hasher_;
  Sha256Hasher state_hasher_;
  bool seeking_ = false;  // then the file's digest is not computed
  Trailer announced_;
  std::vector<FrameEntry> frames_;
  std::unique_ptr<Zstd> zstd_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

/// Phase::Snapshot.
inline Error damaged(std::string cause, uint64_t offset = Error::kNoOffset) {
  return {Phase::Snapshot, std::move(cause), offset};
}

}  // namespace chiwawa::snapshot
