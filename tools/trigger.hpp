// The trigger file: its appearance asks for a checkpoint.
#pragma once

#include <chrono>
#include <string>

namespace chiwawa::tools {

/// Looks for the file, not more often than every 10 ms however often it is asked. In builds with a second thread, that
/// one looks instead (watch()).
class Trigger {
 public:
  explicit Trigger(std::string path) : path_(std::move(path)) {}

  /// Lets a second thread look for the file from now on, where the build has one and the host can start it. There can
  /// be one such thread in a process. `verbose`: if the host cannot, a note says so.
  void watch(bool verbose);
  /// Whether a second thread looks: noticed() then costs nothing but a load.
  bool is_watched() const { return watched_; }

  /// Whether the file is there; `now` is the time, which does not matter if another thread looks. It is removed then;
  /// if that fails, a note is printed once and the file is not looked for any more, because it would trigger for ever.
  bool noticed(std::chrono::steady_clock::time_point now);

 private:
  static constexpr std::chrono::milliseconds kInterval{10};

  bool looked_for(std::chrono::steady_clock::time_point now);

  std::string path_;
  std::chrono::steady_clock::time_point next_look_{};
  bool watched_ = false;
  bool given_up_ = false;
};

}  // namespace chiwawa::tools
