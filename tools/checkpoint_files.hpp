// Which files checkpoints go to, and which of the older ones stay.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace chiwawa::tools {

/// Without a number to keep, every checkpoint goes to `path` and replaces the one before. With one, checkpoints are
/// numbered: "path.1", "path.2", …, going on after the highest number that is there, and of all such files the last
/// `keep` stay.
class CheckpointFiles {
 public:
  CheckpointFiles(std::string path, std::optional<uint32_t> keep) : path_(std::move(path)), keep_(keep) {}

  /// Where the next checkpoint belongs.
  std::string next();
  /// Says that next() has been written: older ones that are too many are removed.
  void written();

 private:
  std::string path_;
  std::optional<uint32_t> keep_;
  uint64_t number_ = 0;  // of the one that is written next; 0: not known yet
};

}  // namespace chiwawa::tools
