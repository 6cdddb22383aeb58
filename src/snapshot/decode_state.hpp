// The state's FlatBuffer -> checked records; the inner half of Reader.
#pragma once

#include <cstdint>
#include <span>

#include "interp/result.hpp"
#include "snapshot/records.hpp"

namespace chiwawa::snapshot {

/// Why a state was refused: an error, and whether it is only unknown to this reader rather than wrong.
struct StateDecoding {
  Result<void> result;
  bool unsupported = false;
};

/// Decodes a size-prefixed State. Everything that Reader::open() promises is checked. Errors have no offset.
StateDecoding decode_state(std::span<const uint8_t> bytes, Records& records);

/// Decodes a size-prefixed PageGroup and checks it against its entry and the memory's size, the hash included. `runs`
/// holds what the view refers to.
Result<PageGroupView> decode_page_group(std::span<const uint8_t> bytes, const PageGroupRecord& entry,
                                        uint64_t memory_bytes, std::vector<BlockRun>& runs);

}  // namespace chiwawa::snapshot
