// What is written comes back: same behaviour, same bytes.
#include "unit/snapshot_fixture.hpp"

using namespace chiwawa;
using namespace snapshot_test;

namespace {

Outcome finish(Guest& guest) { return guest.run(~uint64_t{0} >> 1); }

}  // namespace

TEST_CASE("A guest goes on after a restore as if nothing had happened, wherever it stopped", "[snapshot]") {
  Guest uninterrupted(3);
  const Outcome expected = finish(uninterrupted);
  REQUIRE(expected.kind == Outcome::Kind::Finished);
  const uint64_t steps = uninterrupted.machine->steps();
  REQUIRE(steps > 50);

  for (uint64_t at = 0; at < steps; ++at) {
    INFO("stopped at step " << at);
    Guest guest(3);
    REQUIRE(guest.run(at).kind == Outcome::Kind::Paused);
    const std::vector<uint8_t> bytes = guest.save();

    Guest other(1);
    const Result<void> loaded = other.load_from(bytes);
    INFO((loaded ? std::string() : describe(loaded.error())));
    REQUIRE(loaded);
    CHECK(same_snapshot(other.save(), bytes));  // re-encoding changes nothing

    const Outcome outcome = finish(other);
    REQUIRE(outcome.kind == Outcome::Kind::Finished);
    CHECK(outcome.values == expected.values);
    CHECK(other.machine->steps() == steps);
    // The store ends up the same, too.
    for (size_t i = 0; i < uninterrupted.store->memories.size(); ++i) {
      const auto a = uninterrupted.store->memories[i]->memory.bytes();
      const auto b = other.store->memories[i]->memory.bytes();
      CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }
    for (size_t i = 0; i < uninterrupted.store->tables.size(); ++i) {
      CHECK(uninterrupted.store->tables[i]->elements == other.store->tables[i]->elements);
    }
    for (size_t i = 0; i < uninterrupted.store->globals.size(); ++i) {
      CHECK(uninterrupted.store->globals[i]->bits == other.store->globals[i]->bits);
    }
  }
}

TEST_CASE("A pending host call is saved and made again", "[snapshot]") {
  Guest guest(2);
  Outcome outcome = guest.machine->run();
  REQUIRE(outcome.kind == Outcome::Kind::Paused);
  REQUIRE(outcome.pause == PauseReason::HostWait);
  const std::vector<uint8_t> bytes = guest.save();

  snapshot::MemorySource source(bytes);
  snapshot::Reader reader(source);
  REQUIRE(reader.open());
  REQUIRE(reader.records().machine.pending);
  CHECK(reader.records().machine.pending->args.size() == 2);

  const Outcome expected = finish(guest);
  Guest other(1);
  REQUIRE(other.load_from(bytes));
  CHECK(same_snapshot(other.save(), bytes));
  other.host.waited = true;
  CHECK(finish(other).values == expected.values);
}

TEST_CASE("WASI state comes back", "[snapshot]") {
  Guest guest(1);
  const std::vector<uint8_t> bytes = guest.save();
  snapshot::MemorySource source(bytes);
  snapshot::Reader reader(source);
  REQUIRE(reader.open());
  const wasi::State expected = Guest::some_wasi();
  REQUIRE(reader.records().wasi);
  const wasi::State& state = *reader.records().wasi;
  CHECK(state.args == expected.args);
  CHECK(state.environ == expected.environ);
  CHECK(state.monotonic == expected.monotonic);
  CHECK(state.sleep->elapsed == 1000);
  REQUIRE(state.descriptors.size() == 7);
  CHECK(state.descriptors[4].number == 5);
  CHECK(state.descriptors[4].kind == wasi::DescriptorKind::File);
  CHECK(state.descriptors[4].preopen == "/data");
  CHECK(state.descriptors[4].path == "log.txt");
  CHECK(state.descriptors[4].offset == 12);
  CHECK(state.descriptors[4].mtime == 56);
  CHECK(state.descriptors[4].device == 7);
  CHECK(state.descriptors[4].inode == 8);
  CHECK_FALSE(state.descriptors[4].removed_file);
  CHECK_FALSE(state.descriptors[4].elsewhere);
  CHECK(state.descriptors[5].removed_file == 1);
  CHECK(state.descriptors[5].elsewhere);
  CHECK(state.descriptors[6].kind == wasi::DescriptorKind::Listener);
  CHECK(state.descriptors[6].listener == 1);
  CHECK(state.descriptors[6].address == "127.0.0.1:80");
  CHECK(state.removed_files == expected.removed_files);
  CHECK(reader.header().writer == "test 1.0");
}

TEST_CASE("A foreign module and missing host functions are refused by name", "[snapshot]") {
  Guest guest(1);
  const std::vector<uint8_t> bytes = guest.save();
  const auto none = [](std::string_view, std::string_view, const FuncType&) { return std::optional<HostFunction>(); };
  {
    snapshot::MemorySource source(bytes);
    snapshot::Reader reader(source);
    REQUIRE(reader.open());
    const std::shared_ptr<const Module> foreign = load(std::span(kGuest).first(8));
    const auto restored = snapshot::restore(reader, std::span(&foreign, 1), none);
    REQUIRE(!restored);
    CHECK(restored.error().phase == Phase::Snapshot);
    CHECK(restored.error().cause.find("not the one that was saved") != std::string::npos);
    CHECK(restored.error().cause.find(snapshot::to_hex(snapshot::sha256(foreign->bytes))) != std::string::npos);
    CHECK(restored.error().cause.find(snapshot::to_hex(snapshot::sha256(kGuest))) != std::string::npos);
  }
  {
    snapshot::MemorySource source(bytes);
    snapshot::Reader reader(source);
    REQUIRE(reader.open());
    const auto restored = snapshot::restore(reader, std::span(&guest.module, 1), none);
    REQUIRE(!restored);
    CHECK(restored.error().cause.find("env.wait [i32 i64] -> [i32]") != std::string::npos);
  }
}
