// A guest with lists on the collected heap, and ways to make objects by hand.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <memory>

#include "interp/decode.hpp"
#include "interp/instantiate.hpp"
#include "interp/machine.hpp"
#include "interp/validate.hpp"
#include "machines.hpp"
#include "unit/module_bytes.hpp"

namespace chiwawa::heap_test {

using namespace chiwawa::test;

constexpr uint8_t kNode = 0, kNodes = 1, kBytes = 2, kBuild = 3, kSum = 4, kRun = 5, kPair = 6;

/// Functions on lists of {i32, next}:
///   0 build(n): a list of n, n - 1, …, 1 from its end, so that the first node has the number 1
///   1 sum(list): of the numbers
///   2 nested(n): n + nested(n - 1), where n is kept in an object in a local while the inner call runs, and one more in
///     an operand below it
///   3 waste(n): builds a list of n that nobody keeps, and gives n
///   4 bytes(n): the length of an array of n bytes
inline Bytes lists() {
  const Bytes node = {0x5F, 2, kI32, 0, 0x63, kNode, 1};
  const Bytes nodes = {0x5E, 0x63, kNode, 1};
  const Bytes bytes = {0x5E, 0x78, 1};
  const Bytes build = {0x03, 0x40, 0x20, 0,    0x20, 1, 0xFB, 0x00, kNode, 0x21, 1, 0x20,
                       0,    0x41, 1,    0x6B, 0x22, 0, 0x0D, 0,    0x0B,  0x20, 1};
  const Bytes sum = {0x02, 0x40, 0x03, 0x40, 0x20, 0,    0xD1, 0x0D,  1, 0x20, 1, 0x20, 0, 0xFB, 0x02, kNode, 0, 0xAC,
                     0x7C, 0x21, 1,    0x20, 0,    0xFB, 0x02, kNode, 1, 0x21, 0, 0x0C, 0, 0x0B, 0x0B, 0x20,  1};
  const Bytes nested = {0x20, 0,    0x45,  0x04,  0x40, 0x42, 0,     0x0F, 0x0B,  // if n == 0: return 0
                        0x20, 0,    0xD0,  kNode, 0xFB, 0x00, kNode, 0x21, 1,     // local 1: {n, null}
                        0x20, 0,    0xD0,  kNode, 0xFB, 0x00, kNode,              // an operand: {n, null}
                        0x41, 3,    0x10,  3,     0x1A,                           // waste(3)
                        0x20, 0,    0x41,  1,     0x6B, 0x10, 2,     0x21, 2,     // local 2: nested(n - 1)
                        0xFB, 0x02, kNode, 0,     0xAC, 0x20, 1,     0xFB, 0x02, kNode, 0, 0xAC, 0x7C, 0x20, 2, 0x7C};
  const Bytes waste = {0x20, 0, 0x10, 0, 0x1A, 0x20, 0, 0xAC};
  const Bytes array = {0x20, 0, 0xFB, 0x07, kBytes, 0xFB, 0x0F, 0xAC};
  const auto exported = [](std::string_view name, uint8_t index) { return join({text(name), {0, index}}); };
  return wasm_module({section(1, vec({node,
                                      nodes,
                                      bytes,
                                      {0x60, 1, kI32, 1, 0x63, kNode},
                                      {0x60, 1, 0x63, kNode, 1, kI64},
                                      func_type({kI32}, {kI64}),
                                      {0x60, 2, 0x63, kNode, kAnyRef, 0}})),
                      section(3, {5, kBuild, kSum, kRun, kRun, kRun}), section(13, vec({{0, kPair}})),
                      section(7, vec({exported("build", 0), exported("sum", 1), exported("nested", 2),
                                      exported("waste", 3), exported("bytes", 4)})),
                      section(10, vec({body(build, {1, 1, 0x63, kNode}), body(sum, {1, 1, kI64}),
                                       body(nested, {2, 1, 0x63, kNode, 1, kI64}), body(waste), body(array)}))});
}

struct ListGuest {
  Store store;
  std::shared_ptr<const Module> module;
  Instance* instance = nullptr;
  std::unique_ptr<Machine> machine;

  explicit ListGuest(const MachineKind& kind = all_machines()[0]) {
    Result<Module> decoded = decode(lists());
    REQUIRE(decoded);
    const Result<void> valid = validate(*decoded);
    INFO((valid ? "" : describe(valid.error())));
    REQUIRE(valid);
    store.compile_options = kind.options;
    module = std::make_shared<const Module>(std::move(*decoded));
    const Result<Instantiation> made = instantiate(store, module, {});
    REQUIRE(made);
    instance = store.instances[0].get();
    machine = std::make_unique<Machine>(store, MachineLimits{}, kind.dispatch);
  }

  Outcome run(std::string_view name, Value argument) {
    REQUIRE(machine->invoke(FuncAddr{store.find_export(*instance, name)->address}, {&argument, 1}));
    for (;;) {
      Outcome outcome = machine->run();
      if (outcome.kind != Outcome::Kind::Paused) return outcome;
    }
  }
  uint64_t value(std::string_view name, Value argument) {
    const Outcome outcome = run(name, argument);
    INFO(name << ": " << chiwawa::name(outcome.trap.kind));
    REQUIRE(outcome.kind == Outcome::Kind::Finished);
    return outcome.values.at(0).bits;
  }
  uint64_t value(std::string_view name, uint32_t argument) { return value(name, Value{ValType::I32, argument}); }

  uint64_t make(uint8_t type, uint32_t length = 0) {
    const ObjectHeader header{instance->type_ids[type], length};
    return store.new_object_at_once(header);
  }
  void set(uint64_t object, uint32_t offset, uint64_t ref) {
    std::memcpy(store.heap.fields(object) + offset, &ref, sizeof ref);
  }
  std::vector<uint64_t> objects() const {
    std::vector<uint64_t> all;
    store.for_each_object([&](uint64_t ref, ObjectHeader) { all.push_back(ref); });
    return all;
  }
  void collect() {
    store.collect([] {});
  }
};

}  // namespace chiwawa::heap_test
