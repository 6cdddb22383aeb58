// World: a store with everything that one test puts into it, and a machine that runs calls in it - straight, or
// stopped, saved, read back and restored every so many steps.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "interp/machine.hpp"
#include "interp/outcome.hpp"
#include "interp/result.hpp"
#include "interp/store.hpp"

namespace chiwawa::spec {

struct Mode {
  Dispatch dispatch = default_dispatch();
  /// Count steps: needed to stop, and to find out how many there are.
  bool exact = false;
  /// Count polls: needed to stop there. Not together with `exact`.
  bool polls = false;
  bool no_fusion = false;
  /// Steps (polls, where these are counted) between two stops, counted over all calls; 0: never.
  uint64_t stop_every = 0;
  /// After so many steps a call is Paused in the end. Only where they are counted.
  uint64_t most_steps = ~uint64_t{0};
  bool collect_always = false;  ///< the heap's collector runs before every new object
  /// Frames before "call stack exhausted". Small where every stop saves all of them.
  uint32_t max_call_depth = MachineLimits{}.max_call_depth;
};

/// The host function of that module and name: what a store is restored with.
using HostFunctions = std::function<std::optional<HostFunction>(std::string_view module, std::string_view name)>;

class World {
 public:
  World(const Mode& mode, HostFunctions host_functions);

  /// Another object after each invoke(): addresses and instance numbers stay, pointers do not.
  Store& store() { return *store_; }
  /// Runs the call to its end. The error is of a snapshot that did not survive its journey.
  Result<Outcome> invoke(FuncAddr function, std::span<const Value> args);

  uint64_t steps() const { return steps_; }
  uint64_t stops() const { return stops_; }

 private:
  std::unique_ptr<Store> make_store() const;
  std::unique_ptr<Machine> make_machine() const;
  /// The paused machine goes through a snapshot into a new store and a new machine.
  Result<void> move_through_snapshot(std::unique_ptr<Machine>& machine);

  Mode mode_;
  HostFunctions host_functions_;
  std::unique_ptr<Store> store_;
  uint64_t steps_ = 0;
  uint64_t stops_ = 0;
  uint64_t until_stop_ = 0;  // steps or polls
};

}  // namespace chiwawa::spec
