#include "trigger.hpp"

#include <cerrno>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

#include "report.hpp"
#ifdef CHIWAWA_WATCHER
#include "watcher_preview1.hpp"
#endif

namespace chiwawa::tools {

void Trigger::watch([[maybe_unused]] bool verbose) {
#ifdef CHIWAWA_WATCHER
  watched_ = start_watcher(path_.c_str());
  if (!watched_ && verbose)
    print_note("the host starts no second thread: the trigger file is looked for by the first one");
#endif
}

bool Trigger::looked_for(std::chrono::steady_clock::time_point now) {
#ifdef CHIWAWA_WATCHER
  if (watched_) return watcher_sees_file();
#endif
  if (now < next_look_) return false;
  next_look_ = now + kInterval;
  struct stat status;
  return ::stat(path_.c_str(), &status) == 0;
}

bool Trigger::noticed(std::chrono::steady_clock::time_point now) {
  if (given_up_ || !looked_for(now)) return false;
  if (::unlink(path_.c_str()) != 0) {
    given_up_ = true;
    print_note("cannot remove " + path_ + ": " + std::strerror(errno) + "; it is not looked for any more");
  }
#ifdef CHIWAWA_WATCHER
  if (watched_) let_watcher_go_on();
#endif
  return true;
}

}  // namespace chiwawa::tools
