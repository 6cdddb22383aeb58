// proc_*, sched_yield.
#include "wasi/functions.hpp"

namespace chiwawa::wasi::preview1 {

Answer proc_exit(Call&, uint32_t code) { return Answer::exit(code); }

Answer proc_raise(Call&, uint32_t signal) {
  // preview1 has no handlers: each signal does what it does by default.
  constexpr uint32_t kNone = 0, kChld = 16, kCont = 17, kStop = 18, kTtou = 21, kUrg = 22, kWinch = 27;
  if (signal >= kSignalCount) return Errno::Inval;
  if (signal == kNone || signal == kChld || signal == kCont || signal == kUrg || signal == kWinch) {
    return Errno::Success;
  }
  if (signal >= kStop && signal <= kTtou) return Errno::Notsup;  // nobody could make it go on
  return Answer::exit(128 + signal);
}

Answer sched_yield(Call& call) {
  call.wasi.os->yield();
  return Errno::Success;
}

}  // namespace chiwawa::wasi::preview1
