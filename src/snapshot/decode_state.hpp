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
  uint32_t objects = 0;       ///< in the frames that follow
  uint64_t object_bytes = 0;  ///< of their fields
};

/// Decodes a size-prefixed State. Everything that Reader::open() promises is checked. Errors have no offset.
StateDecoding decode_state(std::span<const uint8_t> bytes, Records& records);

}  // namespace chiwawa::snapshot
