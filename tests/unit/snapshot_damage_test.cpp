// Damaged and forged snapshots: refused with an error, or harmless.
#include <algorithm>

#include "snapshot/container.hpp"
#include "snapshot/decode_state.hpp"
#include "snapshot_forgery.hpp"
#include "snapshot_generated.h"
#include "unit/snapshot_fixture.hpp"

using namespace chiwawa;
using namespace snapshot_test;
using snapshot::Records;

namespace {

std::vector<uint8_t> some_snapshot() {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  return guest.save();
}

Result<void> check(std::span<const uint8_t> bytes) {
  snapshot::MemorySource source(bytes);
  return snapshot::verify(source);
}

/// The records of a snapshot, to be forged and written with right digests.
struct Forgery {
  Guest guest{3};
  Records records;

  Forgery() {
    REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
    records = snapshot::collect(*guest.store, guest.machine->capture(), Guest::some_wasi());
  }

  std::span<const uint8_t> memory(uint32_t m) const { return std::as_const(*guest.store->memories[m]).memory.bytes(); }

  std::vector<uint8_t> bytes() {
    snapshot::MemorySink sink;
    REQUIRE(snapshot::write_records(sink, records, [this](uint32_t m) { return memory(m); }, "forger"));
    return sink.data;
  }

  /// The error that reading and restoring end with, "" if there is none.
  std::string verdict() {
    const std::vector<uint8_t> forged = bytes();
    Guest other(1);
    const Result<void> loaded = other.load_from(forged);
    if (loaded) return "";
    CHECK(loaded.error().phase == Phase::Snapshot);
    return loaded.error().cause;
  }
};

bool contains(const std::string& text, std::string_view part) {
  UNSCOPED_INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("Every truncation is refused", "[snapshot]") {
  const std::vector<uint8_t> good = some_snapshot();
  REQUIRE(check(good));
  for (size_t size = 0; size < good.size(); ++size) {
    const Result<void> result = check(std::span(good).first(size));
    INFO(size);
    REQUIRE(!result);
    CHECK(result.error().phase == Phase::Snapshot);
    CHECK(result.error().offset <= size);
  }
}

TEST_CASE("Every flipped bit is refused", "[snapshot]") {
  std::vector<uint8_t> bytes = some_snapshot();
  for (size_t i = 0; i < bytes.size() * 8; ++i) {
    bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] ^ (1u << (i % 8)));
    const Result<void> result = check(bytes);
    INFO("bit " << i);
    REQUIRE(!result);
    bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] ^ (1u << (i % 8)));
  }
  CHECK(check(bytes));
}

TEST_CASE("Bytes after the end are refused", "[snapshot]") {
  std::vector<uint8_t> bytes = some_snapshot();
  bytes.push_back(0);
  const Result<void> result = check(bytes);
  REQUIRE(!result);
  CHECK(contains(result.error().cause, "bytes after the end"));
}

TEST_CASE("Other versions and unknown flags are told from damage", "[snapshot]") {
  for (const auto& [offset, text] :
       {std::pair<size_t, const char*>{16, "this program reads format 1"}, {20, "flags"}}) {
    std::vector<uint8_t> bytes = some_snapshot();
    bytes[offset] = 9;
    snapshot::MemorySource source(bytes);
    snapshot::Reader reader(source);
    const Result<void> result = reader.open();
    REQUIRE(!result);
    CHECK(reader.unsupported());
    CHECK(contains(result.error().cause, text));
  }
}

TEST_CASE("A state with flipped bits and right digests is refused or harmless", "[snapshot]") {
  Forgery forgery;
  Result<std::vector<uint8_t>> state = snapshot::encode_state(forgery.records);
  REQUIRE(state);
  const std::vector<uint8_t> good = forgery.bytes();
  size_t accepted = 0;
  for (size_t i = 0; i < state->size() * 8; ++i) {
    std::vector<uint8_t> forged = *state;
    forged[i / 8] = static_cast<uint8_t>(forged[i / 8] ^ (1u << (i % 8)));
    snapshot::MemorySink sink;
    REQUIRE(forgery::write_with_state(sink, forged, good));
    Guest other(1);
    if (!other.load_from(sink.data)) continue;
    ++accepted;
    for (int rounds = 0; rounds < 3; ++rounds) {
      if (other.run(300).kind != Outcome::Kind::Paused) break;
      (void)other.save();
    }
  }
  CHECK(accepted < state->size() * 8);
  CHECK(accepted > 0);  // changed values are not to be told from right ones
}

