// Snapshots put together by hand, with right digests whatever they say.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "snapshot/block_writer.hpp"
#include "snapshot/container.hpp"
#include "snapshot/read.hpp"

namespace forgery {

/// Writes a file with that state, and the embedded modules and memory contents of a good file.
inline chiwawa::Result<void> write_with_state(chiwawa::snapshot::Sink& sink, std::span<const uint8_t> state,
                                              std::span<const uint8_t> good) {
  using namespace chiwawa::snapshot;
  ContainerWriter container(sink);
  CHIWAWA_TRY(container.header({.writer = "forger"}));
  CHIWAWA_TRY(container.frame(FrameKind::State, state, kStateLevel));
  MemorySource source(good);
  Reader reader(source);
  CHIWAWA_TRY(reader.open());
  BlockBatch batch;
  for (;;) {
    const chiwawa::Result<bool> more = reader.next_batch(batch);
    if (!more) return more.error();
    if (!*more) return container.trailer();
    CHIWAWA_TRY(container.frame(FrameKind::BlockIndex, encode_block_index(batch), kMemoryLevel));
    if (!batch.bytes.empty()) {
      CHIWAWA_TRY(container.frame(FrameKind::Blocks, encode_blocks(batch.bytes), kMemoryLevel));
    }
  }
}

}  // namespace forgery
