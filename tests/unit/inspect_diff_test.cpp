// Differences: none between equal states, and none that goes unnoticed.
#include <functional>

#include "inspect/diff.hpp"
#include "inspect/open.hpp"
#include "unit/snapshot_fixture.hpp"

using namespace chiwawa;
using namespace snapshot_test;
using inspect::Differences;
using inspect::OpenSnapshot;
using snapshot::Records;

namespace {

Result<Differences> compare(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b, int& which,
                            const inspect::DiffOptions& options = {}) {
  OpenSnapshot first;
  OpenSnapshot second;
  which = 0;
  CHIWAWA_TRY(first.open_bytes(a, "a", OpenSnapshot::Check::OnlyShown));
  which = 1;
  CHIWAWA_TRY(second.open_bytes(b, "b", OpenSnapshot::Check::OnlyShown));
  return inspect::diff(first.subject(), second.subject(), options, which);
}

Differences compare(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b,
                    const inspect::DiffOptions& options = {}) {
  int which = 0;
  auto result = compare(a, b, which, options);
  REQUIRE(result);
  return *result;
}

std::string text(const Differences& differences) {
  return inspect::text_of([&](inspect::Text& out) { inspect::print_diff(out, differences); });
}

/// The names of what differs.
std::vector<std::string> parts(const Differences& differences) {
  std::vector<std::string> names;
  for (const auto& part : differences.parts) {
    if (part.count != 0) names.push_back(part.name);
  }
  for (const auto& memory : differences.memories) {
    if (!memory.empty()) names.push_back(memory.name);
  }
  return names;
}

using Names = std::vector<std::string>;

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

TEST_CASE("Equal states have no differences, whoever wrote them", "[inspect][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const Records records = records_of(guest);
  CHECK(compare(bytes_of(guest, records, "one"), bytes_of(guest, records, "two")).empty());
}

TEST_CASE("A step later, the stack differs", "[inspect][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const std::vector<uint8_t> a = guest.save();
  REQUIRE(guest.run(1).kind == Outcome::Kind::Paused);
  const std::vector<uint8_t> b = guest.save();
  const Differences differences = compare(a, b);
  CHECK(parts(differences) == Names{"stack"});
  CHECK(text(differences).starts_with("time      1 step later (100 → 101)\nstack     "));
  CHECK(text(compare(b, a)).starts_with("time      1 step earlier (101 → 100)\n"));
}

TEST_CASE("Changed memory is shown line by line", "[inspect][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const std::vector<uint8_t> a = guest.save();
  LinearMemory& memory = guest.store->memories[0]->memory;
  memory.data()[70000] = 'A';
  memory.data()[70003] = 'Z';
  memory.data()[(1u << 20) + 5] = 7;  // in a block that was all zero
  const std::vector<uint8_t> b = guest.save();
  const Differences differences = compare(a, b);
  CHECK(parts(differences) == Names{"memory 0"});
  CHECK(text(differences) ==
        "memory 0  3 bytes differ in 2 blocks of 4 KiB\n"
        "  - 00011170  61 63 74 69 76 65 00 00  00 00 00 00 00 00 00 00  |active..........|\n"
        "  + 00011170  41 63 74 5a 76 65 00 00  00 00 00 00 00 00 00 00  |ActZve..........|\n"
        "  …\n"
        "  - 00100000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
        "  + 00100000  00 00 00 00 00 07 00 00  00 00 00 00 00 00 00 00  |................|\n");
  CHECK(differences.memories[0].blocks == std::vector<uint64_t>{17, 256});

  inspect::DiffOptions options;
  options.range = {0, 70000, 70003};
  CHECK(compare(a, b, options).memories[0].bytes == 1);
  options.range = {0, 70004, 80000};
  CHECK(compare(a, b, options).empty());
  options.range = {1, 0, 80000};
  CHECK(compare(a, b, options).empty());
}

TEST_CASE("Grown memories are a difference by themselves", "[inspect][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const std::vector<uint8_t> a = guest.save();
  REQUIRE(guest.store->memories[0]->grow_to(30));
  const Differences differences = compare(a, guest.save());
  CHECK(parts(differences) == Names{"memory 0"});
  CHECK(text(differences) == "memory 0  grown from 19 to 30 pages\n");
}

TEST_CASE("What shall make no difference makes none", "[inspect][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  Records records = records_of(guest);
  const std::vector<uint8_t> a = bytes_of(guest, records);
  records.wasi->monotonic += 5;
  records.wasi->sleep->elapsed += 5;
  records.wasi->descriptors[4].mtime += 5;
  const std::vector<uint8_t> b = bytes_of(guest, records);
  CHECK(parts(compare(a, b)) == Names{"wasi"});
  inspect::DiffOptions options;
  options.ignore_clock = true;
  CHECK(compare(a, b, options).empty());
  options = {};
  options.ignore_random = true;
  CHECK(!compare(a, b, options).empty());

  records.deterministic = true;
  records.wasi->random = 5;
  const std::vector<uint8_t> c = bytes_of(guest, records);
  records.wasi->random = 6;
  const std::vector<uint8_t> d = bytes_of(guest, records);
  CHECK(parts(compare(b, c)) == Names{"program", "wasi"});
  CHECK(parts(compare(c, d)) == Names{"wasi"});
  CHECK(compare(c, d, options).empty());
}

TEST_CASE("The difference of two files as a test's output shows it", "[inspect][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const std::vector<uint8_t> a = guest.save();
  CHECK(inspect::explain_difference(a, a).empty());
  guest.store->globals[0]->bits[0] += 1;
  CHECK(inspect::explain_difference(a, guest.save()).starts_with("globals   1 change\n  global 0: i32 "));
  CHECK(inspect::explain_difference(a, {1, 2, 3}).starts_with("the second: snapshot error: "));
}

TEST_CASE("Every part of the state is compared", "[inspect][diff]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const Records original = records_of(guest);
  const std::vector<uint8_t> a = bytes_of(guest, original);

  const auto check = [&](const char* name, const std::function<void(Records&)>& change) {
    Records changed = original;
    change(changed);
    const Differences differences = compare(a, bytes_of(guest, changed));
    INFO(name << "\n" << text(differences));
    CHECK(!differences.empty());
    CHECK(parts(differences) == Names{name});
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
  check("globals", [](Records& r) { r.globals[2].bits[0] ^= 1; });
  check("globals", [](Records& r) { r.globals[0].type.is_mutable = false; });
  check("tables", [](Records& r) { r.tables[0].elements[0] = 1; });
  check("tables", [](Records& r) { r.tables[1].elements.push_back(0); });
  check("tables", [](Records& r) { r.tables[1].type.limits.max = 100; });
  check("segments", [](Records& r) { r.datas_dropped[0] ^= 1; });
  check("segments", [](Records& r) { r.elems[0].dropped = false; });
  check("segments", [](Records& r) { r.elems[1] = {ValType::FuncRef, false, {2}}; });
  check("memory 0", [](Records& r) { r.memories[0].pages += 1; });
  check("memory 0", [](Records& r) { r.memories[0].type.limits.max = 50; });
  check("wasi", [](Records& r) { r.wasi->removed_files[1][0] ^= 1; });
  check("wasi", [](Records& r) { r.wasi->descriptors[4].rights_base ^= 1; });
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

TEST_CASE("Damage is blamed on the right file", "[inspect][diff]") {
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
