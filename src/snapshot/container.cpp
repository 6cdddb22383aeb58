#include "snapshot/container.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

// For the stable-buffer modes and ZSTD_getFrameHeader: linked statically, in a pinned version.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

namespace chiwawa::snapshot {

namespace {

constexpr size_t kIoBuffer = 128 * 1024;

void put_le(std::vector<uint8_t>& out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

uint64_t get_le(std::span<const uint8_t> bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= uint64_t{bytes[at + i]} << (8 * i);
  return value;
}

void put_tag(std::vector<uint8_t>& out, const char (&tag)[9]) { out.insert(out.end(), tag, tag + 8); }

bool has_tag(std::span<const uint8_t> bytes, size_t at, const char (&tag)[9]) {
  return std::memcmp(bytes.data() + at, tag, 8) == 0;
}

/// Whether the state's digest covers a frame's content. Blocks are in it by their hashes, modules by theirs.
bool is_digested(FrameKind kind) {
  return kind == FrameKind::State || kind == FrameKind::ObjectPart || kind == FrameKind::BlockIndex;
}

std::string zstd_error(size_t code) { return std::string("decompression failed: ") + ZSTD_getErrorName(code); }

}  // namespace

// --- Writing ---------------------------------------------------------------------------------------------------------

struct ContainerWriter::Zstd {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ~Zstd() { ZSTD_freeCCtx(context); }
};

ContainerWriter::ContainerWriter(Sink& sink) : sink_(sink), zstd_(std::make_unique<Zstd>()) {}
ContainerWriter::~ContainerWriter() = default;

Result<void> ContainerWriter::put(std::span<const uint8_t> bytes) {
  hasher_.update(bytes);
  offset_ += bytes.size();
  return sink_.write(bytes);
}

Result<void> ContainerWriter::header(const Header& header) {
  const std::string writer = header.writer.substr(0, kMaxWriter);
  std::vector<uint8_t> bytes;
  put_le(bytes, kSkippableMagic, 4);
  put_le(bytes, kHeaderFixed + writer.size(), 4);
  put_tag(bytes, kHeaderTag);
  put_le(bytes, header.major, 2);
  put_le(bytes, header.minor, 2);
  put_le(bytes, header.flags, 4);
  put_le(bytes, header.time, 8);
  put_le(bytes, writer.size(), 2);
  bytes.insert(bytes.end(), writer.begin(), writer.end());
  return put(bytes);
}

Result<void> ContainerWriter::frame(FrameKind kind, std::span<const uint8_t> content, int level) {
  if (content.size() > std::numeric_limits<uint32_t>::max()) return damaged("a frame of 4 GiB or more");
  ZSTD_CCtx* const context = zstd_->context;
  if (context == nullptr) return Error{Phase::Io, "out of memory for compression", Error::kNoOffset};
  ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_stableInBuffer, 1);  // no copy of the content
  ZSTD_CCtx_setPledgedSrcSize(context, content.size());

