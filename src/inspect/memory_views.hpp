// The views that read memory contents.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/memory_walk.hpp"
#include "inspect/subject.hpp"
#include "inspect/text.hpp"
#include "inspect/views.hpp"
#include "snapshot/function_ref.hpp"

namespace chiwawa::inspect {

/// The range as asked for, or the whole memory. Phase::Invoke if it is not in that memory.
Result<MemoryRange> memory_range(const snapshot::Records& records, uint32_t memory,
                                 std::optional<std::pair<uint64_t, uint64_t>> bytes);

/// As hex dump, widened to multiples of 16.
Result<void> print_memory(Text& out, const Subject& subject, MemoryRange range);

/// "68 69" and 0x6869 are bytes, anything else is text; text in double quotes is text in any case. Empty if there is
/// nothing to look for. Phase::Invoke.
Result<std::vector<uint8_t>> parse_pattern(std::string_view text);

/// Where the pattern, which is not all zero, occurs; overlapping places included.
struct Matches {
  static constexpr size_t kMaxShown = 1000;
  uint64_t count = 0;
  std::vector<uint64_t> offsets;  ///< the first kMaxShown
};
Result<Matches> find_in_memory(const Subject& subject, MemoryRange range, const std::vector<uint8_t>& pattern);
/// One line for each, as in a hex dump, beginning with the match.
Result<void> print_matches(Text& out, const Subject& subject, MemoryRange range, const Matches& matches);

/// Every run of at least `min_length` printable ASCII characters, with its address; long ones are cut.
using TakeString = snapshot::FunctionRef<void(uint64_t offset, std::string_view text)>;
Result<void> find_strings(const Subject& subject, MemoryRange range, size_t min_length, TakeString take);

/// How full each cell of a range is: a cell is a power of two of 4-KiB blocks, so that there are at most 4096 of them.
struct PageMap {
  MemoryRange range;  ///< begin and end are multiples of a block
  uint64_t cell_bytes = 0;
  std::vector<uint64_t> used;  ///< of each cell: bytes that are not zero
};
Result<PageMap> page_map(const Subject& subject, MemoryRange range);
/// A picture in characters, 64 cells a line.
void print_page_map(Text& out, const PageMap& map);

/// JSON of the above; see schema/inspect.schema.json. Phase::Invoke if the range's bytes are too many for a document.
Result<Json> json_of_memory(const Subject& subject, MemoryRange range);
Json json_of_matches(const Matches& matches);
Json json_of_page_map(const PageMap& map);

}  // namespace chiwawa::inspect
