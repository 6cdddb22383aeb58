#include "trigger.hpp"

#include <cerrno>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

#include "report.hpp"

namespace chiwawa::tools {

bool Trigger::noticed(std::chrono::steady_clock::time_point now) {
  if (given_up_ || now < next_look_) return false;
  next_look_ = now + kInterval;
  struct stat status;
  if (::stat(path_.c_str(), &status) != 0) return false;
  if (::unlink(path_.c_str()) != 0) {
    given_up_ = true;
    print_note("cannot remove " + path_ + ": " + std::strerror(errno) + "; it is not looked for any more");
  }
  return true;
}

}  // namespace chiwawa::tools