  const uint64_t begin = offset_;
  out_.resize(kIoBuffer);
  ZSTD_inBuffer in{content.data(), content.size(), 0};
  for (size_t left = 1; left != 0;) {
    ZSTD_outBuffer out{out_.data(), out_.size(), 0};
    left = ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
    if (ZSTD_isError(left)) {
      return Error{Phase::Io, std::string("compression failed: ") + ZSTD_getErrorName(left), Error::kNoOffset};
    }
    CHIWAWA_TRY(put(std::span(out_).first(out.pos)));
  }
  frames_.push_back({begin, static_cast<uint32_t>(offset_ - begin), static_cast<uint32_t>(content.size()), kind});
  if (is_digested(kind)) state_hasher_.update(content);
  return {};
}

Result<void> ContainerWriter::trailer() {
  std::vector<uint8_t> bytes;
  const uint64_t begin = offset_;
  const uint64_t content = kTrailerFixed + frames_.size() * kTrailerEntry;
  put_le(bytes, kSkippableMagic, 4);
  put_le(bytes, content, 4);
  put_tag(bytes, kTrailerTag);
  for (const FrameEntry& frame : frames_) {
    put_le(bytes, frame.offset, 8);
    put_le(bytes, frame.compressed_size, 4);
    put_le(bytes, frame.content_size, 4);
    put_le(bytes, static_cast<uint32_t>(frame.kind), 4);
    put_le(bytes, 0, 4);
  }
  const Sha256 state_digest = state_hasher_.digest();
  bytes.insert(bytes.end(), state_digest.begin(), state_digest.end());
  put_le(bytes, frames_.size(), 4);
  put_le(bytes, 0, 4);
  CHIWAWA_TRY(put(bytes));

  const Hash128 digest = hasher_.digest();
  std::vector<uint8_t> tail;
  put_le(tail, digest.low, 8);
  put_le(tail, digest.high, 8);
  put_le(tail, begin + kSkippablePrefix + content, 8);
  put_tag(tail, kEndTag);
  return put(tail);
}

// --- Reading ---------------------------------------------------------------------------------------------------------

struct ContainerReader::Zstd {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ~Zstd() { ZSTD_freeDCtx(context); }
};

struct ContainerReader::FrameInfo {
  uint32_t header_size = 0;
  uint64_t content_size = 0;
};

ContainerReader::ContainerReader(Source& source)
    : source_(source), zstd_(std::make_unique<Zstd>()), buffer_(kIoBuffer) {}
ContainerReader::~ContainerReader() = default;

std::span<const uint8_t> ContainerReader::buffered() const { return std::span(buffer_).subspan(begin_, end_ - begin_); }

void ContainerReader::consume(size_t count) {
  if (!seeking_) hasher_.update(buffered().first(count));
  begin_ += count;
  offset_ += count;
}

/// Tries to have `count` bytes (at most the buffer's size) in the buffer; returns how many there are.
Result<size_t> ContainerReader::peek(size_t count) {
  if (end_ - begin_ < count && begin_ != 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ - begin_ < count) {
    Result<size_t> got = source_.read(std::span(buffer_).subspan(end_));
    if (!got) return got.error();
    if (*got == 0) break;
    end_ += *got;
  }
  return end_ - begin_;
}

Result<void> ContainerReader::require(size_t count, const char* what) {
  Result<size_t> available = peek(count);
  if (!available) return available.error();
  if (*available < count) return damaged(std::string("the file ends within ") + what, offset_ + *available);
  return {};
}

Result<Header> ContainerReader::header() {
  constexpr size_t kFirst = kSkippablePrefix + kHeaderFixed;
  CHIWAWA_TRY(require(kSkippablePrefix + 8, "the header"));
  if (get_le(buffered(), 0, 4) != kSkippableMagic || !has_tag(buffered(), kSkippablePrefix, kHeaderTag)) {
    return damaged("not a snapshot", 0);
  }
  const uint64_t size = get_le(buffered(), 4, 4);
  if (size < kHeaderFixed || size > kMaxHeader) {
    return damaged("the header has an impossible size of " + std::to_string(size) + " bytes", 4);
  }
  CHIWAWA_TRY(require(kSkippablePrefix + static_cast<size_t>(size), "the header"));
  const std::span<const uint8_t> bytes = buffered();
  Header header;
  header.major = static_cast<uint16_t>(get_le(bytes, 16, 2));
  header.minor = static_cast<uint16_t>(get_le(bytes, 18, 2));
  header.flags = static_cast<uint32_t>(get_le(bytes, 20, 4));
  header.time = get_le(bytes, 24, 8);
  const size_t writer_size = static_cast<size_t>(get_le(bytes, 32, 2));
  if (header.major == kMajor) {
    if (writer_size > kMaxWriter || kHeaderFixed + writer_size > size) {
      return damaged("the writer's name has an impossible size of " + std::to_string(writer_size) + " bytes", 32);
    }
    header.writer.assign(bytes.begin() + kFirst, bytes.begin() + static_cast<ptrdiff_t>(kFirst + writer_size));
  }
  consume(kSkippablePrefix + static_cast<size_t>(size));
  return header;
}

Result<ContainerReader::FrameInfo> ContainerReader::frame_header() {
  Result<size_t> available = peek(ZSTD_FRAMEHEADERSIZE_MAX);
  if (!available) return available.error();
  ZSTD_FrameHeader header{};
  const size_t missing = ZSTD_getFrameHeader(&header, buffered().data(), *available);
  if (ZSTD_isError(missing)) return damaged("expected a compressed frame", offset_);
  if (missing != 0) return damaged("the file ends within a frame", offset_ + *available);
  if (header.frameType != ZSTD_frame) return damaged("expected a compressed frame", offset_);
  if (header.frameContentSize == ZSTD_CONTENTSIZE_UNKNOWN) return damaged("a frame without content size", offset_);
  if (header.checksumFlag == 0) return damaged("a frame without checksum", offset_);
  if (header.dictID != 0) return damaged("a frame that needs a dictionary", offset_);
  return FrameInfo{header.headerSize, header.frameContentSize};
}

Result<void> ContainerReader::frame(FrameKind kind, uint64_t max_content, Buffer& content) {
  const uint64_t begin = offset_;
  CHIWAWA_TRY(decompress(max_content, content));
  if (offset_ - begin > std::numeric_limits<uint32_t>::max()) return damaged("a frame of 4 GiB or more", begin);
  frames_.push_back(
      {begin, static_cast<uint32_t>(offset_ - begin), static_cast<uint32_t>(content.bytes().size()), kind});
  if (is_digested(kind)) state_hasher_.update(content.bytes());
  return {};
}

Result<void> ContainerReader::decompress(uint64_t max_content, Buffer& content) {
  const uint64_t begin = offset_;
  Result<FrameInfo> info = frame_header();
  if (!info) return info.error();
  if (info->content_size > max_content) {
    return damaged("a frame of " + std::to_string(info->content_size) + " bytes, more than the " +
                       std::to_string(max_content) + " allowed here",
                   begin);
  }
  if (const std::optional<uint64_t> size = source_.size()) {
    const uint64_t left = *size > begin ? *size - begin : 0;
    if (info->content_size / kMaxRatio > left) return damaged("a frame larger than the file can hold", begin);
  }
  if (!content.allocate(static_cast<size_t>(info->content_size))) {
    return Error{Phase::Io, "out of memory for a frame of " + std::to_string(info->content_size) + " bytes", begin};
  }
  ZSTD_DCtx* const context = zstd_->context;
  if (context == nullptr) return Error{Phase::Io, "out of memory for decompression", begin};
  ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters);
  // The content is its own window, so what the frame asks for need not be limited.
  ZSTD_DCtx_setParameter(context, ZSTD_d_stableOutBuffer, 1);
  ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, sizeof(size_t) == 8 ? 31 : 30);

  ZSTD_outBuffer out{content.bytes().data(), content.bytes().size(), 0};
  for (;;) {
    Result<size_t> available = peek(1);
    if (!available) return available.error();
    if (*available == 0) return damaged("the file ends within a frame", offset_);
    ZSTD_inBuffer in{buffered().data(), buffered().size(), 0};
    const size_t before = out.pos;
    const size_t left = ZSTD_decompressStream(context, &out, &in);
    if (ZSTD_isError(left)) return damaged(zstd_error(left), begin);
    const bool stuck = in.pos == 0 && out.pos == before;
    consume(in.pos);
    if (left == 0) break;
    if (stuck) return damaged("decompression failed: no progress", begin);
  }
  if (out.pos != content.bytes().size()) return damaged("a frame shorter than it says", begin);
  return {};
}

