// Snapshots put together by hand, with right digests whatever they say.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "snapshot/block_writer.hpp"
#include "snapshot/container.hpp"
#include "snapshot/function_ref.hpp"
#include "snapshot/read.hpp"
#include "snapshot/write.hpp"

namespace forgery {

/// Makes the contents of a frame from those of a good file's: a block index as its FlatBuffer, blocks as they are.
using Forge = chiwawa::snapshot::FunctionRef<std::vector<uint8_t>(const chiwawa::snapshot::BlockBatch&)>;

/// Writes a file with that state, the objects of `heap` or else of a good file, the memory contents of that, and block
/// indices that `index` makes from the good ones.
inline chiwawa::Result<void> write_forged(chiwawa::snapshot::Sink& sink, std::span<const uint8_t> state,
                                          std::span<const uint8_t> good, Forge index,
                                          const chiwawa::snapshot::HeapRecord* heap = nullptr) {
  using namespace chiwawa::snapshot;
  ContainerWriter container(sink);
  CHIWAWA_TRY(container.header({.writer = "forger"}));
  CHIWAWA_TRY(container.frame(FrameKind::State, state, kStateLevel));
  MemorySource source(good);
  Reader reader(source);
  CHIWAWA_TRY(reader.open());
  CHIWAWA_TRY(write_objects(container, heap != nullptr ? *heap : reader.records().heap));
  BlockBatch batch;
  for (;;) {
    const chiwawa::Result<bool> more = reader.next_batch(batch);
    if (!more) return more.error();
    if (!*more) return container.trailer();
    CHIWAWA_TRY(container.frame(FrameKind::BlockIndex, index(batch), kMemoryLevel));
    if (!batch.bytes.empty()) {
      CHIWAWA_TRY(container.frame(FrameKind::Blocks, encode_blocks(batch.bytes), kMemoryLevel));
    }
  }
}

/// The same with good indices.
inline chiwawa::Result<void> write_with_state(chiwawa::snapshot::Sink& sink, std::span<const uint8_t> state,
                                              std::span<const uint8_t> good,
                                              const chiwawa::snapshot::HeapRecord* heap = nullptr) {
  const auto as_it_is = [](const chiwawa::snapshot::BlockBatch& batch) {
    return chiwawa::snapshot::encode_block_index(batch);
  };
  return write_forged(sink, state, good, as_it_is, heap);
}

}  // namespace forgery
