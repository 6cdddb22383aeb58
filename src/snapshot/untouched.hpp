// Which pages of a guest's memory nobody has touched: untouched_posix.cpp, untouched_preview1.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace chiwawa::snapshot {

/// Asks the system which pages it has not given yet. They are zero, and looking at them would take time and page
/// tables.
class UntouchedPages {
 public:
  UntouchedPages();
  ~UntouchedPages();
  UntouchedPages(const UntouchedPages&) = delete;
  UntouchedPages& operator=(const UntouchedPages&) = delete;

  /// Whether these bytes, which must be memory that no file is behind, are zero because nobody has touched them. False
  /// where the system does not say. Fast when asked by ascending addresses.
  bool contain(const uint8_t* data, size_t size);

 private:
  bool load(uintptr_t page);

  int file_ = -1;
  size_t page_size_ = 0;
  uintptr_t first_ = 0;            // the page of entries_[0]
  std::vector<uint64_t> entries_;  // what is known of pages
};

}  // namespace chiwawa::snapshot
