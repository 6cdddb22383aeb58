#include "snapshot/read.hpp"

#include <algorithm>

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
  CHIWAWA_TRY(container_.frame(FrameKind::State, limits_.max_state, content_));
  StateDecoding decoding = decode_state(content_.bytes(), records_);
  unsupported_ = decoding.unsupported;
  if (!decoding.result) return at(decoding.result.error(), begin);
  CHIWAWA_TRY(read_objects(decoding.objects, decoding.object_bytes));
  content_.clear();
  return {};
}

Result<void> Reader::read_objects(uint32_t objects, uint64_t bytes) {
  HeapRecord& heap = records_.heap;
  if (objects * sizeof(ObjectHeader) + bytes > limits_.max_heap) {
    return damaged("the heap's objects take more than the " + std::to_string(limits_.max_heap) + " bytes allowed");
  }
  while (heap.objects.size() < objects || heap.bytes.size() < bytes) {
    const uint64_t begin = container_.offset();
    const uint64_t more_objects = std::min<uint64_t>(kObjectPartObjects, objects - heap.objects.size());
    const uint64_t more_bytes = std::min<uint64_t>(kObjectPartBytes, bytes - heap.bytes.size());
    const uint64_t objects_before = heap.objects.size(), bytes_before = heap.bytes.size();
    CHIWAWA_TRY(container_.frame(FrameKind::ObjectPart, kMaxObjectPart, content_));
    if (const Result<void> decoded = decode_object_part(content_.bytes(), heap); !decoded) {
      return at(decoded.error(), begin);
    }
    if (heap.objects.size() - objects_before != more_objects || heap.bytes.size() - bytes_before != more_bytes) {
      return damaged("a part of the heap has a wrong size", begin);
    }
  }
  return {};
}

Result<std::vector<std::vector<uint8_t>>> Reader::read_modules() {
  past_modules_ = true;
  std::vector<std::vector<uint8_t>> modules(records_.modules.size());
  for (uint32_t m = 0; m < modules.size(); ++m) {
    const ModuleRecord& record = records_.modules[m];
    if (!record.embedded) continue;
    while (modules[m].size() < record.size) {
      const uint64_t begin = container_.offset();
      CHIWAWA_TRY(container_.frame(FrameKind::ModulePart, kMaxModulePart, content_));
      const Result<std::span<const uint8_t>> part = decode_module_part(content_.bytes(), m);
      if (!part) return at(part.error(), begin);
      if (part->size() != std::min(kModulePartSize, record.size - modules[m].size())) {
        return damaged("a part of a module has a wrong size", begin);
      }
      modules[m].insert(modules[m].end(), part->begin(), part->end());
    }
    if (sha256(modules[m]) != record.sha256) {
      return damaged("the embedded module " + std::to_string(m) + " is not the one that it should be");
    }
  }
  return modules;
}

Result<bool> Reader::next_batch(BlockBatch& batch, bool contents) {
  if (!past_modules_) {
    past_modules_ = true;
    for (const ModuleRecord& record : records_.modules) {
      if (!record.embedded) continue;
      for (uint64_t left = (record.size + kModulePartSize - 1) / kModulePartSize; left != 0; --left) {
        CHIWAWA_TRY(container_.skip_frame(FrameKind::ModulePart, kMaxModulePart));
      }
    }
  }
  const Result<bool> end = container_.at_trailer();
  if (!end) return end.error();
  if (*end) return false;
  uint64_t begin = container_.offset();
  CHIWAWA_TRY(container_.frame(FrameKind::BlockIndex, kMaxBlockIndex, content_));
  if (const Result<void> decoded = index_.decode(content_.bytes(), records_); !decoded) {
    return at(decoded.error(), begin);
  }
  for (const BlockRun& run : index_.runs()) {
    if (run.kind != BlockKind::Zero || records_.base) records_.memories[run.first.memory].listed_blocks += run.count;
  }
  batch = {index_.runs(), index_.hashes(), {}};
  if (index_.stored() == 0) return true;
  if (!contents) {
    CHIWAWA_TRY(container_.skip_frame(FrameKind::Blocks, kMaxBlocks));
    return true;
  }
  begin = container_.offset();
  CHIWAWA_TRY(container_.frame(FrameKind::Blocks, kMaxBlocks, content_));
  const Result<std::span<const uint8_t>> bytes = decode_blocks(content_.bytes(), index_);
  if (!bytes) return at(bytes.error(), begin);
  batch.bytes = *bytes;
  return true;
}

Result<std::span<const uint8_t>> Reader::blocks_at(const FrameEntry& frame, Buffer& content) {
  CHIWAWA_TRY(container_.frame_at(frame, kMaxBlocks, content));
  Result<std::span<const uint8_t>> bytes = decode_blocks(content.bytes());
  if (!bytes) return at(bytes.error(), frame.offset);
  return bytes;
}

Result<void> Reader::finish() {
  Result<Trailer> trailer = container_.trailer();
  if (!trailer) return trailer.error();
  trailer_ = std::move(*trailer);
  return {};
}

namespace {

/// The hashes of all blocks of a snapshot, to compare copies with their sources.
class Hashes {
 public:
  /// Without memories if there are so many blocks that the table would be large. (A hostile file can say so.)
  explicit Hashes(const Records& records) {
    constexpr uint64_t kMostBlocks = 1u << 22;
    uint64_t blocks = 0;
    for (const MemoryRecord& memory : records.memories) blocks += memory.blocks();
    if (blocks <= kMostBlocks) memories_.resize(records.memories.size());
  }

  Result<void> add(const BlockBatch& batch) {
    Result<void> result;
    if (memories_.empty()) return result;
    batch.for_each_run([&](const BlockRun& run, std::span<const Hash128> hashes, std::span<const uint8_t>) {
      auto& memory = memories_[run.first.memory];
      const auto first = static_cast<size_t>(run.first.block);
      if (memory.size() < first + run.count) memory.resize(first + run.count);
      for (uint32_t i = 0; i < run.count && run.kind != BlockKind::Zero; ++i) {
        const Hash128 hash = hashes[run.kind == BlockKind::Repeat ? 0 : i];
        memory[first + i] = hash;
        if (run.kind == BlockKind::Stored) continue;
        const BlockPlace from = run.source_of(i);
        const auto& source = memories_[from.memory];
        // What is not listed before may be in the base.
        const Hash128 wanted = from.block < source.size() ? source[static_cast<size_t>(from.block)] : Hash128{};
        if (wanted != Hash128{} && wanted != hash) result = damaged("a copied block has another hash than its source");
      }
    });
    return result;
  }

 private:
  std::vector<std::vector<Hash128>> memories_;
};

}  // namespace

Result<void> verify_rest(Reader& reader) {
  if (const auto modules = reader.read_modules(); !modules) return modules.error();
  Hashes hashes(reader.records());
  for (;;) {
    BlockBatch batch;
    Result<bool> more = reader.next_batch(batch);
    if (!more) return more.error();
    if (!*more) return reader.finish();
    CHIWAWA_TRY(hashes.add(batch));
  }
}

Result<void> verify(Source& source, ReadLimits limits) {
  Reader reader(source, limits);
  CHIWAWA_TRY(reader.open());
  return verify_rest(reader);
}

}  // namespace chiwawa::snapshot
