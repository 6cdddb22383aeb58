// A snapshot as one page to browse: no other files, nothing from a network.
#pragma once

#include <cstdint>

#include "inspect/text.hpp"
#include "inspect/views.hpp"

namespace chiwawa::inspect {

struct HtmlOptions {
  /// Bytes of memory contents that the page carries at most; the page says what it leaves out.
  uint64_t max_memory = 4u << 20;
};

/// Overview, stack with values, memory with a picture and a hex view, globals, tables, segments, WASI, statistics. All
/// text of the snapshot is escaped, and the page forbids itself to load anything. Errors as BlockStore::read.
Result<void> print_html(Text& out, const Subject& subject, HtmlOptions options = {});

}  // namespace chiwawa::inspect
