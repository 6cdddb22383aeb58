#include "wasi/descriptor.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace chiwawa::wasi {

Sys<uint32_t> DescriptorTable::add(Descriptor descriptor) {
  uint32_t number = maybe_free_;
  while (number < slots_.size() && slots_[number]) ++number;
  if (number >= kMaxDescriptors) return Errno::Mfile;
  put(number, std::move(descriptor));
  maybe_free_ = number + 1;
  return number;
}

void DescriptorTable::put(uint32_t number, Descriptor descriptor) {
  assert(number < kMaxDescriptors && find(number) == nullptr);
  if (number >= slots_.size()) slots_.resize(size_t{number} + 1);
  slots_[number] = std::move(descriptor);
}

Descriptor DescriptorTable::take(uint32_t number) {
  assert(find(number) != nullptr);
  Descriptor descriptor = std::move(*slots_[number]);
  slots_[number].reset();
  maybe_free_ = std::min(maybe_free_, number);
  return descriptor;
}

}  // namespace chiwawa::wasi
