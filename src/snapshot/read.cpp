#include "snapshot/read.hpp"

#include "snapshot/decode_state.hpp"

namespace chiwawa::snapshot {

namespace {

Error at(Error error, uint64_t offset) {
  if (error.offset == Error::kNoOffset) error.offset = offset;
  return error;
}

}  // namespace

Reader::Reader(Source& source, ReadLimits limits) : container_(source), limits_(limits) {}

Result<void> Reader::open() {
  Result<Header> header = container_.header();
  if (!header) return header.error();
  header_ = std::move(*header);
  if (header_.major != kMajor) {
    unsupported_ = true;
    return damaged("snapshot format " + std::to_string(header_.major) + "." + std::to_string(header_.minor) +
                       ", this program reads format " + std::to_string(kMajor),
                   16);
  }
  if (header_.flags != 0) {
    unsupported_ = true;
    return damaged("the header has flags that this program does not know: " + std::to_string(header_.flags), 20);
  }
  const uint64_t begin = container_.offset();
  CHIWAWA_TRY(container_.frame(limits_.max_state, content_));
  state_digest_ = sha256(content_.bytes());
  StateDecoding decoding = decode_state(content_.bytes(), records_);
  unsupported_ = decoding.unsupported;
  if (!decoding.result) return at(decoding.result.error(), begin);
  content_.clear();
  return {};
}

Result<bool> Reader::next_group(PageGroupView& group) {
  if (next_ == records_.page_groups.size()) return false;
  const PageGroupRecord& entry = records_.page_groups[next_++];
  const uint64_t begin = container_.offset();
  CHIWAWA_TRY(container_.frame(kMaxPageGroup, content_));
  Result<PageGroupView> view =
      decode_page_group(content_.bytes(), entry, records_.memories[entry.memory].pages * kPageSize, runs_);
  if (!view) return at(view.error(), begin);
  group = *view;
  return true;
}

Result<void> Reader::skip_group() {
  ++next_;
  return container_.skip_frame();
}

Result<void> Reader::finish() {
  Result<Trailer> trailer = container_.trailer();
  if (!trailer) return trailer.error();
  if (trailer->state_digest != state_digest_) return damaged("the state's digest does not match");
  return {};
}

Result<void> verify(Source& source, ReadLimits limits) {
  Reader reader(source, limits);
  CHIWAWA_TRY(reader.open());
  for (;;) {
    PageGroupView group;
    Result<bool> more = reader.next_group(group);
    if (!more) return more.error();
    if (!*more) return reader.finish();
  }
}

}  // namespace chiwawa::snapshot
