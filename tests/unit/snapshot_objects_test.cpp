// The heap in snapshots: what comes back, and forged objects, each refused by name.
#include <functional>

#include "snapshot/objects.hpp"
#include "snapshot/read.hpp"
#include "snapshot/restore.hpp"
#include "snapshot/write.hpp"
#include "unit/heap_fixture.hpp"

namespace chiwawa {

namespace {

using namespace heap_test;
using snapshot::Records;

// The objects by number, see the constructor.
constexpr size_t kOne = 0, kTwo = 3, kArray = 1, kException = 2;

/// A guest that is paused in build(), with objects in globals that the module does not have, as the host's.
struct Saved {
  ListGuest guest{{all_machines()[0].dispatch, {.polls = false, .exact = true}}};
  Records records;

  Saved() {
    // 0: a node {0, 3}, 1: an array {null, 0, 3}, 2: an exception {0, 1}, 3: a node {0, 0}
    const uint64_t one = guest.make(kNode), two = guest.make(kNode), array = guest.make(kNodes, 3);
    const ObjectHeader header{kExceptionType, 0};
    const uint64_t exception = guest.store.new_object_at_once(header);
    guest.set(one, 8, two);
    guest.set(two, 8, one);
    guest.set(array, 8, one);
    guest.set(array, 16, two);
    guest.set(exception, 0, one);
    guest.set(exception, 8, array);
    guest.make(kNode);  // nobody refers to it
    guest.store.add_global({ValType::AnyRef, true}, one);
    guest.store.add_global({ValType::AnyRef, true}, array);
    guest.store.add_global({ValType::ExnRef, true}, exception);
    REQUIRE(guest.machine->invoke(FuncAddr{0}, std::vector<Value>{{ValType::I32, 5}}));
    REQUIRE(guest.machine->run(1).kind == Outcome::Kind::Paused);
    records = snapshot::collect(guest.store, guest.machine->capture(), std::nullopt);
  }

