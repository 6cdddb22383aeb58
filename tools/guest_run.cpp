#include "guest_run.hpp"

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "checkpoint_files.hpp"
#include "pacer.hpp"
#include "report.hpp"
#include "trigger.hpp"

namespace chiwawa::tools {
namespace {

using Clock = std::chrono::steady_clock;

/// Polls in one run; a poll is at most a few hundred instructions away from the last in all but odd guests. Leaving and
/// entering the engine this often costs nothing measurable.
constexpr uint64_t kMaxPolls = 50'000;
/// Steps in one run of code that counts them.
constexpr uint64_t kMaxSteps = 1'000'000;

class GuestRun {
 public:
  GuestRun(Session& session, const Options& options)
      : session_(session),
        options_(options),
        machine_(session.machine()),
        trigger_(options.trigger_file),
        files_(options.checkpoint_file, options.checkpoint_keep),
        pacer_(session.store().compile_options.exact ? kMaxSteps : kMaxPolls),
        stop_at_(options.checkpoint_at) {
    if (options.checkpoint_every) next_save_ = Clock::now() + *options.checkpoint_every;
    if (stop_at_ && machine_.steps() > *stop_at_) {
      print_note("the snapshot was written at step " + std::to_string(machine_.steps()) +
                 ": there is no stop at step " + std::to_string(*stop_at_));
      stop_at_.reset();
    }
  }

  /// Until the program ends.
  int run();

 private:
  /// The same, without what is to be said of it in the end.
  int run_to_end();
  /// Shows where the machine stands to whoever samples.
  void sample(Clock::duration time);

  /// Goes on for about as long as the pacer says.
  Outcome run_on();
  /// Why the guest is to be saved now.
  enum class Wish : uint8_t { None, Asked, Due };
  Wish wish();
  /// Whether the program ends now.
  bool checkpoint(Wish wish);

  Session& session_;
  const Options& options_;
  Machine& machine_;
  Trigger trigger_;
  CheckpointFiles files_;
  std::optional<Clock::time_point> next_save_;  // --checkpoint-every
  Pacer pacer_;
  Outcome last_;
  bool begins_ = true;               // nothing can be saved before the first instruction
  bool paced_ = false;               // the last run was as long as the pacer says
  std::optional<uint64_t> stop_at_;  // steps
};

int GuestRun::run() {
  const int code = run_to_end();
  if (Instruments* const instruments = session_.instruments()) instruments->end(machine_, session_.store(), last_);
  return code;
}

void GuestRun::sample(Clock::duration time) {
  Instruments* const instruments = session_.instruments();
  if (instruments == nullptr || !instruments->samples()) return;
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  instruments->instrumentation().sample(machine_, session_.store(), static_cast<uint64_t>(nanoseconds));
}

int GuestRun::run_to_end() {
  for (;;) {
    const Clock::time_point begin = Clock::now();
    const bool begins = std::exchange(begins_, false);
    last_ = begins ? machine_.run(0) : run_on();
    const Outcome& outcome = last_;
    if (session_.instruments() != nullptr && outcome.kind != Outcome::Kind::Paused) session_.instruments()->flush();
    switch (outcome.kind) {
      case Outcome::Kind::Finished: {
        const Result<bool> more = session_.begin_next_call();
        if (!more) return print_error(more.error());
        if (*more) {
          begins_ = true;
          continue;
        }
        print_results(outcome.values, options_.snapshot_to_stdout() ? stderr : stdout);
        return kExitOk;
      }
      case Outcome::Kind::Trapped: print_trap(session_.store(), outcome.trap); return kExitTrap;
      case Outcome::Kind::Exited: return static_cast<int>(outcome.exit_code);
      case Outcome::Kind::Paused:
        if (outcome.pause == PauseReason::Budget && paced_) pacer_.ran(Clock::now() - begin);
        sample(Clock::now() - begin);
        break;
    }
    if (const Wish now = wish(); now != Wish::None && checkpoint(now)) return kExitOk;
  }
}

Outcome GuestRun::run_on() {
  const CompileOptions& code = session_.store().compile_options;
  paced_ = code.polls || code.exact;
  if (!code.exact) return machine_.run(code.polls ? pacer_.budget() : ~uint64_t{0});
  const uint64_t until_stop = stop_at_ ? *stop_at_ - machine_.steps() : ~uint64_t{0};
  const uint64_t worthwhile = 2 * machine_.reach();
  const uint64_t budget = std::max(pacer_.budget(), worthwhile);
  if (until_stop > budget) return machine_.run_up_to(budget);
  if (until_stop > worthwhile) return machine_.run_up_to(until_stop);
  paced_ = false;
  return machine_.run(until_stop);
}

GuestRun::Wish GuestRun::wish() {
  if (stop_at_ && machine_.steps() == *stop_at_) {
    stop_at_.reset();
    return Wish::Asked;
  }
  if (options_.checkpoints && trigger_.noticed(Clock::now())) return Wish::Asked;
  return next_save_ && Clock::now() >= *next_save_ ? Wish::Due : Wish::None;
}

bool GuestRun::checkpoint(Wish wish) {
  const std::string file = files_.next();
  const Result<void> saved = session_.save(file);
  if (next_save_) next_save_ = Clock::now() + *options_.checkpoint_every;
  if (!saved) {
    print_note("no checkpoint was written to " + (file == "-" ? "standard output" : file) +
               ", the guest goes on: " + describe(saved.error()));
    return false;
  }
  if (session_.instruments() != nullptr) session_.instruments()->flush();
  files_.written();
  if (options_.checkpoint_continue || wish == Wish::Due) return false;
  std::fputs("Execution stopped for checkpoint.\n", stderr);
  return true;
}

}  // namespace

int run_guest(Session& session, const Options& options) {
  if (session.trap() != TrapKind::None) {
    Trap trap;
    trap.kind = session.trap();
    print_trap(session.store(), trap);
    return kExitTrap;
  }
  return GuestRun(session, options).run();
}

}  // namespace chiwawa::tools
