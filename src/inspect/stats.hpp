// What takes a snapshot's bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inspect/memory_walk.hpp"
#include "inspect/views.hpp"

namespace chiwawa::inspect {

struct Stats {
  struct Part {
    std::string name;      ///< "header", "state", "modules", "block index", "blocks", "trailer"
    uint64_t frames = 0;   ///< compressed parts; 0: not compressed
    uint64_t bytes = 0;    ///< in the file
    uint64_t content = 0;  ///< before compression
  };
  struct MemoryPart {
    std::string name;
    uint64_t bytes = 0;            ///< the memory's size
    uint64_t used_blocks = 0;      ///< that are not zero
    uint64_t distinct_blocks = 0;  ///< of these, counted once if equal to an earlier one of any memory
    uint64_t used_bytes = 0;       ///< bytes that are not zero
  };
  uint64_t file_bytes = 0;
  std::vector<Part> parts;
  /// What the state consists of, before compression: about, without what FlatBuffers adds.
  std::vector<Part> state;
  std::vector<MemoryPart> memories;
};

/// Reads all memory contents. Errors as BlockStore::read.
Result<Stats> stats_of(const Subject& subject);
void print_stats(Text& out, const Stats& stats);
Json json_of_stats(const Stats& stats);

}  // namespace chiwawa::inspect
