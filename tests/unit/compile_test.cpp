// What the compiler makes of bodies that were made to be large.
#include <catch2/catch_test_macros.hpp>

#include "unit/first_function_call.hpp"

using namespace chiwawa;
using namespace chiwawa::test;

namespace {

constexpr uint8_t kBlock = 0x02, kEnd = 0x0B, kBrIf = 0x0D, kI32Const = 0x41, kDrop = 0x1A, kBrTable = 0x0E;

}  // namespace

TEST_CASE("Branches with many values take little code each", "[compile]") {
  constexpr size_t kValues = 500, kBranches = 400;
  const Bytes results(kValues, kI32);
  // (block (result i32 …)  i32.const 7  i32.const 1 …  (br_if 0 (i32.const 0)) …  )  and one value below the block's
  // that makes every branch move the others.
  const Bytes code = join({{kBlock, 0x00},
                           {kI32Const, 9},
                           repeat({kI32Const, 3}, kValues),
                           repeat({kI32Const, 0, kBrIf, 0}, kBranches),
                           {kI32Const, 1, kBrIf, 0},
                           repeat({kDrop}, kValues),
                           {kDrop},
                           repeat({kI32Const, 4}, kValues),
                           {kEnd}});
  const Bytes module = function(func_type({}, results), code);
  for (const MachineKind& kind : all_machines()) {
    INFO(kind.name());
    const FirstFunctionCall call(module, kind);
    REQUIRE(call.outcome.kind == Outcome::Kind::Finished);
    REQUIRE(call.outcome.values.size() == kValues);
    for (const Value& value : call.outcome.values) CHECK(value.bits == 3);
    CHECK(call.cells().size() < 6 * (kValues + kBranches) + 2000);
  }
}

TEST_CASE("Several results come back in order from every kind of branch", "[compile]") {
  const Bytes type = func_type({}, {kI32, kI64, kI32});
  // Locals as results: an i32 5, an i64 6, an i32 8; below them something that is left behind.
  const Bytes locals = {3, 1, kI32, 1, kI64, 1, kI32};
  const Bytes set = {kI32Const, 5, 0x21, 0, 0x42, 6, 0x21, 1, kI32Const, 8, 0x21, 2};
  const Bytes get = {kI32Const, 1, 0x20, 2, 0x20, 1, 0x20, 0};
  const Bytes leave = {0x00};  // unreachable
  const std::vector<Bytes> ways = {
      join({{0x0F}}),                             // return
      join({{0x0C, 0}}),                          // br to the function
      join({{kI32Const, 1, kBrIf, 0}, leave}),    // br_if to the function
      join({{kI32Const, 0, kBrTable, 1, 0, 0}}),  // br_table to the function
      join({{kI32Const, 3, kBrTable, 1, 0, 0}}),
  };
  for (const Bytes& way : ways) {
    const Bytes module = function(type, join({set, get, way}), locals);
    for (const MachineKind& kind : all_machines()) {
      INFO(kind.name());
      const FirstFunctionCall call(module, kind);
      REQUIRE(call.outcome.kind == Outcome::Kind::Finished);
      CHECK(call.outcome.values == std::vector<Value>{{ValType::I32, 8}, {ValType::I64, 6}, {ValType::I32, 5}});
    }
  }
}

TEST_CASE("Of two results each can be set to a local", "[compile]") {
  constexpr uint8_t kI64Const = 0x42, kLocalSet = 0x21, kLocalTee = 0x22, kLocalGet = 0x20;
  const Bytes mul_wide_s = {kI64Const, 0x7D, kI64Const, 5, 0xFC, 0x15};  // -3 * 5
  const Bytes code = join({{kI64Const, 7, kLocalSet, 1},                 // behind the local that the low half goes to
                           mul_wide_s,
                           {kDrop, kLocalSet, 0, kLocalGet, 0, kLocalGet, 1},
                           mul_wide_s,
                           {kLocalSet, 1, kLocalTee, 0, kLocalGet, 1}});
  const Bytes module = function(func_type({}, Bytes(4, kI64)), code, {1, 2, kI64});
  for (const MachineKind& kind : all_machines()) {
    INFO(kind.name());
    const FirstFunctionCall call(module, kind);
    REQUIRE(call.outcome.kind == Outcome::Kind::Finished);
    std::vector<uint64_t> bits;
    for (const Value& value : call.outcome.values) bits.push_back(value.bits);
    CHECK(bits == std::vector<uint64_t>{uint64_t{0} - 15, 7, uint64_t{0} - 15, ~uint64_t{0}});
  }
}