Result<void> ContainerReader::skip_frame(FrameKind kind, uint64_t max_content) {
  const uint64_t begin = offset_;
  if (seeking_) {
    if (frames_.size() >= announced_.frames.size()) return damaged("the trailer lists too few frames", begin);
    const FrameEntry& entry = announced_.frames[frames_.size()];
    if (entry.offset != begin || entry.kind != kind) return damaged("the seek table differs from the frames", begin);
    frames_.push_back(entry);
    go_to(begin + entry.compressed_size);
    return {};
  }
  Result<FrameInfo> info = frame_header();
  if (!info) return info.error();
  if (info->content_size > max_content) return damaged("a frame larger than allowed here", begin);
  consume(info->header_size);
  // RFC 8878, 3.1.1.2: blocks, each with a 3-byte header, then the checksum.
  for (bool last = false; !last;) {
    CHIWAWA_TRY(require(3, "a frame"));
    const uint32_t block = static_cast<uint32_t>(get_le(buffered(), 0, 3));
    last = (block & 1) != 0;
    consume(3);
    for (size_t left = ((block >> 1) & 3) == 1 ? 1 : block >> 3; left != 0;) {
      CHIWAWA_TRY(require(1, "a frame"));
      const size_t here = std::min(left, end_ - begin_);
      consume(here);
      left -= here;
    }
    if (offset_ - begin > 2 * max_content) return damaged("a frame larger than it says", begin);
  }
  CHIWAWA_TRY(require(4, "a frame"));
  consume(4);
  frames_.push_back({begin, static_cast<uint32_t>(offset_ - begin), static_cast<uint32_t>(info->content_size), kind});
  return {};
}

Result<bool> ContainerReader::at_trailer() {
  Result<size_t> available = peek(4);
  if (!available) return available.error();
  return *available >= 4 && get_le(buffered(), 0, 4) == kSkippableMagic;
}

