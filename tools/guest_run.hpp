// Runs a session's guest to its end, and saves it when the options ask for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "checkpoint_files.hpp"
#include "options.hpp"
#include "pacer.hpp"
#include "session.hpp"
#include "trigger.hpp"

namespace chiwawa::tools {

/// A run in pieces. Session and options must outlive it.
class GuestRun {
 public:
  GuestRun(Session& session, const Options& options);

  /// Goes on for a few milliseconds if the guest can be stopped, otherwise to its end. The exit code when the run has
  /// ended, because the guest has or because it was saved and stopped; then it must not be called again.
  std::optional<int> proceed();
  /// Says that something else is done before the next proceed(), so that the time until then is not the guest's.
  void leave() { began_.reset(); }
  /// Whether the guest waits for time or input: it need not go on before there is some.
  bool waits() const { return waits_; }
  /// Whether the run ended by a checkpoint.
  bool stopped() const { return stopped_; }
  /// Asks for a checkpoint, as the trigger file does: the next proceed() writes it.
  void ask() { asked_ = true; }

 private:
  using Clock = std::chrono::steady_clock;

  /// The same, without what is to be said of it in the end.
  std::optional<int> proceed_or_end();
  /// Goes on for about as long as the pacer says.
  Outcome run_on();
  /// Reads the clock, and says how long the guest took to whoever wants to know.
  void look_at_clock(Clock::time_point began);
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
  // When the last run ended and the next one begins. The clock is read once for each run: to a wasm host this is a call
  // that costs as much as some hundred instructions of the guest.
  std::optional<Clock::time_point> began_;
  bool timed_;          // somebody wants to know how long each run takes
  bool begins_ = true;  // nothing can be saved before the first instruction
  bool paced_ = false;  // the last run was as long as the pacer says
  bool asked_ = false;
  bool waits_ = false;
  bool stopped_ = false;
  std::optional<uint64_t> stop_at_;  // steps
};

/// Runs it to the end; the program's exit code.
int run_guest(Session& session, const Options& options);

}  // namespace chiwawa::tools
