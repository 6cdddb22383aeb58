#include "interp/local_types.hpp"

#include <algorithm>

namespace chiwawa {

void LocalTypes::assign(const FuncType& type, const FunctionBody& body) {
  type_ = &type;
  body_ = &body;
  const auto params = static_cast<uint32_t>(type.params.size());
  size_ = params + body.local_count;

  constexpr uint64_t kFree = 256;
  const auto expanded = static_cast<uint32_t>(std::min<uint64_t>(size_, kFree + uint64_t{4} * body.code.size()));
  expanded_.resize(expanded);
  std::copy_n(type.params.begin(), std::min(expanded, params), expanded_.begin());
  run_ends_.clear();
  uint32_t end = params;
  for (const LocalRun& run : body.locals) {
    const uint32_t begin = end;
    end += run.count;
    if (begin < expanded) std::fill_n(expanded_.data() + begin, std::min(end, expanded) - begin, run.type);
    if (expanded < size_) run_ends_.push_back(end);
  }
}

ValType LocalTypes::search(uint32_t index) const {
  if (index < type_->params.size()) return type_->params[index];
  const auto run = std::upper_bound(run_ends_.begin(), run_ends_.end(), index) - run_ends_.begin();
  return body_->locals[static_cast<size_t>(run)].type;
}

}  // namespace chiwawa
