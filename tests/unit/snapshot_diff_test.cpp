// Differences: none between equal states, and none that goes unnoticed.
#include <functional>

#include "snapshot/diff.hpp"
#include "unit/snapshot_fixture.hpp"

using namespace chiwawa;
using namespace snapshot_test;
using snapshot::Difference;
using snapshot::Records;

namespace {

Result<std::vector<Difference>> compare(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b, int& which) {
  snapshot::MemorySource source_a(a);
  snapshot::MemorySource source_b(b);
  snapshot::Reader reader_a(source_a);
  snapshot::Reader reader_b(source_b);
  REQUIRE(reader_a.open());
  REQUIRE(reader_b.open());
  return snapshot::diff(reader_a, reader_b, snapshot::Names(reader_a.records()), snapshot::Names(reader_b.records()),
                        which);
}

std::vector<Difference> compare(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  int which = 0;
  auto result = compare(a, b, which);
  REQUIRE(result);
  return *result;
}

std::vector<uint8_t> bytes_of(const Guest& guest, const Records& records, std::string_view writer = "test") {
  snapshot::MemorySink sink;
  const auto memory = [&](uint32_t m) -> std::span<const uint8_t> {
    return std::as_const(*guest.store->memories[m]).memory.bytes();
  };
  REQUIRE(snapshot::write_records(sink, records, memory, writer));
  return sink.data;
}

Records records_of(Guest& guest) {
  return snapshot::collect(*guest.store, guest.machine->capture(), Guest::some_wasi());
}

}  // namespace

TEST_CASE("Equal states have no differences, whoever wrote them", "[snapshot][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const Records records = records_of(guest);
  CHECK(compare(bytes_of(guest, records, "one"), bytes_of(guest, records, "two")).empty());
}

TEST_CASE("A step later, the stack differs", "[snapshot][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const std::vector<uint8_t> a = guest.save();
  REQUIRE(guest.run(1).kind == Outcome::Kind::Paused);
  const std::vector<uint8_t> b = guest.save();
  const std::vector<Difference> differences = compare(a, b);
  REQUIRE(differences.size() == 1);
  CHECK(differences[0].part == "stack");
  CHECK(differences[0].details[0] == "steps: 100 → 101 (1 later)");
  CHECK(compare(b, a)[0].details[0] == "steps: 101 → 100 (1 earlier)");
}

TEST_CASE("Changed memory is shown with its first bytes", "[snapshot][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const std::vector<uint8_t> a = guest.save();
  LinearMemory& memory = guest.store->memories[0]->memory;
  memory.data()[70000] = 'A';
  memory.data()[70003] = 'Z';
  memory.data()[(1u << 20) + 5] = 7;  // in a group that was all zero
  const std::vector<Difference> differences = compare(a, guest.save());
  REQUIRE(differences.size() == 1);
  CHECK(differences[0].part == "memory 0");
  REQUIRE(differences[0].details.size() == 5);
  CHECK(differences[0].details[0] == "3 bytes differ, in 2 blocks of 4 KiB");
  CHECK(differences[0].details[1] == "0x00011170: 61 63 74 69 76 65 00 00 00 00 00 00 00 00 00 00 →");
  CHECK(differences[0].details[2] == "            41 63 74 5a 76 65 00 00 00 00 00 00 00 00 00 00");
  CHECK(differences[0].details[3].starts_with("0x00100005: 00"));
}

TEST_CASE("Grown memories are a difference by themselves", "[snapshot][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const std::vector<uint8_t> a = guest.save();
  REQUIRE(guest.store->memories[0]->memory.grow_to(30));
  const std::vector<Difference> differences = compare(a, guest.save());
  REQUIRE(differences.size() == 1);
  CHECK(differences[0].part == "memory 0");
  CHECK(differences[0].details == std::vector<std::string>{"pages: 19 → 30"});
}

TEST_CASE("Every part of the state is compared", "[snapshot][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const Records original = records_of(guest);
  const std::vector<uint8_t> a = bytes_of(guest, original);

  const auto check = [&](const char* name, const std::function<void(Records&)>& change) {
    Records changed = original;
    change(changed);
    const std::vector<Difference> differences = compare(a, bytes_of(guest, changed));
    INFO(name << "\n" << snapshot::print(differences));
    REQUIRE(differences.size() == 1);
    CHECK(differences[0].part == name);
    CHECK(!differences[0].details.empty());
  };
  check("program", [](Records& r) { r.modules[0].sha256[0] ^= 1; });
  check("program", [](Records& r) { r.modules[0].name = "other"; });
  check("program", [](Records& r) { r.host_funcs[0].name = "other"; });
  check("program", [](Records& r) { std::swap(r.funcs[1], r.funcs[2]); });
  check("program", [](Records& r) { r.host_funcs[0].type.params.clear(); });
  check("program", [](Records& r) { std::swap(r.instances[0].datas[0], r.instances[0].datas[1]); });
  check("stack", [](Records& r) { r.machine.steps.reset(); });
  check("stack", [](Records& r) { r.machine.entry = FuncAddr{1}; });
  check("stack", [](Records& r) { r.machine.frames[0].position += 1; });
  check("stack", [](Records& r) { r.machine.values.back().bits ^= 1; });
  check("stack", [](Records& r) { r.machine.pending = {FuncAddr{0}, {{ValType::I32, 1}, {ValType::I64, 2}}}; });
  check("stack", [](Records& r) { r.machine.next = {FuncAddr{1}, {{ValType::I64, 2}}}; });
  check("stack", [](Records& r) {
    r.machine.frames[0].local_count -= 1;
    r.machine.frames[0].operand_count += 1;
  });
  check("globals", [](Records& r) { r.globals[2].bits ^= 1; });
  check("globals", [](Records& r) { r.globals[0].type.is_mutable = false; });
  check("tables", [](Records& r) { r.tables[0].elements[0] = 1; });
  check("tables", [](Records& r) { r.tables[1].elements.push_back(0); });
  check("tables", [](Records& r) { r.tables[1].type.limits.max = 100; });
  check("segments", [](Records& r) { r.datas_dropped[0] ^= 1; });
  check("segments", [](Records& r) { r.elems[0].dropped = false; });
  check("segments", [](Records& r) { r.elems[1] = {ValType::FuncRef, false, {2}}; });
  check("memory 0", [](Records& r) { r.memories[0].pages += 1; });
  check("memory 0", [](Records& r) { r.memories[0].type.limits.max = 50; });
  check("wasi", [](Records& r) { r.wasi.reset(); });
  check("wasi", [](Records& r) { r.wasi->args.pop_back(); });
  check("wasi", [](Records& r) { r.wasi->environ[0] += "x"; });
  check("wasi", [](Records& r) { r.wasi->monotonic += 1; });
  check("wasi", [](Records& r) { r.wasi->sleep.reset(); });
  check("wasi", [](Records& r) { r.wasi->descriptors.pop_back(); });
  check("wasi", [](Records& r) { r.wasi->descriptors[4].offset += 1; });
  check("wasi", [](Records& r) { r.wasi->descriptors[4].inode += 1; });
  check("wasi", [](Records& r) { r.wasi->descriptors[4].fdflags ^= 1; });
}

TEST_CASE("Damage is blamed on the right file", "[snapshot][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const std::vector<uint8_t> good = guest.save();
  std::vector<uint8_t> bad = good;
  bad[bad.size() - 40] ^= 1;  // in the trailer
  int which = 0;
  CHECK(!compare(good, bad, which));
  CHECK(which == 1);
  CHECK(!compare(bad, good, which));
  CHECK(which == 0);
}
