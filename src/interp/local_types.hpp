// The types of a function's locals by index, without spending more on them than the function's bytes pay for.
#pragma once

#include <cstdint>
#include <vector>

#include "interp/module.hpp"

namespace chiwawa {

/// A few bytes can declare tens of thousands of locals. Only as many are expanded as is proportional to the size of the
/// body, so that preparing all functions takes time linear in the module's size; the others are searched in their runs.
class LocalTypes {
 public:
  /// Requires a sum of parameters and locals that fits 32 bits. Both arguments must outlive the next call.
  void assign(const FuncType& type, const FunctionBody& body);

  uint32_t size() const { return size_; }
  /// Requires index < size().
  ValType operator[](uint32_t index) const { return index < expanded_.size() ? expanded_[index] : search(index); }

 private:
  ValType search(uint32_t index) const;

  uint32_t size_ = 0;
  std::vector<ValType> expanded_;
  std::vector<uint32_t> run_ends_;  ///< index after each run's last local; empty if all are expanded
  const FuncType* type_ = nullptr;
  const FunctionBody* body_ = nullptr;
};

}  // namespace chiwawa
