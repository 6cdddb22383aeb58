#include "snapshot/untouched.hpp"

namespace chiwawa::snapshot {

// A wasm host says nothing of that.
UntouchedPages::UntouchedPages() = default;
UntouchedPages::~UntouchedPages() = default;
bool UntouchedPages::contain(const uint8_t*, size_t) { return false; }

}  // namespace chiwawa::snapshot