TEST_CASE("Forged indices are refused by name", "[snapshot]") {
  Forgery f;
  Records& r = f.records;
  CHECK(f.verdict().empty());

  SECTION("frame of a function that is not there") {
    r.machine.frames[0].function = FuncAddr{99};
    CHECK(contains(f.verdict(), "frames[0] is of function address 99"));
  }
  SECTION("frame of a host function") {
    r.machine.frames[0].function = FuncAddr{0};
    CHECK(contains(f.verdict(), "frames[0] is of a host function"));
  }
  SECTION("frame with more values than there are") {
    r.machine.frames[0].operand_count += 1;
    CHECK(contains(f.verdict(), "values"));
  }
  SECTION("frame with counts that overflow") {
    r.machine.frames[0].local_count = 0xFFFFFFFF;
    r.machine.frames[0].operand_count = 0xFFFFFFFF;
    CHECK(contains(f.verdict(), "values"));
  }
  SECTION("position between instructions") {
    r.machine.frames.back().position += 0x10000;
    CHECK(!f.verdict().empty());
  }
  SECTION("value that is too wide") {
    REQUIRE(r.machine.values[0].type == ValType::I32);
    r.machine.values[0].bits |= uint64_t{1} << 40;
    CHECK(contains(f.verdict(), "values[0] has more than 32 bits"));
  }
  SECTION("value of an unknown type") {
    r.machine.values[0].type = static_cast<ValType>(3);
    CHECK(contains(f.verdict(), "values[0] has the unknown type 3"));
  }
  SECTION("reference in a table") {
    r.tables[0].elements[1] = 1000;
    CHECK(contains(f.verdict(), "tables[0][1] refers to function address 999"));
  }
  SECTION("reference in a global") {
    REQUIRE(r.globals[1].type.type == ValType::FuncRef);
    r.globals[1].bits[0] = ~uint64_t{0};
    CHECK(contains(f.verdict(), "globals[1] refers to function address"));
  }
  SECTION("reference in a segment") {
    REQUIRE(r.elems[0].dropped);
    r.elems[0] = {ValType::FuncRef, false, {1, 77}};
    CHECK(contains(f.verdict(), "elems[0][1] refers to function address 76"));
  }
  SECTION("segment that is longer than in the module") {
    r.elems[0] = {ValType::FuncRef, false, {1, 1, 1}};
    CHECK(contains(f.verdict(), "elems[0] differs from what the module declares"));
  }
  SECTION("external references are the host's numbers") {
    r.tables[1].elements[0] = (uint64_t{1} << 62) - 1;
    CHECK(f.verdict().empty());
  }
  SECTION("i31 as an external reference") {
    r.tables[1].elements[0] = i31_ref(5);
    CHECK(f.verdict().empty());
  }
  SECTION("i31 with more bits than it has") {
    r.tables[1].elements[0] = i31_ref(5) | uint64_t{1} << 40;
    CHECK(!f.verdict().empty());
  }
  SECTION("references to objects and exceptions that are not there") {
    r.tables[1].elements[0] = ~uint64_t{0};
    CHECK(!f.verdict().empty());
    r.tables[1].elements[0] = kHeapRefBit | 1;
    CHECK(!f.verdict().empty());
  }
  SECTION("table beyond its type") {
    r.tables[0].elements.resize(11);
    CHECK(contains(f.verdict(), "tables[0] has 11 elements"));
  }
  SECTION("table of another type") {
    r.tables[1].type.element = ValType::FuncRef;
    CHECK(contains(f.verdict(), "instances[0].tables[1] differs"));
  }
  SECTION("memory beyond its type") {
    r.memories[0].pages = 41;
    CHECK(contains(f.verdict(), "memories[0] has 41 pages"));
  }
  SECTION("memory smaller than its type") {
    r.memories[0].type.limits.min = 0;
    r.memories[0].pages = 0;
    CHECK(contains(f.verdict(), "instances[0].memories[0] differs"));
  }
  SECTION("memory of another type") {
    r.memories[0].type.limits.max = std::nullopt;
    r.memories[0].pages = 65536;
    CHECK(contains(f.verdict(), "instances[0].memories[0] differs"));
  }
  SECTION("memory with too many pages") {
    r.memories[0].type.limits.max = std::nullopt;
    r.memories[0].pages = 65537;
    CHECK(contains(f.verdict(), "memories[0] has 65537 pages"));
  }
  SECTION("instance of a module that is not there") {
    r.instances[0].module = 1;
    CHECK(contains(f.verdict(), "instances[0] is of module 1"));
  }
  SECTION("instance with a wrong function") {
    std::swap(r.instances[0].funcs[1], r.instances[0].funcs[2]);
    CHECK(contains(f.verdict(), "says otherwise"));
  }
  SECTION("instance with too few globals") {
    r.instances[0].globals.pop_back();
    CHECK(contains(f.verdict(), "2 globals, the module declares 3"));
  }
  SECTION("instance with an address that is not there") {
    r.instances[0].datas[0] = 9;
    CHECK(contains(f.verdict(), "instances[0].datas[0] is address 9"));
  }
  SECTION("segment used twice") {
    r.instances[0].datas[0] = r.instances[0].datas[1];
    CHECK(contains(f.verdict(), "belongs to another instance"));
  }
  SECTION("imported function of another type") {
    r.host_funcs[0].type.results.clear();
    CHECK(contains(f.verdict(), "instances[0].funcs[0] differs"));
  }
  SECTION("function that a module only imports") {
    r.funcs[0] = {0, 0};
    CHECK(contains(f.verdict(), "says otherwise"));
  }
  SECTION("function of an instance that is not there") {
    r.funcs[1].instance = 7;
    CHECK(contains(f.verdict(), "funcs[1] is of instance 7"));
  }
  SECTION("global that is immutable in the file") {
    r.globals[0].type.is_mutable = false;
    CHECK(contains(f.verdict(), "instances[0].globals[0] differs"));
  }
  SECTION("pending call of a guest's function") {
    r.machine.pending = MachineImage::PendingCall{FuncAddr{1}, {{ValType::I64, 0}}};
    CHECK(contains(f.verdict(), "not one of a host function"));
  }
  SECTION("pending call with wrong arguments") {
    r.machine.pending = MachineImage::PendingCall{FuncAddr{0}, {{ValType::I64, 0}}};
    CHECK(contains(f.verdict(), "arguments do not fit"));
  }
  SECTION("entry that is not there") {
    r.machine.entry = FuncAddr{50};
    CHECK(contains(f.verdict(), "machine.entry is function address 50"));
  }
  SECTION("descriptors out of order") {
    std::swap(r.wasi->descriptors[0], r.wasi->descriptors[1]);
    CHECK(contains(f.verdict(), "not in ascending order"));
  }
  SECTION("argument with a NUL") {
    r.wasi->args[0] = std::string("a\0b", 3);
    CHECK(contains(f.verdict(), "wasi.args contains a NUL"));
  }
  SECTION("no machine to run") {
    r.machine = {};
    r.machine.entry = FuncAddr{1};
    CHECK(!f.verdict().empty());
  }
}

