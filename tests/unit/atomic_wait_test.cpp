// memory.atomic.wait: ended by time alone, stopped and continued in the middle.
#include <catch2/catch_test_macros.hpp>

#include "interp/decode.hpp"
#include "interp/instantiate.hpp"
#include "interp/machine.hpp"
#include "interp/validate.hpp"
#include "machines.hpp"
#include "snapshot/read.hpp"
#include "snapshot/restore.hpp"
#include "snapshot/write.hpp"
#include "unit/module_bytes.hpp"

using namespace chiwawa;
using namespace chiwawa::test;

namespace {

constexpr uint64_t kTimeout = 1000;
constexpr Bytes::value_type kI32Const = 0x41, kLocalGet = 0x20;

/// (func (param i64) (result i32 i32) i32.const 7  (memory.atomic.wait32 (i32.const 16) (i32.const 0) (local.get 0)))
std::shared_ptr<const Module> waiter(uint8_t limits_flags = 3) {
  const Bytes wait = {kI32Const, 7, kI32Const, 16, kI32Const, 0, kLocalGet, 0, 0xFE, 0x01, 2, 0};
  auto module = decode(function(func_type({kI64}, {kI32, kI32}), wait, {0}, section(5, vec({{limits_flags, 1, 1}}))));
  REQUIRE(module);
  REQUIRE(validate(*module));
  return std::make_shared<const Module>(std::move(*module));
}

/// A clock that stands still but for sleeps, which are short.
struct Time {
  uint64_t now = 0;
  uint64_t slice = 300;
  uint64_t slept = 0;

  GuestClock clock() {
    return {[](void* context) { return static_cast<Time*>(context)->now; },
            [](uint64_t ns, void* context) {
              auto& time = *static_cast<Time*>(context);
              time.now += std::min(ns, time.slice);
              time.slept += std::min(ns, time.slice);
            },
            this};
  }
};

struct Computation {
  Time time;
  std::unique_ptr<Store> store = std::make_unique<Store>();
  std::unique_ptr<Machine> machine;

  Computation(const std::shared_ptr<const Module>& module, const MachineKind& kind, int64_t timeout = kTimeout) {
    store->compile_options = kind.options;
    store->clock = time.clock();
    REQUIRE(instantiate(*store, module, {}));
    machine = std::make_unique<Machine>(*store, MachineLimits{}, kind.dispatch);
    const Value arg{ValType::I64, static_cast<uint64_t>(timeout)};
    REQUIRE(machine->invoke(FuncAddr{0}, std::span(&arg, 1)));
  }

  std::vector<uint8_t> save() {
    snapshot::MemorySink sink;
    REQUIRE(snapshot::write(sink, *store, machine->capture(), std::nullopt));
    return sink.data;
  }

  void load(std::span<const uint8_t> bytes, const std::shared_ptr<const Module>& module, const MachineKind& kind) {
    snapshot::MemorySource source(bytes);
    snapshot::Reader reader(source);
    REQUIRE(reader.open());
    const auto nobody = [](std::string_view, std::string_view, const FuncType&) {
      return std::optional<HostFunction>();
    };
    auto restored = snapshot::restore(reader, std::span(&module, 1), nobody, {{}, kind.options});
    REQUIRE(restored);
    restored->store->clock = time.clock();
    machine = std::make_unique<Machine>(*restored->store, MachineLimits{}, kind.dispatch);
    store = std::move(restored->store);
    const Result<void> done = machine->restore(restored->machine);
    INFO((done ? "" : describe(done.error())));
    REQUIRE(done);
  }

  Outcome finish() {
    for (;;) {
      Outcome outcome = machine->run();
      if (outcome.kind != Outcome::Kind::Paused) return outcome;
    }
  }
};

std::vector<Value> timed_out() { return {{ValType::I32, 7}, {ValType::I32, 2}}; }

}  // namespace

TEST_CASE("A wait sleeps until its time is over, in slices", "[wait]") {
  for (const MachineKind& kind : all_machines()) {
    INFO(kind.name());
    Computation computation(waiter(), kind);
    const Outcome outcome = computation.machine->run();
    REQUIRE(outcome.kind == Outcome::Kind::Paused);
    CHECK(outcome.pause == PauseReason::HostWait);
    CHECK(computation.time.slept == 300);
    CHECK(computation.finish().values == timed_out());
    CHECK(computation.time.slept == kTimeout);
    CHECK(computation.machine->steps() == (kind.options.exact ? 5 : 0));
  }
}

TEST_CASE("A wait goes on elsewhere with the time that was left", "[wait]") {
  const std::shared_ptr<const Module> module = waiter();
  for (const MachineKind& from : all_machines()) {
    for (const MachineKind& to : all_machines()) {
      INFO(from.name() << " to " << to.name());
      Computation computation(module, from);
      REQUIRE(computation.machine->run().kind == Outcome::Kind::Paused);
      const MachineImage image = computation.machine->capture();
      CHECK(image.waited == 300);
      REQUIRE(image.frames.size() == 1);
      CHECK(image.frames[0].operand_count == 4);

      Computation other(module, to);
      other.time.now = 5;  // a clock that has not run as long as the wait has
      other.load(computation.save(), module, to);
      CHECK(other.machine->capture().waited == 300);
      REQUIRE(other.machine->run().kind == Outcome::Kind::Paused);
      CHECK(other.machine->capture().waited == 600);
      Computation third(module, from);
      third.load(other.save(), module, from);
      CHECK(third.finish().values == timed_out());
      CHECK(third.time.slept == kTimeout - 600);
    }
  }
}

TEST_CASE("A wait that nothing can end is a deadlock", "[wait]") {
  for (const MachineKind& kind : all_machines()) {
    INFO(kind.name());
    const Outcome forever = Computation(waiter(), kind, -1).finish();
    REQUIRE(forever.kind == Outcome::Kind::Trapped);
    CHECK(forever.trap.kind == TrapKind::Deadlock);
    REQUIRE(forever.trap.call_chain.size() == 1);

    const Outcome unshared = Computation(waiter(1), kind).finish();
    REQUIRE(unshared.kind == Outcome::Kind::Trapped);
    CHECK(unshared.trap.kind == TrapKind::ExpectedSharedMemory);
  }
}

TEST_CASE("Only a wait can be under way", "[wait]") {
  const std::shared_ptr<const Module> module = waiter();
  const MachineKind exact{default_dispatch(), {.polls = false, .exact = true}};
  Computation computation(module, exact);
  for (uint64_t step = 0; step <= 4; ++step) {
    INFO(step);
    REQUIRE(computation.machine->run(step - computation.machine->steps()).kind == Outcome::Kind::Paused);
    MachineImage image = computation.machine->capture();
    CHECK_FALSE(image.waited);
    image.waited = 100;
    Computation other(module, exact);
    CHECK(static_cast<bool>(other.machine->restore(image)) == (step == 4));
  }
}
