#include "spec/world.hpp"

#include "spec/spectest.hpp"

namespace chiwawa::spec {

World::World(const Mode& mode) : mode_(mode), store_(make_store()) {}

std::unique_ptr<Store> World::make_store() const {
  auto store = std::make_unique<Store>();
  store->compile_options.exact = mode_.exact;
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
  for (;;) {
    const uint64_t before = machine->steps();
    Outcome outcome = machine->run(mode_.stop_every == 0 ? ~uint64_t{0} : until_stop_);
    const uint64_t ran = machine->steps() - before;
    steps_ += ran;
    until_stop_ -= std::min(until_stop_, ran);
    if (outcome.kind != Outcome::Kind::Paused) return outcome;
    CHIWAWA_TRY(move_through_snapshot(machine));
    until_stop_ = mode_.stop_every;
  }
}

}  // namespace chiwawa::spec