TEST_CASE("A frame that claims to be huge is refused before anything is allocated", "[snapshot]") {
  // A header, and a frame header that announces 200 MiB in a file of a few bytes.
  std::vector<uint8_t> bytes = some_snapshot();
  bytes.resize(8 + snapshot::kHeaderFixed + 8);
  const uint32_t size = 200u << 20;
  bytes.insert(bytes.end(), {0x28, 0xB5, 0x2F, 0xFD, 0xA4});
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<uint8_t>(size >> (8 * i)));
  const Result<void> result = check(bytes);
  REQUIRE(!result);
  CHECK(contains(result.error().cause, "larger than the file can hold"));
}

TEST_CASE("Parts of a state that are used several times do not multiply", "[snapshot]") {
  flatbuffers::FlatBufferBuilder fbb;
  const std::vector<uint8_t> hash(32);
  const std::vector<uint32_t> numbers(1000);
  const auto sha = fbb.CreateVector(hash);
  const std::vector modules{schema::CreateModule(fbb, sha, 8)};
  const auto list = fbb.CreateVector(numbers);
  std::vector<flatbuffers::Offset<schema::Instance>> instances;
  for (int i = 0; i < 1000; ++i) instances.push_back(schema::CreateInstance(fbb, 0, list));
  const auto module_list = fbb.CreateVector(modules);
  const auto instance_list = fbb.CreateVector(instances);
  const auto machine = schema::CreateMachine(fbb);
  schema::StateBuilder state(fbb);
  state.add_modules(module_list);
  state.add_instances(instance_list);
  state.add_machine(machine);
  fbb.FinishSizePrefixed(state.Finish(), snapshot::kStateIdentifier);

  Records records;
  const auto decoding = snapshot::decode_state({fbb.GetBufferPointer(), fbb.GetSize()}, records);
  REQUIRE(!decoding.result);
  CHECK(contains(decoding.result.error().cause, "parts of the state overlap"));
}

TEST_CASE("A feature that is required and not known is refused by name", "[snapshot]") {
  flatbuffers::FlatBufferBuilder fbb;
  const std::vector<std::string> names{"time-travel"};
  const auto requirements = fbb.CreateVectorOfStrings(names);
  const auto machine = schema::CreateMachine(fbb);
  schema::StateBuilder state(fbb);
  state.add_requires_(requirements);
  state.add_machine(machine);
  fbb.FinishSizePrefixed(state.Finish(), snapshot::kStateIdentifier);

  Records records;
  const auto decoding = snapshot::decode_state({fbb.GetBufferPointer(), fbb.GetSize()}, records);
  REQUIRE(!decoding.result);
  CHECK(decoding.unsupported);
  CHECK(contains(decoding.result.error().cause, "needs the feature \"time-travel\""));
}