  Result<snapshot::Restored> restored() {
    snapshot::MemorySink sink;
    const auto no_memory = [](uint32_t) { return std::span<const uint8_t>(); };
    CHIWAWA_TRY(snapshot::write_records(sink, records, no_memory, "forger"));
    snapshot::MemorySource source(sink.data);
    snapshot::Reader reader(source);
    CHIWAWA_TRY(reader.open());
    CHECK(reader.records().heap == records.heap);
    const auto no_host = [](std::string_view, std::string_view, const FuncType&) {
      return std::optional<HostFunction>();
    };
    return snapshot::restore(reader, {&guest.module, 1}, no_host, {});
  }
  void refused(std::string_view cause) {
    const Result<snapshot::Restored> result = restored();
    INFO(cause);
    REQUIRE_FALSE(result);
    INFO(result.error().cause);
    CHECK(result.error().phase == Phase::Snapshot);
    CHECK(result.error().cause.find(cause) != std::string::npos);
  }
  void set_ref(size_t byte, uint64_t ref) { std::memcpy(records.heap.bytes.data() + byte, &ref, sizeof ref); }
};

/// Where the objects' bytes are.
constexpr size_t kOneAt = 0, kArrayAt = 16, kExceptionAt = 40;

}  // namespace

TEST_CASE("Objects are numbered from the roots", "[snapshot]") {
  const Saved saved;
  const snapshot::HeapRecord& heap = saved.records.heap;
  REQUIRE(heap.objects.size() == 4);
  CHECK(heap.objects[kArray].length == 3);
  CHECK(heap.objects[kException] == snapshot::ObjectRecord{snapshot::kExceptionObject, 0});
  CHECK(heap.objects[kOne].type == heap.objects[kTwo].type);
  CHECK(heap.bytes.size() == 16 + 24 + 16 + 16);
  CHECK(saved.records.globals[0].bits[0] == (kHeapRefBit | kOne));
  uint64_t next;
  std::memcpy(&next, heap.bytes.data() + kOneAt + 8, sizeof next);
  CHECK(next == (kHeapRefBit | kTwo));
}

TEST_CASE("Objects come back", "[snapshot]") {
  Saved saved;
  const Result<snapshot::Restored> restored = saved.restored();
  INFO((restored ? "" : describe(restored.error())));
  REQUIRE(restored);
  Store& store = *restored->store;
  size_t count = 0;
  store.for_each_object([&](uint64_t, ObjectHeader) { ++count; });
  CHECK(count == 4);
  CHECK(snapshot::check_references(store));
  const uint64_t one = store.globals[0]->bits[0];
  uint64_t two, back;
  std::memcpy(&two, store.heap.fields(one) + 8, sizeof two);
  std::memcpy(&back, store.heap.fields(two) + 8, sizeof back);
  CHECK(back == one);
  // All are still reachable, and the same snapshot is written again.
  store.collect([] {});
  count = 0;
  store.for_each_object([&](uint64_t, ObjectHeader) { ++count; });
  CHECK(count == 4);
  Machine machine(store);
  const Result<void> placed = machine.restore(restored->machine);
  INFO((placed ? "" : describe(placed.error())));
  REQUIRE(placed);
  CHECK(snapshot::collect(store, machine.capture(), std::nullopt).heap == saved.records.heap);
}

TEST_CASE("Forged objects are refused by name", "[snapshot]") {
  Saved saved;
  Records& r = saved.records;
  SECTION("type of no instance") {
    r.heap.types[0].instance = 7;
    saved.refused("heap.types[0]");
  }
  SECTION("type that no module has") {
    r.heap.types[0].index = 99;
    saved.refused("an object has a type that no module defines");
  }
  SECTION("function's type") {
    r.heap.types[0].index = kBuild;
    saved.refused("an object has a function's type");
  }
  SECTION("object of an unknown type") {
    r.heap.objects[kTwo].type = 2;
    saved.refused("objects[3] has an unknown type");
  }
  SECTION("struct with a length") {
    r.heap.objects[kTwo].length = 1;
    saved.refused("objects[3] is a struct with a length");
  }
  SECTION("exception with an unknown tag") {
    r.heap.objects[kException].length = 1;
    saved.refused("objects[2] is an exception with an unknown tag");
  }
  SECTION("array that is longer than the heap") {
    r.heap.objects[kArray].length = 0xFFFF'FFFF;
    saved.refused("the heap has fewer bytes than its objects");
  }
  SECTION("array that is shorter") {
    r.heap.objects[kArray].length = 2;
    saved.refused("the heap has more bytes than its objects");
  }
  SECTION("bytes that are missing") {
    r.heap.bytes.resize(r.heap.bytes.size() - 8);
    saved.refused("the heap has fewer bytes than its objects");
  }
  SECTION("bytes that are too many") {
    r.heap.bytes.resize(r.heap.bytes.size() + 8);
    saved.refused("the heap has more bytes than its objects");
  }
  SECTION("object that is missing") {
    r.heap.objects.pop_back();
    r.heap.bytes.resize(r.heap.bytes.size() - 16);
    saved.refused("a reference to an object that does not exist");
  }
  SECTION("reference to an object that does not exist") {
    saved.set_ref(kOneAt + 8, kHeapRefBit | 4);
    saved.refused("a reference to an object that does not exist");
  }
  SECTION("reference of a global to an object that does not exist") {
    r.globals[0].bits[0] = kHeapRefBit | 4;
    saved.refused("object");
  }
  SECTION("reference to an object of a wrong type") {
    saved.set_ref(kOneAt + 8, kHeapRefBit | kArray);
    saved.refused("an object has a field that is no (ref null");
  }
  SECTION("reference to an exception as an object") {
    saved.set_ref(kArrayAt, kHeapRefBit | kException);
    saved.refused("an object has a field that is no (ref null");
  }
  SECTION("i31 in a field of a struct's type") {
    saved.set_ref(kArrayAt, i31_ref(1));
    saved.refused("an object has a field that is no (ref null");
  }
  SECTION("i31 with bits that it has not") {
    saved.set_ref(kExceptionAt + 8, i31_ref(1) | uint64_t{1} << 33);
    saved.refused("an object has a field that is no anyref");
  }
  SECTION("what an exception carries") {
    saved.set_ref(kExceptionAt, kHeapRefBit | kArray);
    saved.refused("an object has a field that is no (ref null");
  }
  SECTION("object as an exception") {
    r.globals[2].bits[0] = kHeapRefBit | kOne;
    saved.refused("globals[2] is no exnref");
  }
  SECTION("exception as an object") {
    r.globals[0].bits[0] = kHeapRefBit | kException;
    saved.refused("globals[0] is no anyref");
  }
  SECTION("number of the host as an exception") {
    r.globals[2].bits[0] = 5;
    saved.refused("globals[2]");
  }
  SECTION("more tags than instances have") {
    r.tags = 0xFFFF'FFFF;
    saved.refused("there are more tags than instances have");
  }
  SECTION("fewer tags") {
    r.tags = 0;
    saved.refused("tags");
  }
  SECTION("instance without its tag") {
    r.instances[0].tags.clear();
    r.tags = 0;
    saved.refused("0 tags, the module declares 1");
  }
}

}  // namespace chiwawa
