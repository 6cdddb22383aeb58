// A snapshot as text or JSON, for tools and test failures alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "snapshot/describe.hpp"
#include "snapshot/read.hpp"

namespace chiwawa::snapshot {

/// What is known about the file besides the records.
struct FileFacts {
  std::string name;   ///< may be empty
  uint64_t size = 0;  ///< bytes
  Header header;
  Sha256 state_digest{};
};

/// The program, where it stopped, its stack, memory and descriptors, in a dozen lines or two.
std::string print_overview(const FileFacts& file, const Records& records, const Names& names);

/// Every frame with its typed locals and operands, innermost first.
std::string print_frames(const Records& records, const Names& names);

/// The same facts for programs: one JSON object. Its members are described in schema/FORMAT.md.
std::string print_json(const FileFacts& file, const Records& records, const Names& names);

/// Bytes [begin, end) of a memory.
struct MemoryRange {
  uint32_t memory = 0;  ///< address
  uint64_t begin = 0;
  uint64_t end = 0;
};

/// Reads the rest of the snapshot (just opened), checking all of it, and returns the range, widened to multiples of 16,
/// as a hex dump; an empty string without a range. Bases are looked for from `folder` on. Phase::Invoke if the range is
/// not in the memory, otherwise as the reader.
Result<std::string> dump_memory(Reader& reader, std::optional<MemoryRange> range, const std::string& folder = ".");

}  // namespace chiwawa::snapshot
