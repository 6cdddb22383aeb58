// Hostile bytes -> a FlatBuffer that may be looked at.
#pragma once

#include <cstdint>
#include <span>

#include <flatbuffers/flatbuffers.h>

namespace chiwawa::snapshot {

/// Verifies a size-prefixed buffer that must be exactly as long as it says.
template <typename Root>
const Root* flat_root(std::span<const uint8_t> bytes, const char* identifier) {
  if (bytes.size() < 16) return nullptr;
  if (flatbuffers::GetSizePrefixedBufferLength(bytes.data()) != bytes.size()) return nullptr;
  flatbuffers::Verifier::Options options;
  options.max_depth = 8;
  // A table takes at least its offset in the table above, its own offset to its vtable, and something in between.
  options.max_tables = static_cast<flatbuffers::uoffset_t>(bytes.size() / 8);
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), options);
  if (!verifier.VerifySizePrefixedBuffer<Root>(identifier)) return nullptr;
  return flatbuffers::GetSizePrefixedRoot<Root>(bytes.data());
}

}  // namespace chiwawa::snapshot
