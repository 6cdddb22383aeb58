#include "spec/world.hpp"

#include <algorithm>

#include "snapshot/read.hpp"
#include "snapshot/restore.hpp"
#include "snapshot/stream.hpp"
#include "snapshot/write.hpp"

namespace chiwawa::spec {

World::World(const Mode& mode, HostFunctions host_functions)
    : mode_(mode), host_functions_(std::move(host_functions)), store_(make_store()) {}

std::unique_ptr<Store> World::make_store() const {
  auto store = std::make_unique<Store>();
  store->compile_options.exact = mode_.exact;
  store->compile_options.polls = mode_.polls;
  store->compile_options.no_fusion = mode_.no_fusion;
  store->heap.collect_always = mode_.collect_always;
  return store;
}

std::unique_ptr<Machine> World::make_machine() const {
  MachineLimits limits;
  limits.max_call_depth = mode_.max_call_depth;
  return std::make_unique<Machine>(*store_, limits, mode_.dispatch);
}

Result<Outcome> World::invoke(FuncAddr function, std::span<const Value> args) {
  std::unique_ptr<Machine> machine = make_machine();
  CHIWAWA_TRY(machine->invoke(function, args));
  if (mode_.stop_every != 0) {
    // To the first step: before that there is no frame to save.
    Outcome outcome = machine->run(0);
    if (outcome.kind != Outcome::Kind::Paused) return outcome;
  }
  for (;;) {
    if (mode_.stop_every != 0 && until_stop_ == 0) {
      CHIWAWA_TRY(move_through_snapshot(machine));
      until_stop_ = mode_.stop_every;
    }
    const uint64_t before = machine->steps();
    const uint64_t budget = mode_.stop_every == 0 ? ~uint64_t{0} : until_stop_;
    Outcome outcome = machine->run(std::min(budget, mode_.most_steps - steps_));
    const bool paused = outcome.kind == Outcome::Kind::Paused;
    // Polls are not reported: of those, what is left when a call ends is what the next one has.
    const uint64_t ran = mode_.exact ? machine->steps() - before : (paused ? until_stop_ : 0);
    steps_ += mode_.exact ? ran : 0;
    until_stop_ -= std::min(until_stop_, ran);
    if (!paused || steps_ >= mode_.most_steps) return outcome;
  }
}

Result<void> World::move_through_snapshot(std::unique_ptr<Machine>& machine) {
  snapshot::MemorySink sink;
  CHIWAWA_TRY(snapshot::write(sink, *store_, machine->capture(), std::nullopt));

  snapshot::MemorySource source(sink.data);
  snapshot::Reader reader(source);
  CHIWAWA_TRY(reader.open());
  std::vector<std::shared_ptr<const Module>> modules;
  for (const auto& instance : store_->instances) modules.push_back(instance->module);
  const auto host_function = [this](std::string_view module, std::string_view name, const FuncType&) {
    return host_functions_(module, name);
  };
  Result<snapshot::Restored> restored =
      snapshot::restore(reader, modules, host_function, {store_->limits, store_->compile_options});
  if (!restored) return restored.error();

  machine.reset();  // before the store that it refers to
  store_ = std::move(restored->store);
  store_->heap.collect_always = mode_.collect_always;
  machine = make_machine();
  CHIWAWA_TRY(machine->restore(restored->machine));
  ++stops_;
  return {};
}

}  // namespace chiwawa::spec
