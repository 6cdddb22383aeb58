#include "snapshot/untouched.hpp"

#include <utility>

#if defined(__linux__)
#include <fcntl.h>
#include <unistd.h>
#endif

namespace chiwawa::snapshot {

#if defined(__linux__)

// https://www.kernel.org/doc/html/latest/admin-guide/mm/pagemap.html: one entry for each page.
namespace {

constexpr size_t kEntries = 1u << 15;  // 256 KiB, of 128 MiB of memory
constexpr uint64_t kPresentOrSwapped = uint64_t{3} << 62;

}  // namespace

UntouchedPages::UntouchedPages()
    : file_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)), page_size_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
  // Who does not know that this page is in use, as a sandbox might not, is not believed.
  volatile uint8_t touched = 1;
  const bool honest = !contain(const_cast<const uint8_t*>(&touched), 1) && !entries_.empty();
  if (!honest && file_ >= 0) close(std::exchange(file_, -1));
}

UntouchedPages::~UntouchedPages() {
  if (file_ >= 0) close(file_);
}

bool UntouchedPages::load(uintptr_t page) {
  entries_.resize(kEntries);
  const ssize_t got = pread(file_, entries_.data(), kEntries * sizeof(uint64_t), static_cast<off_t>(page * 8));
  entries_.resize(got < 0 ? 0 : static_cast<size_t>(got) / sizeof(uint64_t));
  first_ = page;
  return !entries_.empty();
}

bool UntouchedPages::contain(const uint8_t* data, size_t size) {
  if (file_ < 0) return false;
  const auto address = reinterpret_cast<uintptr_t>(data);
  for (uintptr_t page = address / page_size_; page <= (address + size - 1) / page_size_; ++page) {
    if ((page < first_ || page - first_ >= entries_.size()) && !load(page)) return false;
    if ((entries_[page - first_] & kPresentOrSwapped) != 0) return false;
  }
  return true;
}

#else

UntouchedPages::UntouchedPages() = default;
UntouchedPages::~UntouchedPages() = default;
bool UntouchedPages::contain(const uint8_t*, size_t) { return false; }

#endif

}  // namespace chiwawa::snapshot
