#include "hostile/hostile_snapshots.hpp"

#include <cstring>
#include <utility>

#include "hostile/hostile_inspection.hpp"
#include "snapshot/objects.hpp"
#include "snapshot/read.hpp"
#include "snapshot/restore.hpp"
#include "snapshot/write.hpp"
#include "snapshot_forgery.hpp"

namespace chiwawa::hostile {
namespace {

constexpr uint64_t kSteps = 3'000;
/// Snapshots of one guest, each somewhere else.
constexpr size_t kStops = 4;

wasi::State some_wasi() {
  wasi::State state;
  state.args = {"guest", "argument"};
  state.environ = {"K=V"};
  state.descriptors.resize(3);
  state.descriptors[0].kind = wasi::DescriptorKind::Stdin;
  wasi::DescriptorRecord& preopen = state.descriptors[1];
  preopen.number = 3;
  preopen.kind = wasi::DescriptorKind::Preopen;
  preopen.preopen = ".";
  wasi::DescriptorRecord& file = state.descriptors[2];
  file.number = 4;
  file.preopen = ".";
  file.path = "f";
  file.offset = 5;
  return state;
}

}  // namespace

std::vector<Stopped> stop_guests(const Corpus& corpus, Random& random) {
  std::vector<Stopped> result;
  for (const CorpusFile& file : corpus) {
    const auto module = load(file.bytes);
    if (!module) continue;
    for (const Export& item : (*module)->exports) {
      if (item.kind != ExternKind::Func) continue;
      for (size_t stop = 0; stop < kStops; ++stop) {
        Result<World> world = make_world(*module);
        if (!world) break;
        Stopped stopped{file.name, std::move(*world), {}, {}};
        Store& store = *stopped.world.store;
        const FuncAddr function = stopped.world.instance->funcs[item.index];
        std::vector<Value> args;
        for (const ValType type : store[function].type.params) args.push_back({type, 9});
        for (Value& arg : args) arg.bits = is_ref(arg.type) ? kNullRef : arg.bits;
        const std::unique_ptr<Machine> machine = make_machine(store, random);
        if (!machine->invoke(function, args)) break;
        if (machine->run(1 + random.below(stop == 0 ? 400 : 60)).kind != Outcome::Kind::Paused) continue;
        MachineImage image = machine->capture();
        if (stop % 2 == 1) image.next = MachineImage::NextCall{function, args};
        stopped.records = snapshot::collect(store, std::move(image), some_wasi());
        snapshot::MemorySink sink;
        const auto written = snapshot::write_records(
            sink, stopped.records, [&](uint32_t address) { return stopped.memory(address); }, "test");
        if (!written) continue;
        stopped.file = std::move(sink.data);
        result.push_back(std::move(stopped));
      }
    }
  }
  return result;
}

bool try_snapshot(std::span<const std::shared_ptr<const Module>> modules, const Bytes& file, const Bytes& good,
                  const std::string& input, Random& random, Tally& tally) {
  if (const std::string problem = look_at(file, modules.front(), good); !problem.empty()) {
    tally.problems.push_back(input + ": " + problem);
  }
  snapshot::MemorySource source(file);
  snapshot::Reader reader(source);
  if (const Result<void> opened = reader.open(); !opened) {
    tally.refused(opened.error(), file.size(), input);
    return false;
  }
  const auto host = [](std::string_view module, std::string_view name, const FuncType& type) {
    return std::optional(stub_function(std::string(module), std::string(name), type));
  };
  Result<snapshot::Restored> restored =
      snapshot::restore(reader, modules, host, {.limits = kHostileLimits, .compile = kHostileCode});
  if (!restored) {
    tally.refused(restored.error(), file.size(), input);
    return false;
  }
  const std::unique_ptr<Machine> machine = make_machine(*restored->store, random);
  if (const Result<void> placed = machine->restore(restored->machine); !placed) {
    tally.refused(placed.error(), file.size(), input);
    return false;
  }
  // What a forged reference could do shows when all that is unreachable is overwritten again and again.
  restored->store->heap.collect_always = random.below(2) == 0;
  Outcome outcome = machine->run(kSteps);
  if (outcome.kind == Outcome::Kind::Finished && restored->machine.next) {
    const MachineImage::NextCall& next = *restored->machine.next;
    if (machine->invoke(next.function, next.args)) outcome = machine->run(kSteps);
  }
  if (outcome.kind == Outcome::Kind::Paused) {
    const std::unique_ptr<Machine> second = make_machine(*restored->store, random);
    if (const Result<void> again = second->restore(machine->capture()); again) {
      second->run(kSteps);
    } else {
      tally.problems.push_back(input + ": what was restored cannot be restored again: " + describe(again.error()));
    }
  }
  if (const Result<void> whole = snapshot::check_references(*restored->store); !whole) {
    tally.problems.push_back(input +
                             ": what was restored and run has references that are none: " + describe(whole.error()));
  }
  ++tally.ends["restored and run"];
  return true;
}

namespace {

/// A number near `value`, or an odd one.
uint64_t other_number(uint64_t value, Random& random) {
  switch (random.below(6)) {
    case 0: return value + 1;
    case 1: return value - 1;
    case 2: return random.below(12);
    case 3: return 0;
    case 4: return random.next();
    default: return value ^ (uint64_t{1} << random.below(20));
  }
}

template <typename T>
void forge_number(T& number, Random& random) {
  number = static_cast<T>(other_number(static_cast<uint64_t>(number), random));
}

/// Applies `forge` to one element, if there is one.
template <typename T, typename F>
void forge_one(std::vector<T>& list, Random& random, F forge) {
  if (!list.empty()) forge(list[random.below(list.size())]);
}

template <typename T>
void forge_length(std::vector<T>& list, Random& random) {
  if (!list.empty() && random.below(2) == 0) {
    list.pop_back();
  } else if (!list.empty()) {
    list.push_back(list[random.below(list.size())]);
  }
}

void forge_type(ValType& type, Random& random) {
  constexpr ValType kTypes[] = {ValType::I32,     ValType::I64,       ValType::F32,    ValType::F64,   ValType::V128,
                                ValType::FuncRef, ValType::ExternRef, ValType::AnyRef, ValType::ExnRef};
  type = kTypes[random.below(std::size(kTypes))];
}

/// Another number, or another object, i31, function or number of the host.
void forge_ref(uint64_t& ref, Random& random) {
  switch (random.below(5)) {
    case 0: ref = kHeapRefBit | random.below(24); break;
    case 1: ref = i31_ref(static_cast<uint32_t>(random.below(12))); break;
    case 2: ref = random.below(12); break;
    default: forge_number(ref, random); break;
  }
}

void forge_value(Value& value, Random& random) {
  if (is_ref(value.type) && random.below(2) == 0) return forge_ref(value.bits, random);
  if (random.below(4) == 0) return forge_type(value.type, random);
  forge_number(value.bits, random);
}

void forge_frame(MachineImage& machine, Random& random) {
  forge_one(machine.frames, random, [&](FrameImage& frame) {
    switch (random.below(5)) {
      case 0: frame.function = FuncAddr{static_cast<uint32_t>(random.below(8))}; break;
      case 1: forge_number(frame.local_count, random); break;
      case 2: forge_number(frame.operand_count, random); break;
      default: forge_number(frame.position, random); break;
    }
  });
}

void forge_instance(snapshot::InstanceRecord& instance, Random& random) {
  std::vector<uint32_t>* const lists[] = {&instance.funcs, &instance.tables, &instance.memories, &instance.globals,
                                          &instance.elems, &instance.datas,  &instance.tags};
  std::vector<uint32_t>& list = *lists[random.below(std::size(lists))];
  if (random.below(3) == 0) return forge_length(list, random);
  forge_one(list, random, [&](uint32_t& address) { forge_number(address, random); });
}

void forge_table(snapshot::TableRecord& table, Random& random) {
  switch (random.below(4)) {
    case 0: forge_length(table.elements, random); break;
    case 1: forge_type(table.type.element, random); break;
    case 2: forge_number(table.type.limits.min, random); break;
    default: forge_one(table.elements, random, [&](uint64_t& ref) { forge_ref(ref, random); }); break;
  }
}

void forge_heap(snapshot::HeapRecord& heap, Random& random) {
  switch (random.below(10)) {
    case 0:
      forge_one(heap.types, random, [&](snapshot::TypeRecord& type) {
        forge_number(random.below(4) == 0 ? type.instance : type.index, random);
      });
      break;
    case 1: forge_length(heap.types, random); break;
    case 2:
      forge_one(heap.objects, random, [&](snapshot::ObjectRecord& object) {
        object.type = random.below(3) == 0 ? snapshot::kExceptionObject : static_cast<uint32_t>(random.below(8));
      });
      break;
    case 3:
    case 4:
      forge_one(heap.objects, random, [&](snapshot::ObjectRecord& object) { forge_number(object.length, random); });
      break;
    case 5: forge_length(heap.objects, random); break;
    case 6: heap.bytes.resize(random.below(heap.bytes.size() + 40)); break;
    case 7: forge_one(heap.bytes, random, [&](uint8_t& byte) { forge_number(byte, random); }); break;
    default:
      // A field that is a reference, or is made look like one.
      if (heap.bytes.size() >= sizeof(uint64_t)) {
        uint8_t* const field =
            heap.bytes.data() + random.below(heap.bytes.size() / sizeof(uint64_t)) * sizeof(uint64_t);
        uint64_t ref;
        std::memcpy(&ref, field, sizeof ref);
        forge_ref(ref, random);
        std::memcpy(field, &ref, sizeof ref);
      }
      break;
  }
}

}  // namespace

void forge(snapshot::Records& records, Random& random) {
  MachineImage& machine = records.machine;
  // Where there are objects, every third change is among them.
  if (!records.heap.objects.empty() && random.below(3) == 0) return forge_heap(records.heap, random);
  switch (random.below(17)) {
    case 0:
    case 1:
    case 2: forge_frame(machine, random); break;
    case 3:
    case 4: forge_one(machine.values, random, [&](Value& value) { forge_value(value, random); }); break;
    case 5: forge_length(machine.frames, random); break;
    case 6: forge_length(machine.values, random); break;
    case 7:
      if (random.below(2) == 0)
        machine.entry = FuncAddr{static_cast<uint32_t>(random.below(8))};
      else
        machine.waited = random.below(1000);
      break;
    case 8:
      machine.pending = MachineImage::PendingCall{FuncAddr{static_cast<uint32_t>(random.below(4))}, machine.values};
      break;
    case 9:
      if (machine.next) forge_one(machine.next->args, random, [&](Value& value) { forge_value(value, random); });
      break;
    case 10: forge_one(records.instances, random, [&](auto& instance) { forge_instance(instance, random); }); break;
    case 11: forge_one(records.tables, random, [&](auto& table) { forge_table(table, random); }); break;
    case 12:
      forge_one(records.memories, random, [&](auto& memory) {
        forge_number(random.below(2) == 0 ? memory.pages : memory.type.limits.min, random);
      });
      break;
    case 13:
      forge_one(records.globals, random, [&](GlobalInst& global) {
        if (random.below(2) == 0)
          forge_type(global.type.type, random);
        else
          forge_ref(global.bits[random.below(2)], random);
      });
      break;
    case 15: forge_number(records.tags, random); break;
    case 14:
      forge_one(records.elems, random, [&](auto& elem) {
        if (random.below(2) == 0)
          elem.dropped = !elem.dropped;
        else
          forge_one(elem.elements, random, [&](uint64_t& ref) { forge_ref(ref, random); });
      });
      break;
    default:
      forge_one(records.funcs, random, [&](snapshot::FuncRecord& func) {
        forge_number(random.below(2) == 0 ? func.instance : func.index, random);
      });
      break;
  }
}

Tally spoil_files(const Corpus& corpus, size_t count, uint64_t seed) {
  Tally tally;
  Random random(seed);
  const std::vector<Stopped> all = stop_guests(corpus, random);
  for (const Stopped& from : all) {
    for (size_t i = 0; i < count; ++i) {
      const Bytes spoilt = mutate(from.file, all[random.below(all.size())].file, random);
      if (spoilt == from.file) continue;
      const std::string input = from.name + ", spoilt file " + std::to_string(i);
      if (try_snapshot({&from.world.module, 1}, spoilt, from.file, input, random, tally))
        tally.problems.push_back(input + ": was accepted");
    }
  }
  return tally;
}

Tally spoil_states(const Corpus& corpus, size_t count, uint64_t seed) {
  Tally tally;
  Random random(seed);
  const std::vector<Stopped> all = stop_guests(corpus, random);
  for (const Stopped& from : all) {
    const Result<std::vector<uint8_t>> state = snapshot::encode_state(from.records);
    if (!state) continue;
    for (size_t i = 0; i < count; ++i) {
      const std::string input = from.name + ", spoilt state " + std::to_string(i);
      snapshot::MemorySink sink;
      const auto written = forgery::write_with_state(sink, mutate(*state, from.file, random), from.file);
      if (written) try_snapshot({&from.world.module, 1}, sink.data, from.file, input, random, tally);
    }
  }
  return tally;
}

namespace {

/// One run that says something else; then perhaps hashes that fit it.
Bytes forge_index(const snapshot::BlockBatch& batch, Random& random) {
  std::vector<snapshot::BlockRun> runs(batch.runs.begin(), batch.runs.end());
  std::vector<snapshot::Hash128> hashes(batch.hashes.begin(), batch.hashes.end());
  forge_one(runs, random, [&](snapshot::BlockRun& run) {
    switch (random.below(7)) {
      case 0: forge_number(run.first.block, random); break;
      case 1: forge_number(run.first.memory, random); break;
      case 2: forge_number(run.count, random); break;
      case 3: forge_number(run.source.memory, random); break;
      case 4: run = {snapshot::BlockKind::Repeat, {run.first.memory, run.first.block + 1}, 1, run.first}; break;
      case 5: run.kind = static_cast<snapshot::BlockKind>(random.below(5)); break;
      default: forge_number(run.source.block, random); break;
    }
  });
  if (random.below(3) == 0) forge_length(runs, random);
  size_t wanted = 0;
  for (const snapshot::BlockRun& run : runs) wanted += run.count <= 64 ? run.hash_count() : 0;
  if (random.below(4) != 0) hashes.resize(wanted);
  return snapshot::encode_block_index({runs, hashes, {}});
}

}  // namespace

Tally spoil_indices(const Corpus& corpus, size_t count, uint64_t seed) {
  Tally tally;
  Random random(seed);
  const std::vector<Stopped> all = stop_guests(corpus, random);
  for (const Stopped& from : all) {
    const Result<std::vector<uint8_t>> state = snapshot::encode_state(from.records);
    if (!state) continue;
    for (size_t i = 0; i < count; ++i) {
      snapshot::MemorySink sink;
      const auto index = [&](const snapshot::BlockBatch& batch) {
        return i % 2 == 0 ? forge_index(batch, random) : mutate(snapshot::encode_block_index(batch), from.file, random);
      };
      const auto written = forgery::write_forged(sink, *state, from.file, index);
      const std::string input = from.name + ", spoilt index " + std::to_string(i);
      if (written) try_snapshot({&from.world.module, 1}, sink.data, from.file, input, random, tally);
    }
  }
  return tally;
}

Tally forge_records(const Corpus& corpus, size_t count, uint64_t seed) {
  Tally tally;
  Random random(seed);
  const std::vector<Stopped> all = stop_guests(corpus, random);
  for (const Stopped& from : all) {
    for (size_t i = 0; i < count; ++i) {
      snapshot::Records records = from.records;
      for (size_t changes = 1 + random.below(2); changes != 0; --changes) forge(records, random);
      snapshot::MemorySink sink;
      const auto written =
          snapshot::write_records(sink, records, [&](uint32_t address) { return from.memory(address); }, "forger");
      const std::string input = from.name + ", forgery " + std::to_string(i);
      if (written) try_snapshot({&from.world.module, 1}, sink.data, from.file, input, random, tally);
    }
  }
  return tally;
}

}  // namespace chiwawa::hostile
