// Two snapshots -> what differs, in the order in which a person wants to know it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inspect/memory_walk.hpp"
#include "inspect/open.hpp"
#include "inspect/subject.hpp"
#include "inspect/text.hpp"
#include "inspect/views.hpp"

namespace chiwawa::inspect {

/// One thing that differs: "global 3 ($counter)", "i32 1", "i32 2". What only one side has is empty on the other.
struct Change {
  std::string what;
  std::string from;
  std::string to;
};

/// What differs in one part of the state but memory contents.
struct PartChanges {
  static constexpr size_t kMaxKept = 10'000;

  std::string name;     ///< "program", "stack", "globals", "tables", "segments", "heap", "wasi"
  std::string summary;  ///< "1 frame left, 2 entered"; may be empty
  uint64_t count = 0;
  std::vector<Change> changes;  ///< the first kMaxKept
};

/// Sixteen bytes of both sides, of which some differ.
struct LineChange {
  uint64_t offset = 0;
  std::vector<uint8_t> a;  ///< shorter or empty beyond that memory's end
  std::vector<uint8_t> b;
};

struct MemoryChanges {
  static constexpr size_t kMaxLines = 1000;

  uint32_t memory = 0;  ///< address
  std::string name;     ///< "memory 0"
  uint64_t pages_a = 0;
  uint64_t pages_b = 0;
  uint64_t bytes_a = 0;  ///< its size
  uint64_t bytes_b = 0;
  std::string type_a;  ///< "1…40": pages as declared; empty if that side has no such memory
  std::string type_b;
  bool compared = true;           ///< false: a range of another memory was asked for
  uint64_t bytes = 0;             ///< that differ
  uint64_t lines = 0;             ///< of 16 bytes
  std::vector<uint64_t> blocks;   ///< numbers of the 4-KiB blocks that differ
  std::vector<LineChange> shown;  ///< the first kMaxLines lines

  bool empty() const { return pages_a == pages_b && bytes_a == bytes_b && type_a == type_b && bytes == 0; }
};

struct Differences {
  std::optional<std::pair<uint64_t, uint64_t>> steps;  ///< if both are known and differ
  std::vector<PartChanges> parts;                      ///< also those without changes
  std::vector<MemoryChanges> memories;                 ///< also those without changes

  bool empty() const;
};

struct DiffOptions {
  bool ignore_clock = false;   ///< monotonic clock, time asleep, files' times of change
  bool ignore_random = false;  ///< the state of a deterministic guest's random numbers
  /// Compare memory contents only here.
  std::optional<MemoryRange> range;
};

/// Compares two snapshots. Of the files only states count: who wrote them when, and in how many parts, makes no
/// difference. Blocks with equal hashes are not read. Errors as BlockStore::read; `which` is set to 0 or 1, for the
/// snapshot that they are of.
Result<Differences> diff(const Subject& a, const Subject& b, const DiffOptions& options, int& which);

/// Gives each the modules of the other, so that the same functions have the same names.
void share_modules(OpenSnapshot& a, OpenSnapshot& b);

struct DiffStyle {
  size_t max_changes = 16;  ///< shown of each part
  size_t max_lines = 16;    ///< of memory bytes
};

/// What a person wants to know first. Nothing if the states are equal.
void print_diff(Text& out, const Differences& differences, DiffStyle style = {});
/// One line for each part, also for equal ones.
void print_diff_stat(Text& out, const Differences& differences);
/// A picture of the memories' blocks that differ.
void print_diff_pages(Text& out, const Differences& differences);
/// schema/diff.schema.json
Json json_of_diff(const Differences& differences);

/// The differences between two snapshot files as text, for the output of tests. Empty if the states are equal; what is
/// wrong, if one cannot be read.
std::string explain_difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b,
                               std::span<const std::shared_ptr<const Module>> modules = {});

}  // namespace chiwawa::inspect
