// Every pair of fusions.def: the compiler makes one operation of it, and it computes what the two do. Each row of the
// list becomes a function with the two instructions, which is run with all that may be one being one, and with nothing
// fused.
#include <array>
#include <bit>
#include <optional>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "interp/slot_op.hpp"
#include "unit/first_function_call.hpp"
#include "unit/module_bytes.hpp"

using namespace chiwawa;
using namespace chiwawa::test;

namespace {

constexpr uint8_t kBlock = 0x02, kLoop = 0x03, kIf = 0x04, kElse = 0x05, kEnd = 0x0B, kBr = 0x0C, kBrIf = 0x0D,
                  kGet = 0x20, kSet = 0x21, kEmpty = 0x40;
/// Of one byte, as unsigned and as signed LEB128.
constexpr uint8_t kFirstConstant = 3, kSecondConstant = 21;

uint8_t byte_of(ValType type) {
  switch (type) {
    case ValType::I32: return kI32;
    case ValType::I64: return kI64;
    case ValType::F32: return kF32;
    default: return kF64;
  }
}

Bytes code_of(Opcode opcode) { return {static_cast<uint8_t>(opcode)}; }
Bytes get(uint8_t local) { return {kGet, local}; }

/// The constant `number`, or that local.
Bytes operand(ValType type, char kind, uint8_t local, uint8_t number) {
  if (kind == 's') return get(local);
  switch (type) {
    case ValType::I32: return {0x41, number};
    case ValType::I64: return {0x42, number};
    default: {
      Bytes bytes{0x44};
      const auto bits = std::bit_cast<uint64_t>(double{static_cast<double>(number)});
      for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<uint8_t>(bits >> shift));
      return bytes;
    }
  }
}

std::array<Value, 3> arguments(ValType type, uint32_t round) {
  constexpr uint64_t kIntegers[][3] = {{7, 5, 3}, {0x89ABCDEF01234567, 0xFFFFFFFFFFFFFFFE, 12}, {0, 0, ~uint64_t{0}}};
  constexpr double kFloats[][3] = {{1.5, -2.25, 1e3}, {21, 21, 0.1}, {-0.0, 0.0, 3}};
  std::array<Value, 3> values{};
  for (size_t i = 0; i < values.size(); ++i) {
    values[i].type = type;
    switch (type) {
      case ValType::I32: values[i].bits = static_cast<uint32_t>(kIntegers[round][i]); break;
      case ValType::F32: values[i].bits = std::bit_cast<uint32_t>(static_cast<float>(kFloats[round][i])); break;
      case ValType::F64: values[i].bits = std::bit_cast<uint64_t>(kFloats[round][i]); break;
      default: values[i].bits = kIntegers[round][i];
    }
  }
  return values;
}

/// A module whose only function has that code, and a page of memory that is not empty.
Bytes module_of(const Bytes& params, const Bytes& results, const Bytes& code) {
  Bytes data;
  for (int i = 0; i < 1024; ++i) data.push_back(static_cast<uint8_t>(i * 37 + i / 256 + 1));
  return wasm_module({section(1, vec({func_type(params, results)})), section(3, {1, 0}), section(5, {1, 0, 1}),
                      section(10, vec({body(code)})), section(11, vec({join({{0x00, 0x41, 0, kEnd}, sized(data)})}))});
}

struct Run {
  Outcome outcome;
  std::vector<uint8_t> memory;
  bool has_operation = false;
};

Run run(const Bytes& bytes, std::span<const Value> args, const MachineKind& kind, SlotOp operation) {
  const FirstFunctionCall call(bytes, kind, args);
  Run result{.outcome = call.outcome, .memory = {}};
  const std::span<uint8_t> memory = call.store.memories[0]->memory.bytes();
  result.memory.assign(memory.begin(), memory.begin() + 4096);
  for (const Cell& cell : call.cells()) {
    result.has_operation |= accumulator_forms(static_cast<SlotOp>(cell.op)).in_slots == operation;
  }
  return result;
}

/// Whether the code may contain the operation that is looked for.
enum class Presence : uint8_t { Fused, Absent };

/// Compares the code with and without fusion on every dispatcher, and looks for the operation in the former.
/// Locals 0 and 1 are of that type, and so is 2 if nothing else is said.
void compare(const std::string& name, SlotOp operation, SlotOp polling, ValType type, const Bytes& results,
             const Bytes& code, std::optional<ValType> third = {}, Presence presence = Presence::Fused) {
  INFO(name);
  const uint8_t param = byte_of(type);
  const Bytes module = module_of({param, param, byte_of(third.value_or(type))}, results, code);
  for (uint32_t round = 0; round < 3; ++round) {
    std::array<Value, 3> args = arguments(type, round);
    args[2] = arguments(third.value_or(type), round)[2];
    for (const MachineKind& kind : all_machines()) {
      INFO(kind.name() << ", arguments " << round);
      MachineKind apart = kind;
      apart.options.no_fusion = true;
      const Run expected = run(module, args, apart, operation);
      const Run actual = run(module, args, kind, kind.options.polls ? polling : operation);
      CHECK(actual.outcome.kind == expected.outcome.kind);
      CHECK(actual.outcome.values == expected.outcome.values);
      CHECK(actual.memory == expected.memory);
      CHECK_FALSE(expected.has_operation);
      // Code that counts before each step has next to nothing to fuse.
      const bool fuses = presence == Presence::Fused && !kind.options.no_fusion;
      if (!kind.options.exact) CHECK(actual.has_operation == fuses);
    }
  }
}