/// Reads a trailer up to what its file digest covers.
Result<Trailer> ContainerReader::trailer_fields() {
  const uint64_t begin = offset_;
  CHIWAWA_TRY(require(kSkippablePrefix + 8, "the trailer"));
  if (get_le(buffered(), 0, 4) != kSkippableMagic || !has_tag(buffered(), 8, kTrailerTag)) {
    return damaged("expected the trailer", begin);
  }
  const uint64_t size = get_le(buffered(), 4, 4);
  if (size < kTrailerFixed || (size - kTrailerFixed) % kTrailerEntry != 0) {
    return damaged("the trailer has an impossible size of " + std::to_string(size) + " bytes", begin + 4);
  }
  consume(kSkippablePrefix + 8);

  Trailer trailer;
  for (uint64_t left = (size - kTrailerFixed) / kTrailerEntry; left != 0; --left) {
    CHIWAWA_TRY(require(kTrailerEntry, "the trailer"));
    if (get_le(buffered(), 20, 4) != 0) return damaged("a reserved field is not zero", offset_ + 20);
    trailer.frames.push_back({get_le(buffered(), 0, 8), static_cast<uint32_t>(get_le(buffered(), 8, 4)),
                              static_cast<uint32_t>(get_le(buffered(), 12, 4)),
                              static_cast<FrameKind>(get_le(buffered(), 16, 4))});
    consume(kTrailerEntry);
  }
  CHIWAWA_TRY(require(trailer.state_digest.size() + 8 + kTrailerTail, "the trailer"));
  std::copy_n(buffered().begin(), trailer.state_digest.size(), trailer.state_digest.begin());
  consume(trailer.state_digest.size());
  if (get_le(buffered(), 0, 4) != trailer.frames.size()) return damaged("the trailer has a wrong count", offset_);
  if (get_le(buffered(), 4, 4) != 0) return damaged("a reserved field is not zero", offset_ + 4);
  consume(8);
  if (get_le(buffered(), 16, 8) != begin + kSkippablePrefix + size) return damaged("wrong file size", offset_ + 16);
  if (!has_tag(buffered(), 24, kEndTag)) return damaged("the end mark is missing", offset_ + 24);
  return trailer;
}

Result<Trailer> ContainerReader::trailer() {
  const uint64_t begin = offset_;
  Result<Trailer> trailer = trailer_fields();
  if (!trailer) return trailer.error();
  if (trailer->frames != frames_) return damaged("the seek table differs from the frames", begin);
  if (trailer->state_digest != state_hasher_.digest()) return damaged("the state's digest does not match", begin);
  const Hash128 digest = hasher_.digest();
  if (!seeking_ && Hash128{get_le(buffered(), 0, 8), get_le(buffered(), 8, 8)} != digest) {
    return damaged("the file's digest does not match: it is damaged", offset_);
  }
  consume(kTrailerTail);

  // A pipe may stay open: nobody waits there for an end.
  if (source_.size()) {
    const Result<size_t> rest = peek(1);
    if (!rest) return rest.error();
  }
  if (begin_ != end_) return damaged("bytes after the end", offset_);
  return trailer;
}

void ContainerReader::go_to(uint64_t offset) {
  if (offset >= offset_ && offset - offset_ <= end_ - begin_) {
    begin_ += static_cast<size_t>(offset - offset_);
  } else {
    // Beyond the end there is nothing to read, which is noticed then.
    source_.seek(offset);
    begin_ = 0;
    end_ = 0;
  }
  offset_ = offset;
}

Result<bool> ContainerReader::seek_over() {
  const std::optional<uint64_t> size = source_.size();
  if (!size || !source_.seek(0)) return false;
  constexpr uint64_t kEnd = kTrailerFixed - 8;  // all but tag and entries
  seeking_ = true;
  if (*size < kSkippablePrefix + kTrailerFixed) return damaged("the file ends within the trailer", *size);
  go_to(*size - kEnd);
  CHIWAWA_TRY(require(kEnd, "the trailer"));
  if (!has_tag(buffered(), kEnd - 8, kEndTag)) return damaged("the end mark is missing: not a whole snapshot", *size);
  const uint64_t trailer_size = kSkippablePrefix + kTrailerFixed + get_le(buffered(), 32, 4) * kTrailerEntry;
  if (trailer_size > *size) return damaged("the trailer has an impossible number of frames", *size - kEnd + 32);
  go_to(*size - trailer_size);
  Result<Trailer> trailer = trailer_fields();
  if (!trailer) return trailer.error();
  announced_ = std::move(*trailer);
  go_to(0);
  return true;
}

Result<void> ContainerReader::frame_at(const FrameEntry& entry, uint64_t max_content, Buffer& content) {
  const uint64_t before = offset_;
  go_to(entry.offset);
  CHIWAWA_TRY(decompress(max_content, content));
  go_to(before);
  return {};
}

}  // namespace chiwawa::snapshot
