// The heap: what the collector finds reachable, what it frees, and what happens when there is no more memory.
#include "interp/heap.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "unit/heap_fixture.hpp"

namespace chiwawa {

namespace {

using namespace heap_test;

constexpr uint32_t kNext = 8;  // offset of a node's reference

}  // namespace

TEST_CASE("heap: Layouts put fields at multiples of their sizes") {
  TypeDef type;
  type.kind = TypeDef::Kind::Struct;
  for (const ValType storage : {ValType::I8, ValType::I16, ValType::I8, ValType::I32, ValType::I8, ValType::F64,
                                ValType::I8, ValType::V128, ValType::AnyRef, ValType::I8}) {
    type.fields.push_back({storage, false});
  }
  const ObjectLayout layout(type);
  CHECK(layout.offsets == std::vector<uint32_t>{0, 2, 4, 8, 12, 16, 24, 32, 48, 56});
  CHECK(layout.ref_offsets == std::vector<uint32_t>{48});
  CHECK(layout.bytes == 57);
  type.kind = TypeDef::Kind::Array;
  type.fields = {{ValType::I16, true}};
  CHECK(ObjectLayout(type).bytes_of(0xFFFF'FFFF) == uint64_t{0xFFFF'FFFF} * 2);
}

TEST_CASE("heap: What can be reached stays, what cannot is gone") {
  ListGuest guest;
  // A ring of two nodes in a global; a chain in an array in a table; a node in an element segment; one in an exception
  // in a global; and of each another that nobody refers to.
  std::vector<uint64_t> kept, lost;
  for (std::vector<uint64_t>* const list : {&kept, &lost}) {
    const uint64_t one = guest.make(kNode), two = guest.make(kNode);
    guest.set(one, kNext, two);
    guest.set(two, kNext, one);
    const uint64_t array = guest.make(kNodes, 5), end = guest.make(kNode), middle = guest.make(kNode);
    guest.set(array, 4 * 8, middle);
    guest.set(middle, kNext, end);
    const uint64_t single = guest.make(kNode);
    const ObjectHeader header{kExceptionType, 0};
    const uint64_t exception = guest.store.new_object_at_once(header);
    const uint64_t thrown = guest.make(kNode), bytes = guest.make(kBytes, 77);
    guest.set(exception, 0, thrown);
    guest.set(exception, 8, bytes);
    *list = {one, two, array, end, middle, single, exception, thrown, bytes};
  }
  CHECK(guest.objects().size() == 18);
  guest.store.add_global({ValType::AnyRef, true}, kept[0]);
  const Result<TableAddr> table = guest.store.add_table({ValType::AnyRef, {3, {}}}, kNullRef);
  REQUIRE(table);
  guest.store[*table].elements = {i31_ref(5), kept[2], kNullRef};
  guest.store.add_elem(ValType::AnyRef, {kept[5]});
  guest.store.add_global({ValType::ExnRef, true}, kept[6]);
  // Numbers that look like references are none.
  guest.store.add_global({ValType::I64, true}, lost[0]);

  guest.collect();
  std::vector<uint64_t> there = kept;
  std::sort(there.begin(), there.end());
  CHECK(guest.objects() == there);
  CHECK(guest.store.heap.header(kept[2]).length == 5);
  guest.collect();
  CHECK(guest.objects() == there);

  // One root after the other goes.
  guest.store.globals[0]->bits[0] = kNullRef;
  guest.collect();
  CHECK(guest.objects().size() == 7);
  guest.store[*table].elements[1] = kNullRef;
  guest.collect();
  CHECK(guest.objects().size() == 4);
  guest.store.elems[0]->elements.clear();
  guest.collect();
  CHECK(guest.objects().size() == 3);
  guest.store.globals[1]->bits[0] = kNullRef;
  guest.collect();
  CHECK(guest.objects().empty());
  CHECK(guest.store.heap.used_bytes() == 0);
}

TEST_CASE("heap: Freed runs are used again") {
  ListGuest guest;
  std::vector<uint64_t> nodes;
  for (int i = 0; i < 9; ++i) nodes.push_back(guest.make(kNode));
  const uint64_t used = guest.store.heap.used_bytes();
  for (int i = 0; i < 9; i += 2) guest.store.add_global({ValType::AnyRef, true}, nodes[static_cast<size_t>(i)]);
  guest.collect();
  CHECK(guest.store.heap.used_bytes() == used / 9 * 5);
  for (size_t i = 1; i < 9; i += 2) {
    const uint64_t fresh = guest.make(kNode);
    CHECK(fresh == nodes[i]);
    CHECK(std::all_of(guest.store.heap.fields(fresh), guest.store.heap.fields(fresh) + 16,
                      [](uint8_t b) { return b == 0; }));
  }
  CHECK(guest.store.heap.used_bytes() == used);
  CHECK(guest.objects() == nodes);
  // Neighbours that are free are one run.
  guest.collect();
  const uint64_t array = guest.make(kBytes, 1000);
  CHECK(array > nodes[8]);
  for (const auto& global : guest.store.globals) global->bits[0] = kNullRef;
  guest.collect();
  CHECK(guest.make(kBytes, 150) == nodes[0]);
}

TEST_CASE("heap: References in frames keep objects, on every machine") {
  for (const MachineKind& kind : all_machines()) {
    for (const bool always : {false, true}) {
      INFO(kind.name() << (always ? ", collecting always" : ""));
      ListGuest guest(kind);
      guest.store.heap.collect_always = always;
      CHECK(guest.value("nested", 40) == 2 * 40 * 41 / 2);
      const Outcome list = guest.run("build", {ValType::I32, 50});
      REQUIRE(list.kind == Outcome::Kind::Finished);
      CHECK(guest.value("sum", list.values.at(0)) == 50 * 51 / 2);
      if (always) CHECK(guest.store.heap.collections() >= 40 * 5);
    }
  }
}

TEST_CASE("heap: Garbage does not pile up") {
  ListGuest guest;
  for (int i = 0; i < 100; ++i) CHECK(guest.value("waste", 10'000) == 10'000);  // 24 MB altogether
  CHECK(guest.store.heap.collections() >= 4);
  CHECK(guest.store.heap.used_bytes() <= 6u << 20);
  guest.collect();
  CHECK(guest.store.heap.used_bytes() == 0);
}

TEST_CASE("heap: A list of a million small structs takes 24 bytes for each") {
  ListGuest guest;
  const Outcome list = guest.run("build", {ValType::I32, 1'000'000});
  REQUIRE(list.kind == Outcome::Kind::Finished);
  guest.store.add_global({ValType::AnyRef, true}, list.values.at(0).bits);
  guest.collect();
  CHECK(guest.objects().size() == 1'000'000);
  CHECK(guest.store.heap.used_bytes() == 24'000'000);
  CHECK(guest.value("sum", list.values[0]) == uint64_t{1'000'000} * 1'000'001 / 2);
}

TEST_CASE("heap: The limit is a trap, and the store goes on") {
  for (const MachineKind& kind : all_machines()) {
    INFO(kind.name());
    ListGuest guest(kind);
    guest.store.limits.max_heap = 1u << 20;
    const auto exhausted = [&](std::string_view function, uint32_t argument) {
      const Outcome outcome = guest.run(function, {ValType::I32, argument});
      REQUIRE(outcome.kind == Outcome::Kind::Trapped);
      CHECK(outcome.trap.kind == TrapKind::HeapExhausted);
      CHECK(std::string(name(outcome.trap.kind)) == "heap exhausted");
      CHECK_FALSE(outcome.trap.call_chain.empty());
    };
    exhausted("build", 1'000'000);
    CHECK(guest.store.heap.used_bytes() <= 1u << 20);
    // What was made is garbage now.
    CHECK(guest.value("waste", 20'000) == 20'000);
    for (const uint32_t length : {0xFFFF'FFFFu, 0x8000'0000u, 0x7FFF'FFFFu, 1u << 20}) exhausted("bytes", length);
    CHECK(guest.value("bytes", 1'000'000) == 1'000'000);
    CHECK(guest.value("bytes", 0) == 0);
    for (int i = 0; i < 20; ++i) CHECK(guest.value("bytes", 900'000) == 900'000);
    CHECK(guest.value("waste", 20'000) == 20'000);
  }
  ListGuest guest;
  CHECK(guest.run("bytes", {ValType::I32, 0xFFFF'FFFF}).trap.kind == TrapKind::HeapExhausted);  // with the usual limit
}

}  // namespace chiwawa