void compare_value(const std::string& name, SlotOp operation, ValType type, const Bytes& code) {
  compare(name, operation, operation, type, {byte_of(type)}, code);
}

/// The ways to make an address of locals 0 and 1 with a fitting offset, all inside of the data.
struct Address {
  const char* name;
  Bytes code;
  uint8_t offset;
};
Address masked() { return {"masked", join({get(0), {0x41, 63, 0x71, kSet, 0}, get(0)}), 4}; }
Address sum() {
  return {"sum", join({get(0), {0x41, 63, 0x71, kSet, 0}, get(1), {0x41, 63, 0x71, kSet, 1}, get(0), get(1), {0x6A}}),
          4};
}
Address plus() { return {"plus", join({get(0), {0x41, 63, 0x71, kSet, 0}, get(0), {0x41, 40, 0x6A}}), 0}; }
Address shifted() { return {"shifted", join({get(0), {0x41, 63, 0x71, kSet, 0}, get(0), {0x41, 2, 0x74}}), 4}; }
Address index() {
  return {"index",
          join({get(0),
                {0x41, 63, 0x71, kSet, 0},
                get(1),
                {0x41, 63, 0x71, kSet, 1},
                get(1),
                get(0),
                {0x41, 2, 0x74, 0x6A}}),
          4};
}

void compare_load(const std::string& name, SlotOp operation, Opcode load, const Address& address) {
  compare(name, operation, operation, ValType::I32, {byte_of(result_type(load))},
          join({address.code, code_of(load), {0, address.offset}}));
}

void compare_store(const std::string& name, SlotOp operation, Opcode store, const Address& address,
                   const Bytes& value) {
  compare(name, operation, operation, ValType::I32, {},
          join({address.code, value, code_of(store), {0, address.offset}}), stored_type(store));
}

}  // namespace

