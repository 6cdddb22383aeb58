// The machine: the same on every dispatcher and however the code was compiled, also when a computation moves between
// them; and safe against images that nobody captured.
#include <random>

#include "machines.hpp"
#include "snapshot_fixture.hpp"
#include "state_text.hpp"

using namespace snapshot_test;

namespace {

constexpr uint32_t kRounds = 3;

/// The fixture's guest on one kind of machine.
struct Computation {
  Host host;
  std::unique_ptr<Store> store = std::make_unique<Store>();
  std::unique_ptr<Machine> machine;

  Computation(const std::shared_ptr<const Module>& module, const MachineKind& kind) {
    store->compile_options = kind.options;
    const Extern import{ExternKind::Func, raw(store->add_host_function(host.function()))};
    const Result<Instantiation> made = instantiate(*store, module, std::span(&import, 1));
    REQUIRE(made);
    machine = std::make_unique<Machine>(*store, MachineLimits{}, kind.dispatch);
    const Value rounds{ValType::I32, kRounds};
    REQUIRE(machine->invoke(FuncAddr{store->find_export(*made->instance, "run")->address}, std::span(&rounds, 1)));
  }

  std::vector<uint8_t> save() {
    snapshot::MemorySink sink;
    REQUIRE(snapshot::write(sink, *store, machine->capture(), std::nullopt));
    return sink.data;
  }

  /// Replaces the computation by a saved one, on another kind of machine.
  void load(std::span<const uint8_t> bytes, const std::shared_ptr<const Module>& module, const MachineKind& kind) {
    snapshot::MemorySource source(bytes);
    snapshot::Reader reader(source);
    REQUIRE(reader.open());
    const auto resolve = [&](std::string_view, std::string_view, const FuncType&) {
      return std::optional<HostFunction>(host.function());
    };
    auto restored = snapshot::restore(reader, std::span(&module, 1), resolve, {{}, kind.options});
    REQUIRE(restored);
    auto fresh = std::make_unique<Machine>(*restored->store, MachineLimits{}, kind.dispatch);
    const Result<void> done = fresh->restore(restored->machine);
    INFO((done ? "" : describe(done.error())));
    REQUIRE(done);
    machine = std::move(fresh);
    store = std::move(restored->store);
  }

  Outcome finish() {
    for (;;) {
      Outcome outcome = machine->run();
      if (outcome.kind != Outcome::Kind::Paused) return outcome;
    }
  }

  bool same_store(const Computation& other) const {
    for (size_t i = 0; i < store->memories.size(); ++i) {
      const auto a = store->memories[i]->memory.bytes(), b = other.store->memories[i]->memory.bytes();
      if (!std::equal(a.begin(), a.end(), b.begin(), b.end())) return false;
    }
    for (size_t i = 0; i < store->tables.size(); ++i) {
      if (store->tables[i]->elements != other.store->tables[i]->elements) return false;
    }
    for (size_t i = 0; i < store->globals.size(); ++i) {
      if (store->globals[i]->bits != other.store->globals[i]->bits) return false;
    }
    return true;
  }
};

}  // namespace

TEST_CASE("Every machine gives the same results", "[machine]") {
  const std::shared_ptr<const Module> module = load(kGuest);
  const std::vector<MachineKind> machines = all_machines();
  Computation first(module, machines[0]);
  const Outcome expected = first.finish();
  REQUIRE(expected.kind == Outcome::Kind::Finished);
  for (const MachineKind& kind : machines) {
    INFO(kind.name());
    Computation computation(module, kind);
    CHECK(computation.finish().values == expected.values);
    CHECK(computation.same_store(first));
  }
}

TEST_CASE("What was stopped at any step goes on in code that was compiled in any way", "[machine]") {
  const std::shared_ptr<const Module> module = load(kGuest);
  const std::vector<MachineKind> machines = all_machines();
  const MachineKind exact{machines[0].dispatch, {.polls = false, .exact = true}};
  Computation uninterrupted(module, exact);
  const Outcome expected = uninterrupted.finish();
  const uint64_t steps = uninterrupted.machine->steps();
  REQUIRE(steps > 100);

  for (uint64_t at = 0; at < steps; ++at) {
    Computation stopped(module, exact);
    while (stopped.machine->run(at - stopped.machine->steps()).pause == PauseReason::HostWait) {
    }
    REQUIRE(stopped.machine->steps() == at);
    const std::vector<uint8_t> bytes = stopped.save();
    for (const MachineKind& kind : machines) {
      INFO("step " << at << ", " << kind.name());
      Computation other(module, kind);
      other.load(bytes, module, kind);
      CHECK(other.finish().values == expected.values);
      CHECK(other.same_store(uninterrupted));
    }
  }
}

TEST_CASE("A computation may change its machine at every pause", "[machine]") {
  const std::shared_ptr<const Module> module = load(kGuest);
  std::vector<MachineKind> machines;
  for (const MachineKind& kind : all_machines()) {
    if (kind.options.exact || kind.options.polls) machines.push_back(kind);
  }
  Computation uninterrupted(module, machines[0]);
  const Outcome expected = uninterrupted.finish();

  Computation computation(module, machines[0]);
  uint64_t moves = 0;
  for (;;) {
    const Outcome outcome = computation.machine->run(1);
    if (outcome.kind != Outcome::Kind::Paused) {
      CHECK(outcome.values == expected.values);
      break;
    }
    ++moves;
    computation.load(computation.save(), module, machines[moves % machines.size()]);
  }
  CHECK(moves > 20);
  CHECK(computation.same_store(uninterrupted));
}

