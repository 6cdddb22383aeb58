#include "hostile/hostile_modules.hpp"

#include "snapshot/objects.hpp"

namespace chiwawa::hostile {
namespace {

/// Steps before and after the machine is taken apart.
constexpr uint64_t kSteps = 3'000;

Outcome::Kind run_a_while(Machine& machine, uint64_t steps) {
  Outcome outcome;
  const uint64_t end = machine.steps() + steps;
  do {
    outcome = machine.run(end - machine.steps());
  } while (outcome.kind == Outcome::Kind::Paused && machine.steps() < end);
  return outcome.kind;
}

/// Runs the function; in the middle its state is taken out and put into a new machine.
Result<void> run_and_restore(World& world, FuncAddr function, Random& random) {
  std::vector<Value> args;
  for (const ValType type : (*world.store)[function].type.params) {
    if (!is_defaultable(type)) return {};  // nothing that could be given to it
    args.push_back({type, 0});
  }
  world.store->heap.collect_always = random.below(2) == 0;
  std::unique_ptr<Machine> machine = make_machine(*world.store, random);
  CHIWAWA_TRY(machine->invoke(function, args));
  if (run_a_while(*machine, random.below(kSteps)) != Outcome::Kind::Paused) return {};
  const MachineImage image = machine->capture();
  std::unique_ptr<Machine> second = make_machine(*world.store, random);
  CHIWAWA_TRY(second->restore(image));
  run_a_while(*second, kSteps);
  return snapshot::check_references(*world.store);
}

}  // namespace

void try_module(Bytes bytes, const std::string& input, Random& random, Tally& tally) {
  const size_t size = bytes.size();
  const auto module = load(std::move(bytes));
  if (!module) return tally.refused(module.error(), size, input);
  Result<World> world = make_world(*module);
  if (!world) return tally.refused(world.error(), size, input);
  std::vector<uint32_t> functions;
  if ((*module)->start) functions.push_back(*(*module)->start);
  for (const Export& item : (*module)->exports) {
    if (item.kind == ExternKind::Func && functions.size() < 8) functions.push_back(item.index);
  }
  for (const uint32_t index : functions) {
    if (const Result<void> ran = run_and_restore(*world, world->instance->funcs[index], random); !ran) {
      tally.problems.push_back(input + ": " + describe(ran.error()));
    }
  }
  ++tally.ends["accepted and run"];
}

Tally spoil_modules(const Corpus& corpus, size_t count, uint64_t seed) {
  Tally tally;
  Random random(seed);
  for (const CorpusFile& file : corpus) {
    for (size_t i = 0; i < count; ++i) {
      const CorpusFile& other = corpus[random.below(corpus.size())];
      const std::string input = file.name + ", change " + std::to_string(i);
      try_module(mutate(file.bytes, other.bytes, random), input, random, tally);
    }
  }
  return tally;
}

}  // namespace chiwawa::hostile
