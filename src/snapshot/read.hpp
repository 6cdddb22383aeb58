// Snapshot file -> checked records. Nothing live is touched.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interp/result.hpp"
#include "snapshot/container.hpp"
#include "snapshot/records.hpp"
#include "snapshot/stream.hpp"

namespace chiwawa::snapshot {

struct ReadLimits {
  /// Bytes that the state (everything but memory contents) may take when decompressed.
  uint64_t max_state = kMaxState;
};

/// Reads one snapshot front to back: open(), then next_group() until there are no more, then finish(). Needs memory for
/// the state and about 2 MiB. Errors have Phase::Snapshot (damaged, not understood) or Phase::Io, and byte offsets in
/// the file; after one, the reader is of no more use.
class Reader {
 public:
  /// The source must outlive it.
  explicit Reader(Source& source, ReadLimits limits = {});

  /// Reads header and state. Then every index in records() is in range, every value fits its type, every reference is
  /// null or a function address, and sizes are within the limits beside them. What needs the modules is checked by
  /// restore(); what needs their code by Machine::restore.
  Result<void> open();

  const Header& header() const { return header_; }
  const Records& records() const { return records_; }
  /// The same, to move parts out of it; the rest of the reader needs memories and page_groups only.
  Records& records() { return records_; }
  /// SHA-256 of the state with the hashes of all memory contents in it: equal for equal states.
  const Sha256& state_digest() const { return state_digest_; }
  /// Bytes read so far.
  uint64_t offset() const { return container_.offset(); }

  /// Whether open() failed because the file is of a version, or needs a feature, that this reader does not know.
  bool unsupported() const { return unsupported_; }

  /// Reads the next entry of records().page_groups, checks it against its hash, and returns true; or returns false if
  /// there are no more. `group` is valid until the next call.
  Result<bool> next_group(PageGroupView& group);
  /// Steps over the next entry without decompressing it. Requires that there is one.
  Result<void> skip_group();
  /// Checks the trailer: all digests, and that the file ends. Requires that there are no more groups.
  Result<void> finish();

 private:
  ContainerReader container_;
  ReadLimits limits_;
  Header header_;
  Records records_;
  Sha256 state_digest_{};
  bool unsupported_ = false;
  size_t next_ = 0;  // in records_.page_groups
  Buffer content_;
  std::vector<BlockRun> runs_;
};

/// Reads everything and throws it away: says whether the file is complete and consistent in itself.
Result<void> verify(Source& source, ReadLimits limits = {});

}  // namespace chiwawa::snapshot