TEST_CASE("A polling machine stops where a counting one can, too", "[machine]") {
  const std::shared_ptr<const Module> module = load(kGuest);
  const MachineKind polls{default_dispatch(), {.polls = true, .exact = false}};
  const MachineKind exact{default_dispatch(), {.polls = false, .exact = true}};
  // All states of the counting machine, without their step numbers.
  std::vector<std::vector<Value>> values;
  std::vector<uint32_t> positions;
  Computation counting(module, exact);
  for (uint64_t budget = 0; counting.machine->run(budget).kind == Outcome::Kind::Paused; budget = 1) {
    const MachineImage image = counting.machine->capture();
    values.push_back(image.values);
    positions.push_back(image.frames.back().position);
  }
  Computation polling(module, polls);
  size_t from = 0;
  while (polling.machine->run(1).kind == Outcome::Kind::Paused) {
    const MachineImage image = polling.machine->capture();
    while (from < values.size() && (values[from] != image.values || positions[from] != image.frames.back().position)) {
      ++from;
    }
    INFO(state_text(*polling.store, image));
    REQUIRE(from < values.size());
  }
}

TEST_CASE("The call depth ends where the limit says", "[machine]") {
  const std::shared_ptr<const Module> module = load(kGuest);
  for (const MachineKind& kind : all_machines()) {
    INFO(kind.name());
    // run(10) calls what calls itself 10 times: 12 frames.
    for (const uint32_t depth : {1u, 5u, 11u, 12u, 13u, 100u}) {
      Computation computation(module, kind);
      const FuncAddr run{computation.store->find_export(*computation.store->instances[0], "run")->address};
      Machine machine(*computation.store, MachineLimits{.max_call_depth = depth}, kind.dispatch);
      const Value rounds{ValType::I32, 10};
      REQUIRE(machine.invoke(run, std::span(&rounds, 1)));
      Outcome outcome = machine.run();
      while (outcome.kind == Outcome::Kind::Paused) outcome = machine.run();
      INFO("depth " << depth);
      CHECK((outcome.kind == Outcome::Kind::Finished) == (depth >= 12));
      if (depth < 12) {
        CHECK(outcome.trap.kind == TrapKind::CallStackExhausted);
        CHECK(outcome.trap.call_chain.size() == depth);
      }
    }
  }
}

TEST_CASE("A forged image is refused or runs without harm", "[machine]") {
  const std::shared_ptr<const Module> module = load(kGuest);
  std::mt19937 random(20240501);
  uint64_t accepted = 0, refused = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::vector<MachineKind> machines = all_machines();
    const MachineKind& kind = machines[static_cast<size_t>(round) % machines.size()];
    if (!kind.options.exact && !kind.options.polls) continue;
    Computation computation(module, kind);
    Outcome outcome;
    for (uint32_t pauses = random() % 40; pauses > 0; --pauses) outcome = computation.machine->run(random() % 5);
    if (computation.machine->run(0).kind != Outcome::Kind::Paused) continue;
    MachineImage image = computation.machine->capture();
    const auto pick = [&](size_t size) { return static_cast<size_t>(random() % size); };
    for (uint32_t changes = random() % 3; changes < 3; ++changes) {
      const bool small = random() % 2 == 0;
      const auto number = static_cast<uint32_t>(small ? random() % 8 : random() % 400);
      switch (random() % 10) {
        case 0: image.frames[pick(image.frames.size())].function = FuncAddr{number}; break;
        case 1: image.frames[pick(image.frames.size())].position = number; break;
        case 2: image.frames[pick(image.frames.size())].position += small ? 1u : ~0u; break;
        case 3: image.frames[pick(image.frames.size())].local_count = number; break;
        case 4: image.frames[pick(image.frames.size())].operand_count = number; break;
        case 5:
          if (!image.values.empty()) image.values[pick(image.values.size())].type = ValType::FuncRef;
          break;
        case 6:
          if (!image.values.empty()) image.values[pick(image.values.size())].bits = small ? number : ~uint64_t{0};
          break;
        case 7: image.entry = FuncAddr{number}; break;
        case 8:
          image.pending = MachineImage::PendingCall{FuncAddr{number}, {{ValType::I32, 1}, {ValType::I64, 2}}};
          break;
        default: {
          const FrameImage frame = image.frames[pick(image.frames.size())];
          image.frames.insert(image.frames.begin() + static_cast<ptrdiff_t>(pick(image.frames.size())), frame);
          image.values.resize(image.values.size() + frame.local_count + frame.operand_count);
          break;
        }
      }
    }
    if (!computation.machine->restore(image)) {
      ++refused;
      continue;
    }
    ++accepted;
    for (int i = 0; i < 50 && computation.machine->run(20).kind == Outcome::Kind::Paused; ++i) {
    }
  }
  CHECK(accepted > 50);
  CHECK(refused > 1000);
}