TEST_CASE("Values of two operations", "[fusion]") {
#define CHIWAWA_KIND_s 's'
#define CHIWAWA_KIND_c 'c'
#define CHIWAWA_NAME(name) #name
#define CHIWAWA_TEXT(name) CHIWAWA_NAME(name)
#define CHIWAWA_OP(name) SlotOp::name
#define FUSED(type, first, F, second, S)                                                                           \
  compare_value(CHIWAWA_TEXT(CHIWAWA_FUSED_NAME(first, F, second, S)),                                             \
                CHIWAWA_OP(CHIWAWA_FUSED_NAME(first, F, second, S)), ValType::type,                                \
                join({get(0), operand(ValType::type, CHIWAWA_KIND_##F, 1, kFirstConstant), code_of(Opcode::first), \
                      operand(ValType::type, CHIWAWA_KIND_##S, 2, kSecondConstant), code_of(Opcode::second)}));
#define FUSED_RIGHT(type, first, F, second, S)                                                     \
  compare_value(CHIWAWA_TEXT(CHIWAWA_FUSED_RIGHT_NAME(first, F, second, S)),                       \
                CHIWAWA_OP(CHIWAWA_FUSED_RIGHT_NAME(first, F, second, S)), ValType::type,          \
                join({get(2), get(0), operand(ValType::type, CHIWAWA_KIND_##F, 1, kFirstConstant), \
                      code_of(Opcode::first), code_of(Opcode::second)}));
#include "interp/fusions.def"
}

TEST_CASE("Addresses of two operations", "[fusion]") {
#define FUSED_LOAD(load)                                                           \
  compare_load(#load "_sum", SlotOp::load##_sum, Opcode::load, sum());             \
  compare_load(#load "_plus", SlotOp::load##_plus, Opcode::load, plus());          \
  compare_load(#load "_shifted", SlotOp::load##_shifted, Opcode::load, shifted()); \
  compare_load(#load "_index", SlotOp::load##_index, Opcode::load, index());
#include "interp/fusions.def"
}

TEST_CASE("Stored constants", "[fusion]") {
#define FUSED_STORE_CONSTANT(store)                                              \
  compare_store(#store "_c", SlotOp::store##_c, Opcode::store, masked(),         \
                operand(stored_type(Opcode::store), 'c', 0, 33));                \
  compare_store(#store "_c_plus", SlotOp::store##_c_plus, Opcode::store, plus(), \
                operand(stored_type(Opcode::store), 'c', 0, 33));
#include "interp/fusions.def"
}

TEST_CASE("Addresses of two operations, for stores", "[fusion]") {
#define FUSED_STORE(store)                                                                     \
  compare_store(#store "_sum", SlotOp::store##_sum, Opcode::store, sum(), get(2));             \
  compare_store(#store "_plus", SlotOp::store##_plus, Opcode::store, plus(), get(2));          \
  compare_store(#store "_shifted", SlotOp::store##_shifted, Opcode::store, shifted(), get(2)); \
  compare_store(#store "_index", SlotOp::store##_index, Opcode::store, index(), get(2));
#include "interp/fusions.def"
}

TEST_CASE("Branches on a computed condition", "[fusion]") {
  const auto condition = [](ValType type, char kind, Opcode first) {
    return join({get(0), operand(type, kind, 1, kSecondConstant), code_of(first)});
  };
  // (if (result i32) condition 1 else 2), and (block (br_if 0 condition) (return 1)) 2
#define CHIWAWA_BRANCH_s(name) SlotOp::name
#define CHIWAWA_BRANCH_c(name) SlotOp::name##_c
#define FUSED_BRANCH(type, first, F)                                                                                  \
  compare(                                                                                                            \
      "br_unless_" #first, CHIWAWA_BRANCH_##F(br_unless_##first), CHIWAWA_BRANCH_##F(br_unless_##first),              \
      ValType::type, {kI32},                                                                                          \
      join({condition(ValType::type, CHIWAWA_KIND_##F, Opcode::first), {kIf, kI32, 0x41, 1, kElse, 0x41, 2, kEnd}})); \
  compare("br_if_" #first, CHIWAWA_BRANCH_##F(br_if_##first), CHIWAWA_BRANCH_##F(br_if_##first), ValType::type,       \
          {kI32},                                                                                                     \
          join({{kBlock, kEmpty},                                                                                     \
                condition(ValType::type, CHIWAWA_KIND_##F, Opcode::first),                                            \
                {kBrIf, 0, 0x41, 1, 0x0F, kEnd, 0x41, 2}}));
#include "interp/fusions.def"
}

TEST_CASE("Increments with a branch back", "[fusion]") {
  // Local 1 counts the rounds, of which there are at most 40: (loop  1 += 1;  0 += 3;  (br_if 0 (compare 0 Y)) ).
  const auto loop = [](Opcode compare, const Bytes& right) {
    return join({{0x41, 0, kSet, 0, 0x41, 0, kSet, 1, 0x41, 30, kSet, 2, kBlock, kEmpty, kLoop, kEmpty},
                 get(1),
                 {0x41, 1, 0x6A, kSet, 1},
                 get(1),
                 {0x41, 40, 0x4E, kBrIf, 1},
                 get(0),
                 {0x41, 3, 0x6A, kSet, 0},
                 get(0),
                 right,
                 code_of(compare),
                 {kBrIf, 0, kEnd, kEnd},
                 get(1)});
  };
#define FUSED_STEP(compare_id)                                                                                    \
  compare("step_" #compare_id, SlotOp::step_##compare_id, SlotOp::step_##compare_id##_p, ValType::I32, {kI32},    \
          loop(Opcode::compare_id, get(2)));                                                                      \
  compare("step_" #compare_id "_c", SlotOp::step_##compare_id##_c, SlotOp::step_##compare_id##_c_p, ValType::I32, \
          {kI32}, loop(Opcode::compare_id, {0x41, 30}));
#include "interp/fusions.def"
}

TEST_CASE("Two moves", "[fusion]") {
  // 0 and 1 change places by way of 2.
  compare("copy_copy", SlotOp::copy_copy, SlotOp::copy_copy, ValType::I32, {kI32},
          join({get(0), {kSet, 2}, get(1), {kSet, 0}, get(2), {kSet, 1}, get(0), {0x41, 3, 0x6C}, get(1), {0x6B}}));
  compare("add_c_add_c", SlotOp::add_c_add_c, SlotOp::add_c_add_c, ValType::I32, {kI32},
          join({get(0), {0x41, 3, 0x6A, kSet, 0}, get(1), {0x41, 5, 0x6A, kSet, 1}, get(0), get(1), {0x6C}}));
  compare("copy_br", SlotOp::copy_br, SlotOp::copy_br, ValType::I32, {kI32},
          join({{kBlock, kEmpty}, get(1), {kSet, 0, kBr, 0, kEnd}, get(0)}));
}

TEST_CASE("Two additions are not one while the second's value is an operand", "[fusion]") {
  // The sum goes to local 1 afterwards, and not to where its left operand was: 1 = (load(4) then 0 += 3) + 5.
  compare(
      "add_c_add_c", SlotOp::add_c_add_c, SlotOp::add_c_add_c, ValType::I32, {kI32},
      join({{0x41, 4, 0x28, 0, 0}, get(0), {0x41, 3, 0x6A, kSet, 0}, {0x41, 5, 0x6A, kSet, 1}, get(0), get(1), {0x6C}}),
      {}, Presence::Absent);
}
