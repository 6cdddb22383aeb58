// Snapshot file -> checked records. Nothing live is touched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "interp/result.hpp"
#include "snapshot/container.hpp"
#include "snapshot/decode_blocks.hpp"
#include "snapshot/records.hpp"
#include "snapshot/stream.hpp"

namespace chiwawa::snapshot {

struct ReadLimits {
  /// Bytes that the state (everything but memory contents) may take when decompressed.
  uint64_t max_state = kMaxState;
  /// Bytes that the heap's objects may take. Unlike those of a memory, which are bounded by what its module declares, a
  /// small file can have many.
  uint64_t max_heap = kMaxHeap;
};

/// Reads one snapshot front to back: open(), perhaps read_modules(), then next_batch() until there are no more, then
/// finish(). Needs memory for the state and about 2 MiB. Errors have Phase::Snapshot (damaged, not understood) or
/// Phase::Io, and byte offsets in the file; after one, the reader is of no more use.
class Reader {
 public:
  /// The source must outlive it.
  explicit Reader(Source& source, ReadLimits limits = {});

  /// To be called first, if at all: blocks that are not wanted and modules are then not even read, and what finish()
  /// finds is announced beforehand. False and without effect if the source cannot seek.
  Result<bool> seek_over() { return container_.seek_over(); }

  /// Reads header, state and objects. Then every index in records() is in range, every value fits its type, every
  /// reference to a function is one, and sizes are within the limits beside them. What needs the modules is checked by
  /// restore(); what needs their code by Machine::restore.
  Result<void> open();

  const Header& header() const { return header_; }
  const Records& records() const { return records_; }
  /// The same, to move parts out of it; the rest of the reader needs memories and page_groups only.
  Records& records() { return records_; }
  /// SHA-256 of the state and the block indices, which have the hashes of all memory contents: equal for equal states.
  /// Known after finish() or, as the file announces it, after seek_over().
  const Sha256& state_digest() const { return trailer_ ? trailer_->state_digest : container_.announced().state_digest; }
  /// After finish(): where the frames are.
  const Trailer& trailer() const { return *trailer_; }
  /// Bytes read so far.
  uint64_t offset() const { return container_.offset(); }

  /// Whether open() failed because the file is of a version, or needs a feature, that this reader does not know.
  bool unsupported() const { return unsupported_; }

  /// Reads the modules that are embedded; for the others there is an empty vector. Each is what its SHA-256 says. To be
  /// called after open(), before next_batch().
  Result<std::vector<std::vector<uint8_t>>> read_modules();

  /// Reads the next block index and, unless `contents` is false, the blocks that belong to it, checks them against
  /// their hashes, and returns true; or returns false if there are no more. That a copy has its source's hash is for
  /// the caller to check (apply_blocks() does). `batch` is valid until the next call.
  Result<bool> next_batch(BlockBatch& batch, bool contents = true);
  /// After next_batch(): the frame of the blocks that belong to it, if there are any.
  FrameEntry last_blocks() const { return container_.frames().back(); }
  /// After seek_over(): the contents of a frame of blocks, which are not checked against their hashes. They are in
  /// `content`.
  Result<std::span<const uint8_t>> blocks_at(const FrameEntry& frame, Buffer& content);
  bool seeks() const { return container_.seeks(); }

  /// Checks the trailer: all digests, and that the file ends. Requires that there are no more batches. (After
  /// seek_over() the digest of the file is not checked.)
  Result<void> finish();

 private:
  Result<void> read_objects(uint32_t objects, uint64_t bytes);

  ContainerReader container_;
  ReadLimits limits_;
  Header header_;
  Records records_;
  std::optional<Trailer> trailer_;
  bool unsupported_ = false;
  bool past_modules_ = false;
  BlockIndexDecoder index_;
  Buffer content_;
};

/// Reads what is left after open() and throws it away, checking all of it (without what is in bases).
Result<void> verify_rest(Reader& reader);

/// Reads everything and throws it away: says whether the file is complete and consistent in itself.
Result<void> verify(Source& source, ReadLimits limits = {});

}  // namespace chiwawa::snapshot
