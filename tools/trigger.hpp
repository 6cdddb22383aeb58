// The trigger file: its appearance asks for a checkpoint.
#pragma once

#include <chrono>
#include <string>

namespace chiwawa::tools {

/// Looks for the file, not more often than every 10 ms however often it is asked.
class Trigger {
 public:
  explicit Trigger(std::string path) : path_(std::move(path)) {}

  /// Whether the file is there. It is removed then; if that fails, a note is printed once and the file is not looked
  /// for any more, because it would trigger for ever.
  bool noticed(std::chrono::steady_clock::time_point now);

 private:
  static constexpr std::chrono::milliseconds kInterval{10};

  std::string path_;
  std::chrono::steady_clock::time_point next_look_{};
  bool given_up_ = false;
};

}  // namespace chiwawa::tools
