#include "guest_run.hpp"

#include <cstdio>
#include <string>
#include <utility>

#include "report.hpp"

namespace chiwawa::tools {
namespace {

/// Polls in one run; a poll is at most a few hundred instructions away from the last in all but odd guests. Leaving and
/// entering the engine this often costs nothing measurable.
constexpr uint64_t kMaxPolls = 50'000;
/// Steps in one run of code that counts them.
constexpr uint64_t kMaxSteps = 1'000'000;

}  // namespace

GuestRun::GuestRun(Session& session, const Options& options)
    : session_(session),
      options_(options),
      machine_(session.machine()),
      trigger_(options.trigger_file),
      files_(options.checkpoint_file, options.checkpoint_keep),
      pacer_(session.store().compile_options.exact ? kMaxSteps : kMaxPolls),
      stop_at_(options.checkpoint_at) {
  if (options.checkpoint_every) next_save_ = Clock::now() + *options.checkpoint_every;
  if (options.checkpoints) trigger_.watch(options.verbose);
  const Instruments* const instruments = session.instruments();
  timed_ = (options.checkpoints && !trigger_.is_watched()) || next_save_ || stop_at_ ||
           (instruments != nullptr && instruments->samples());
  if (stop_at_ && machine_.steps() > *stop_at_) {
    print_note("the snapshot was written at step " + std::to_string(machine_.steps()) + ": there is no stop at step " +
               std::to_string(*stop_at_));
    stop_at_.reset();
  }
}

std::optional<int> GuestRun::proceed() {
  const std::optional<int> code = proceed_or_end();
  if (Instruments* const instruments = session_.instruments(); code && instruments != nullptr) {
    instruments->end(machine_, session_.store(), last_);
  }
  return code;
}

std::optional<int> GuestRun::proceed_or_end() {
  waits_ = false;
  if (session_.trap() != TrapKind::None) {
    last_.kind = Outcome::Kind::Trapped;
    last_.trap.kind = session_.trap();
    print_trap(session_.store(), last_.trap);
    return kExitTrap;
  }
  const Clock::time_point began = !timed_ ? Clock::time_point() : began_ ? *began_ : Clock::now();
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
        return std::nullopt;
      }
      print_results(outcome.values, options_.snapshot_to_stdout() ? stderr : stdout);
      return kExitOk;
    }
    case Outcome::Kind::Trapped: print_trap(session_.store(), outcome.trap); return kExitTrap;
    case Outcome::Kind::Exited: return static_cast<int>(outcome.exit_code);
    case Outcome::Kind::Paused:
      waits_ = outcome.pause == PauseReason::HostWait;
      if (timed_) look_at_clock(began);
      break;
  }
  if (const Wish now = wish(); now != Wish::None && checkpoint(now)) return kExitOk;
  return std::nullopt;
}

void GuestRun::look_at_clock(Clock::time_point began) {
  began_ = Clock::now();
  const Clock::duration time = *began_ - began;
  if (!waits_ && paced_) pacer_.ran(time);
  Instruments* const instruments = session_.instruments();
  if (instruments == nullptr || !instruments->samples()) return;
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  instruments->instrumentation().sample(machine_, session_.store(), static_cast<uint64_t>(nanoseconds));
}

Outcome GuestRun::run_on() {
  const CompileOptions& code = session_.store().compile_options;
  paced_ = code.polls || code.exact;
  // Without a clock there is nobody to be in time for.
  const uint64_t slice = timed_ ? pacer_.budget() : code.exact ? kMaxSteps : kMaxPolls;
  if (!code.exact) return machine_.run(code.polls ? slice : ~uint64_t{0});
  const uint64_t until_stop = stop_at_ ? *stop_at_ - machine_.steps() : ~uint64_t{0};
  const uint64_t worthwhile = 2 * machine_.reach();
  const uint64_t budget = std::max(slice, worthwhile);
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
  if (std::exchange(asked_, false)) return Wish::Asked;
  // Where the clock is not read, another thread looks for the file.
  const Clock::time_point now = began_.value_or(Clock::time_point());
  if (options_.checkpoints && trigger_.noticed(now)) return Wish::Asked;
  return next_save_ && now >= *next_save_ ? Wish::Due : Wish::None;
}

bool GuestRun::checkpoint(Wish wish) {
  const std::string file = files_.next();
  const Result<void> saved = session_.save(file);
  leave();
  if (next_save_) next_save_ = Clock::now() + *options_.checkpoint_every;
  if (!saved) {
    print_note("no checkpoint was written to " + (file == "-" ? "standard output" : file) +
               ", the guest goes on: " + describe(saved.error()));
    return false;
  }
  files_.written();
  if (options_.checkpoint_continue || wish == Wish::Due) return false;
  std::fputs("Execution stopped for checkpoint.\n", stderr);
  stopped_ = true;
  return true;
}

int run_guest(Session& session, const Options& options) {
  GuestRun run(session, options);
  for (;;) {
    if (const std::optional<int> code = run.proceed()) return *code;
  }
}

}  // namespace chiwawa::tools
