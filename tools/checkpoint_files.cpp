#include "checkpoint_files.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <unistd.h>

#include "snapshot/chain.hpp"

namespace chiwawa::tools {
namespace {

/// The numbers N of all files "path.N". (Not "path.01": we do not write that.)
std::vector<uint64_t> numbers_of(const std::string& path) {
  std::vector<uint64_t> numbers;
  const std::string prefix = path.substr(path.rfind('/') + 1) + ".";
  DIR* const folder = ::opendir(snapshot::folder_of(path).c_str());
  if (folder == nullptr) return numbers;
  while (const dirent* const entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(prefix)) continue;
    const std::string_view digits = name.substr(prefix.size());
    uint64_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, number);
    if (error == std::errc() && at == end && !digits.starts_with('0')) numbers.push_back(number);
  }
  ::closedir(folder);
  return numbers;
}

}  // namespace

std::string CheckpointFiles::next() {
  if (!keep_) return path_;
  if (number_ == 0) {
    const std::vector<uint64_t> numbers = numbers_of(path_);
    number_ = numbers.empty() ? 1 : *std::max_element(numbers.begin(), numbers.end()) + 1;
  }
  return path_ + "." + std::to_string(number_);
}

void CheckpointFiles::written() {
  if (!keep_) return;
  for (const uint64_t number : numbers_of(path_)) {
    if (number + *keep_ <= number_) ::unlink((path_ + "." + std::to_string(number)).c_str());
  }
  ++number_;
}

}  // namespace chiwawa::tools
