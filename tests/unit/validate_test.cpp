#include "interp/validate.hpp"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "interp/decode.hpp"
#include "unit/module_bytes.hpp"

namespace chiwawa {

namespace {

using namespace test;

Result<void> checked(const Bytes& bytes) {
  const Result<Module> module = decode(bytes);
  INFO((module ? "" : describe(module.error())));
  REQUIRE(module);
  return validate(*module);
}

void valid(const Bytes& bytes) {
  const Result<void> result = checked(bytes);
  INFO((result ? "" : describe(result.error())));
  CHECK(result);
}

constexpr uint64_t kAnywhere = Error::kNoOffset - 1;

/// The cause must begin with `cause`, which is the official test suite's text where that has one.
void refused(const Bytes& bytes, std::string_view cause, uint64_t offset = kAnywhere, Phase phase = Phase::Validate) {
  const Result<void> result = checked(bytes);
  INFO(cause);
  REQUIRE_FALSE(result);
  INFO(describe(result.error()));
  CHECK(result.error().phase == phase);
  CHECK(result.error().cause.substr(0, cause.size()) == cause);
  if (offset != kAnywhere) CHECK(result.error().offset == offset);
}

const Bytes kVoid = func_type({}, {});
/// The offset of the first instruction of function(kVoid, …) without locals.
constexpr uint64_t kCode = 23;

const Bytes kMemory = section(5, {1, 0, 1});
const Bytes kTables = section(4, vec({{kFuncRef, 0, 1}, {kExternRef, 0, 1}}));

const Bytes kDrop = {0x1A};

uint8_t byte(ValType type) { return static_cast<uint8_t>(type); }

/// An instruction that pushes a value of the type.
Bytes constant(ValType type) {
  switch (type) {
    case ValType::I32: return {0x41, 0};
    case ValType::I64: return {0x42, 0};
    case ValType::F32: return {0x43, 0, 0, 0, 0};
    case ValType::F64: return {0x44, 0, 0, 0, 0, 0, 0, 0, 0};
    default: return {0xD0, byte(type)};
  }
}

Bytes encoded(uint32_t code) {
  return code < 0x100 ? Bytes{static_cast<uint8_t>(code)}
                      : Bytes{static_cast<uint8_t>(code >> 12), static_cast<uint8_t>(code)};
}

/// A function that leaves the result on the stack, if there is one.
Bytes function_of(const std::vector<ValType>& operands, const Bytes& instruction, const std::vector<ValType>& results) {
  Bytes code;
  for (const ValType type : operands) append(code, constant(type));
  append(code, instruction);
  Bytes result_bytes;
  for (const ValType type : results) result_bytes.push_back(byte(type));
  return function(func_type({}, result_bytes), code, {0}, kMemory);
}

/// The instruction takes these operands and no others, and gives these results and no others.
void has_type(const Bytes& instruction, const std::vector<ValType>& operands, const std::vector<ValType>& results) {
  valid(function_of(operands, instruction, results));
  valid(function_of({}, join({{0x00}, instruction}), results));  // unreachable code supplies what is missing
  for (size_t i = 0; i < operands.size(); ++i) {
    std::vector<ValType> wrong = operands;
    wrong[i] = operands[i] == ValType::I32 ? ValType::F64 : ValType::I32;
    refused(function_of(wrong, instruction, results), "type mismatch: ");
  }
  if (!operands.empty()) {
    refused(function_of({operands.begin() + 1, operands.end()}, instruction, results), "type mismatch: ");
  }
  for (size_t i = 0; i < results.size(); ++i) {
    std::vector<ValType> wrong = results;
    wrong[i] = results[i] == ValType::I32 ? ValType::F64 : ValType::I32;
    refused(function_of(operands, instruction, wrong), "type mismatch: end expects ");
  }
}

}  // namespace

TEST_CASE("validate: Numeric instructions have the types of their rows") {
#define NUMERIC1(code, id, text, operand, result)                   \
  {                                                                 \
    INFO(text);                                                     \
    has_type(encoded(code), {ValType::operand}, {ValType::result}); \
  }
#define NUMERIC2(code, id, text, operand, result)                                     \
  {                                                                                   \
    INFO(text);                                                                       \
    has_type(encoded(code), {ValType::operand, ValType::operand}, {ValType::result}); \
  }
#define WIDE2(code, id, text) has_type(encoded(code), {ValType::I64, ValType::I64}, {ValType::I64, ValType::I64});
#define WIDE4(code, id, text) \
  has_type(encoded(code), std::vector<ValType>(4, ValType::I64), {ValType::I64, ValType::I64});
#define NUMERIC1_TRAPS(code, id, text, operand, result) NUMERIC1(code, id, text, operand, result)
#define NUMERIC2_TRAPS(code, id, text, operand, result) NUMERIC2(code, id, text, operand, result)
#include "interp/opcodes.def"
}

TEST_CASE("validate: Loads and stores have the types and natural alignments of their rows") {
  const auto too_aligned = [](uint32_t code, size_t size) {
    uint8_t exponent = 1;
    while (size >> exponent != 0) ++exponent;
    refused(function(kVoid, {static_cast<uint8_t>(code), exponent, 0}, {0}, kMemory),
            "alignment must not be larger than natural");
  };
#define LOAD(code, id, text, type, storage)                                                                           \
  {                                                                                                                   \
    INFO(text);                                                                                                       \
    has_type(join({encoded(code), {0, 0}}), {ValType::I32}, {ValType::type});                                         \
    has_type(join({encoded(code), {static_cast<uint8_t>(sizeof(storage) / 4), 0}}), {ValType::I32}, {ValType::type}); \
    too_aligned(code, sizeof(storage));                                                                               \
    refused(function(kVoid, {code, 0, 0}), "unknown memory 0", kCode);                                                \
  }
#define STORE(code, id, text, type, storage)                                    \
  {                                                                             \
    INFO(text);                                                                 \
    has_type(join({encoded(code), {0, 0}}), {ValType::I32, ValType::type}, {}); \
    too_aligned(code, sizeof(storage));                                         \
    refused(function(kVoid, {code, 0, 0}), "unknown memory 0", kCode);          \
  }
#include "interp/opcodes.def"

  // Atomic accesses have this alignment and no other.
  const auto atomic = [](uint32_t code, size_t size, const std::vector<ValType>& params,
                         const std::vector<ValType>& results) {
    const auto exponent = static_cast<uint8_t>(std::countr_zero(size));
    has_type(join({encoded(code), {exponent, 0}}), params, results);
    for (const int wrong : {exponent - 1, exponent + 1}) {
      if (wrong < 0) continue;
      refused(function(kVoid, join({{0x00}, encoded(code), {static_cast<uint8_t>(wrong), 0, 0x00}}), {0}, kMemory),
              "atomic alignment must be natural");
    }
    refused(function(kVoid, join({{0x00}, encoded(code), {exponent, 0}})), "unknown memory 0");
  };
#define ATOMIC_LOAD(code, id, text, type, storage) atomic(code, sizeof(storage), {ValType::I32}, {ValType::type});
#define ATOMIC_STORE(code, id, text, type, storage) atomic(code, sizeof(storage), {ValType::I32, ValType::type}, {});
#define ATOMIC_RMW(code, id, text, type, storage, operation) \
  atomic(code, sizeof(storage), {ValType::I32, ValType::type}, {ValType::type});
#define ATOMIC_CMPXCHG(code, id, text, type, storage) \
  atomic(code, sizeof(storage), {ValType::I32, ValType::type, ValType::type}, {ValType::type});
#include "interp/opcodes.def"
  using enum ValType;
  atomic(0xFE000, 4, {I32, I32}, {I32});
  atomic(0xFE001, 4, {I32, I32, I64}, {I32});
  atomic(0xFE002, 8, {I32, I64, I64}, {I32});
  has_type({0xFE, 0x03, 0}, {}, {});

  valid(function(kVoid, {0x00, 0x28, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x1A}, {0}, kMemory));
  refused(function(kVoid, {0x00, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x10, 0x1A}, {0}, kMemory), "offset out of range");
}

TEST_CASE("validate: Other instructions have their types") {
  using enum ValType;
  has_type({0x41, 0}, {}, {I32});
  has_type({0x42, 0}, {}, {I64});
  has_type({0x43, 0, 0, 0, 0}, {}, {F32});
  has_type({0x44, 0, 0, 0, 0, 0, 0, 0, 0}, {}, {F64});
  has_type({0xD0, kFuncRef}, {}, {FuncRef});
  has_type({0xD1}, {ExternRef}, {I32});
  has_type({0x3F, 0}, {}, {I32});
  has_type({0x40, 0}, {I32}, {I32});
  has_type({0xFC, 0x0A, 0, 0}, {I32, I32, I32}, {});
  has_type({0xFC, 0x0B, 0}, {I32, I32, I32}, {});
  has_type({0x1C, 1, kExternRef}, {ExternRef, ExternRef, I32}, {ExternRef});
  has_type({0x04, 0x40, 0x0B}, {I32}, {});
  has_type({0x01}, {}, {});
}

TEST_CASE("validate: Table instructions") {
  const auto with_tables = [](const Bytes& code) {
    return function(kVoid, code, {0}, join({kTables, section(9, vec({{5, kExternRef, 0}}))}));
  };
  const Bytes i32 = {0x41, 0};
  const Bytes extern_null = {0xD0, kExternRef};
  valid(with_tables(join({i32, {0x25, 1}, {0x1A}})));
  valid(with_tables(join({i32, extern_null, {0x26, 1}})));
  refused(with_tables(join({i32, extern_null, {0x26, 0}})),
          "type mismatch: table.set expects funcref, found externref");
  refused(with_tables({0x25, 2}), "unknown table 2");
  valid(with_tables(join({extern_null, i32, {0xFC, 0x0F, 1, 0x1A}})));
  valid(with_tables({0xFC, 0x10, 1, 0x1A}));
  valid(with_tables(join({i32, extern_null, i32, {0xFC, 0x11, 1}})));
  valid(with_tables(join({i32, i32, i32, {0xFC, 0x0C, 0, 1}})));
  refused(with_tables(join({i32, i32, i32, {0xFC, 0x0C, 0, 0}})), "type mismatch: the element segment's type");
  refused(with_tables(join({i32, i32, i32, {0xFC, 0x0C, 1, 0}})), "unknown elem segment 1");
  valid(with_tables({0xFC, 0x0D, 0}));
  refused(with_tables({0xFC, 0x0D, 1}), "unknown elem segment 1");
  valid(with_tables(join({i32, i32, i32, {0xFC, 0x0E, 1, 1}})));
  refused(with_tables(join({i32, i32, i32, {0xFC, 0x0E, 0, 1}})), "type mismatch: the tables");
  valid(with_tables(join({i32, {0x11, 0, 0}})));
  refused(with_tables(join({i32, {0x11, 0, 1}})), "type mismatch: an indirect call needs a table of functions");
  refused(with_tables(join({i32, {0x11, 0, 2}})), "unknown table 2");
  refused(with_tables(join({i32, {0x11, 3, 0}})), "unknown type 3");
}

TEST_CASE("validate: Data segments of instructions need the data count") {
  const Bytes init = {0x41, 0, 0x41, 0, 0x41, 0, 0xFC, 0x08, 0, 0};
  const auto with = [&](const Bytes& count, const Bytes& code) {
    return wasm_module({section(1, vec({kVoid})), section(3, {1, 0}), kMemory, count, section(10, vec({body(code)})),
                        section(11, vec({{1, 0}}))});
  };
  valid(with(section(12, {1}), init));
  valid(with(section(12, {1}), {0xFC, 0x09, 0}));
  refused(with(section(12, {1}), {0xFC, 0x09, 1}), "unknown data segment 1");
  refused(with({}, init), "data count section required", kAnywhere, Phase::Decode);
  refused(with({}, {0xFC, 0x09, 0}), "data count section required", kAnywhere, Phase::Decode);
}

TEST_CASE("validate: Locals and globals") {
  const Bytes locals = {2, 1, kI64, 2, kF32};
  const auto with = [&](const Bytes& code) {
    return function(func_type({kI32}, {}), code, locals,
                    section(6, vec({{kI32, 1, 0x41, 0, 0x0B}, {kI32, 0, 0x41, 0, 0x0B}})));
  };
  valid(with({0x20, 0, 0x21, 0}));
  valid(with({0x20, 1, 0x22, 1, 0x21, 1}));
  valid(with({0x20, 2, 0x21, 3}));
  refused(with({0x20, 0, 0x21, 1}), "type mismatch: local.set expects i64, found i32");
  refused(with({0x20, 0, 0x22, 3}), "type mismatch: local.tee expects f32, found i32");
  refused(with({0x20, 4}), "unknown local 4");
  refused(with({0x22, 4}), "unknown local 4");
  valid(with({0x23, 1, 0x24, 0}));
  refused(with({0x23, 0, 0x24, 1}), "immutable global 1");
  refused(with({0x23, 2}), "unknown global 2");
}

TEST_CASE("validate: Blocks take and leave what their types say") {
  const auto with = [](const Bytes& code) {
    return wasm_module({section(1, vec({kVoid, func_type({kI32, kI64}, {kI64, kI32}), func_type({kI32}, {kI32})})),
                        section(3, {1, 0}), section(10, vec({body(code)}))});
  };
  const Bytes two = {0x41, 0, 0x42, 0};
  const Bytes drop2 = {0x1A, 0x1A};
  const Bytes swap = {0x1A, 0x1A, 0x42, 0, 0x41, 0};
  valid(with(join({two, {0x02, 1}, swap, {0x0B}, drop2})));
  valid(with(join({two, {0x03, 1}, swap, {0x0B}, drop2})));
  valid(with(join({two, {0x41, 0, 0x04, 1}, swap, {0x05}, swap, {0x0B}, drop2})));
  refused(with(join({two, {0x02, 1}, {0x0B}, drop2})), "type mismatch: end expects i32, found i64");
  refused(with(join({{0x41, 0, 0x02, 1}, swap, {0x0B}, drop2})), "type mismatch: block expects i64, found i32");
  refused(with({0x41, 0, 0x02, 0x40, 0x1A, 0x0B}), "type mismatch: drop finds no operand");  // the block's own only
  refused(with({0x02, 0x40, 0x41, 0, 0x0B}), "type mismatch: 1 operands too many");
  refused(with({0x02, 3, 0x0B}), "unknown type 3");
  valid(with({0x41, 0, 0x41, 0, 0x04, 2, 0x0B, 0x1A}));
  refused(with(join({two, {0x41, 0, 0x04, 1, 0x0B}})), "type mismatch: ");
  refused(with({0x41, 0, 0x04, kI32, 0x41, 0, 0x0B, 0x1A}), "type mismatch: if without else");
  refused(with({0x41, 0, 0x04, kI32, 0x41, 0, 0x05, 0x0B, 0x1A}), "type mismatch: end expects i32");

  refused(with({0x05}), "END opcode expected", kAnywhere, Phase::Decode);
  refused(with({0x02, 0x40, 0x05, 0x0B}), "END opcode expected", kAnywhere, Phase::Decode);
  refused(with({0x41, 0, 0x04, 0x40, 0x05, 0x05, 0x0B}), "END opcode expected", kAnywhere, Phase::Decode);
  refused(with({0x0B}), "END opcode expected", kAnywhere, Phase::Decode);
  refused(with({0x02, 0x40}), "unexpected end of section or function", kAnywhere, Phase::Decode);
  refused(with({0xFB, 0x1F}), "illegal opcode fb 1f (function 0)", kAnywhere, Phase::Decode);
}

TEST_CASE("validate: Branches take along what their labels say") {
  const auto with = [](const Bytes& code) { return function(func_type({}, {kI32}), code); };
  valid(with({0x41, 0, 0x0C, 0}));
  valid(with({0x41, 0, 0x0F}));
  valid(with({0x02, kI64, 0x41, 0, 0x0F, 0x0B, 0x1A, 0x41, 0}));
  refused(with({0x42, 0, 0x0C, 0}), "type mismatch: br expects i32, found i64");
  refused(with({0x0F}), "type mismatch: return expects i32, but the block has no more operands");
  refused(with({0x0C, 1}), "unknown label 1");
  valid(with({0x03, kI32, 0x0C, 0, 0x0B}));  // to the begin of a loop: nothing
  valid(with({0x41, 0, 0x41, 0, 0x0D, 0}));
  refused(with({0x41, 0, 0x0D, 0, 0x41, 0}), "type mismatch: br_if expects i32, but");
  valid(with({0x02, kI32, 0x41, 0, 0x41, 0, 0x0E, 1, 0, 1, 0x0B}));
  refused(with({0x02, 0x40, 0x41, 0, 0x41, 0, 0x0E, 1, 0, 1, 0x0B, 0x41, 0}),
          "type mismatch: br_table has labels of 0");
  refused(with({0x02, kI64, 0x41, 0, 0x41, 0, 0x0E, 1, 1, 0, 0x0B}), "type mismatch: br_table expects i64, found i32");
  refused(with({0x41, 0, 0x41, 0, 0x0E, 1, 5, 0}), "unknown label 5");
  refused(with({0x41, 0, 0x41, 0, 0x0E, 1, 0, 5}), "unknown label 5");
}

TEST_CASE("validate: In unreachable code, missing operands are of any type, but the others are what they are") {
  const auto with = [](const Bytes& code) { return function(func_type({}, {kI32}), code); };
  valid(with({0x00}));
  valid(with({0x00, 0x6A}));
  valid(with({0x00, 0x42, 0, 0x50}));
  refused(with({0x00, 0x42, 0, 0x6A}), "type mismatch: i32.add expects i32, found i64");
  refused(with({0x00, 0x42, 0}), "type mismatch: end expects i32, found i64");
  refused(with({0x00, 0x41, 0, 0x41, 0}), "type mismatch: 1 operands too many");
  valid(with({0x00, 0x1B}));
  valid(with({0x00, 0x41, 0, 0x41, 0, 0x1B}));
  valid(with({0x00, 0x43, 0, 0, 0, 0, 0x41, 0, 0x1B, 0xA8}));  // select of an unknown and an f32 is an f32
  refused(with({0x00, 0x43, 0, 0, 0, 0, 0x41, 0, 0x1B}), "type mismatch: end expects i32, found f32");
  valid(with({0x00, 0x0D, 0}));
  refused(with({0x00, 0x41, 0, 0x0D, 0, 0x50}), "type mismatch: i64.eqz expects i64, found i32");
  // Labels of different types have a common value: none.
  valid(with({0x02, kF32, 0x00, 0x41, 1, 0x0E, 1, 0, 1, 0x0B, 0x1A, 0x41, 0}));
  refused(with({0x02, 0x40, 0x00, 0x41, 1, 0x0E, 1, 0, 1, 0x0B, 0x41, 0}), "type mismatch: br_table has labels");
  valid(with({0x00, 0xD1}));
  // The end of the block ends it.
  refused(with({0x02, 0x40, 0x00, 0x0B}), "type mismatch: end expects i32, but");
  refused(with({0x41, 0, 0x04, 0x40, 0x00, 0x05, 0x1A, 0x0B, 0x41, 0}), "type mismatch: drop finds no operand");
}

TEST_CASE("validate: select") {
  refused(function(kVoid, {0xD0, kFuncRef, 0xD0, kFuncRef, 0x41, 0, 0x1B, 0x1A}),
          "type mismatch: select of references");
  refused(function(kVoid, {0x41, 0, 0x42, 0, 0x41, 0, 0x1B, 0x1A}), "type mismatch: select expects i32, found i64");
  refused(function(kVoid, {0x00, 0x1C, 0, 0x1A}), "invalid result arity");
  refused(function(kVoid, {0x00, 0x1C, 2, kI32, kI32, 0x1A}), "invalid result arity");
}

TEST_CASE("validate: Calls") {
  const auto with = [](const Bytes& code) {
    return wasm_module({section(1, vec({kVoid, func_type({kI32, kI64}, {kF32, kF64})})),
                        section(2, vec({join({text("m"), text("f"), {0, 1}})})), section(3, {1, 0}),
                        section(10, vec({body(code)}))});
  };
  valid(with({0x41, 0, 0x42, 0, 0x10, 0, 0x1A, 0x1A}));
  valid(with({0x10, 1}));
  refused(with({0x42, 0, 0x41, 0, 0x10, 0}), "type mismatch: call expects i64, found i32");
  refused(with({0x10, 2}), "unknown function 2");
}

TEST_CASE("validate: ref.func names only functions that are declared outside of bodies") {
  const Bytes code = {0xD2, 0, 0x1A};
  refused(function(kVoid, code), "undeclared function reference 0", kCode);
  valid(function(kVoid, code, {0}, section(7, vec({join({text("f"), {0, 0}})}))));
  valid(function(kVoid, code, {0}, section(9, vec({{3, 0, 1, 0}}))));
  valid(function(kVoid, code, {0}, section(9, vec({{7, kFuncRef, 1, 0xD2, 0, 0x0B}}))));
  valid(function(kVoid, code, {0}, section(6, vec({{kFuncRef, 0, 0xD2, 0, 0x0B}}))));
  refused(function(kVoid, code, {0}, section(8, {0})), "undeclared function reference 0");
  refused(function(kVoid, {0xD2, 1, 0x1A}), "unknown function 1");
}

TEST_CASE("validate: Constant expressions") {
  const auto with = [](uint8_t type, const Bytes& init) {
    return wasm_module(
        {section(2, vec({join({text("m"), text("c"), {3, kI32, 0}}), join({text("m"), text("v"), {3, kI32, 1}})})),
         section(6, vec({{kI64, 0, 0x42, 0, 0x0B}, join({{type, 0}, init, {0x0B}})}))});
  };
  valid(with(kI32, {0x41, 0}));
  valid(with(kI32, {0x23, 0}));
  valid(with(kExternRef, {0xD0, kExternRef}));
  refused(with(kI64, {0x41, 0}), "type mismatch: end expects i64, found i32");
  refused(with(kFuncRef, {0xD0, kExternRef}), "type mismatch: end expects funcref, found externref");
  refused(with(kI32, {}), "type mismatch: end expects i32, but the block has no more operands");
  refused(with(kI32, {0x41, 0, 0x41, 0}), "type mismatch: 1 operands too many");
  valid(with(kI32, {0x41, 0, 0x41, 0, 0x6A}));
  valid(with(kI64, {0x23, 2, 0x42, 3, 0x7E}));
  refused(with(kI32, {0x41, 0, 0x42, 0, 0x6A}), "type mismatch: i32.add expects i32, found i64");
  refused(with(kI32, {0x41, 0, 0x6B}), "type mismatch: i32.sub expects i32, but the block has no more operands");
  refused(with(kI32, {0x41, 0, 0x41, 0, 0x6D}), "constant expression required, found i32.div_s");
  refused(with(kI32, {0x41, 0, 0x01}), "constant expression required, found nop");
  refused(with(kI32, {0x02, kI32, 0x41, 0, 0x0B}), "constant expression required, found block");
  refused(with(kI32, {0x23, 1}), "constant expression required: mutable global 1");
  valid(with(kI64, {0x23, 2}));
  refused(with(kI32, {0x23, 3}), "unknown global 3: constant expressions see earlier globals only");
  refused(with(kI64, {0x23, 9}), "unknown global 9");
  refused(with(kFuncRef, {0xD2, 0}), "unknown function 0");
  // What makes an object is constant, what reads or casts one is not.
  valid(with(kAnyRef, {0x41, 0, 0xFB, 0x1C}));
  valid(with(kExternRef, {0x41, 0, 0xFB, 0x1C, 0xFB, 0x1B}));
  refused(with(kI32, {0x41, 0, 0xFB, 0x1C, 0xFB, 0x1D}), "constant expression required, found i31.get_s");
  refused(with(kAnyRef, {0xD0, kAnyRef, 0xFB, 0x17, kAnyRef}), "constant expression required, found ref.cast");
}

TEST_CASE("validate: Segments") {
  refused(wasm_module({section(11, vec({{0, 0x41, 0, 0x0B, 0}}))}), "unknown memory 0");
  valid(wasm_module({kMemory, section(11, vec({{0, 0x41, 0, 0x0B, 0}}))}));
  refused(wasm_module({kMemory, section(11, vec({{2, 1, 0x41, 0, 0x0B, 0}}))}), "unknown memory 1");
  refused(wasm_module({kMemory, section(11, vec({{0, 0x42, 0, 0x0B, 0}}))}), "type mismatch");
  refused(wasm_module({section(9, vec({{0, 0x41, 0, 0x0B, 0}}))}), "unknown table 0", 11);
  valid(wasm_module({kTables, section(9, vec({{0, 0x41, 0, 0x0B, 0}}))}));
  refused(wasm_module({kTables, section(9, vec({{2, 1, 0x41, 0, 0x0B, 0, 0}}))}), "type mismatch: the element segment");
  valid(wasm_module({kTables, section(9, vec({{6, 1, 0x41, 0, 0x0B, kExternRef, 1, 0xD0, kExternRef, 0x0B}}))}));
  refused(wasm_module({section(9, vec({{1, 0, 1, 3}}))}), "unknown function 3", 11);
  refused(wasm_module({section(9, vec({{5, kExternRef, 1, 0xD0, kFuncRef, 0x0B}}))}), "type mismatch");
}

TEST_CASE("validate: Limits of memories and tables") {
  const auto memory = [](const Bytes& limits) { return wasm_module({section(5, vec({limits}))}); };
  valid(memory(join({{1}, leb(65536), leb(65536)})));
  refused(memory(join({{0}, leb(65537)})), "memory size must be at most 65536 pages", 10);
  valid(memory({3, 1, 2}));
  refused(memory({2, 1}), "shared memory must have maximum", 10);
  valid(memory(join({{8}, leb(UINT32_MAX), {0}})));
  valid(memory(join({{8}, leb(65536), {16}})));
  valid(memory(join({{12}, leb(UINT64_MAX), {0}})));
  refused(memory(join({{8}, leb(65537), {16}})), "memory size must be at most 65536 pages", 10);
  refused(memory(join({{8}, leb(uint64_t{1} << 32), {0}})), "memory size must be at most 2^32 - 1 pages", 10);
  for (const uint8_t exponent : Bytes{1, 12, 15, 17, 32, 64}) {
    refused(memory({8, 1, exponent}), "invalid custom page size", 10);
  }
  refused(memory(join({{1, 0}, leb(65537)})), "memory size must be at most 65536 pages");
  refused(memory(join({{0}, leb(uint64_t{1} << 32)})), "memory size must be at most 65536 pages");
  refused(memory({1, 2, 1}), "size minimum must not be greater than maximum");
  valid(wasm_module({section(5, vec({{0, 0}, {0, 0}}))}));
  refused(wasm_module({section(5, join({leb(1001), Bytes(2002, 0)}))}), "more than 1000 memories");
  const auto table = [](const Bytes& limits) { return wasm_module({section(4, vec({join({{kFuncRef}, limits})}))}); };
  valid(table(join({{1, 0}, leb(0xFFFFFFFF)})));
  refused(wasm_module({section(4, join({leb(50'001), repeat({kFuncRef, 0, 0}, 50'001)}))}), "more than 50000 tables");
  refused(table(join({{0}, leb(uint64_t{1} << 32)})), "table size");
  refused(table({1, 2, 1}), "size minimum must not be greater than maximum");
}

TEST_CASE("validate: Exports, start and function types") {
  const auto exports = [](const Bytes& items) { return function(kVoid, {}, {0}, section(7, items)); };
  const auto named = [](std::string_view export_name, const Bytes& what) { return join({text(export_name), what}); };
  valid(exports(vec({named("a", {0, 0}), named("b", {0, 0}), named("", {0, 0})})));
  refused(exports(vec({named("a", {0, 0}), named("b", {0, 0}), named("a", {0, 0})})), "duplicate export name \"a\"",
          29);
  refused(exports(vec({named("\x1B[2J", {0, 1})})), "unknown function 1 in export \"?[2J\"", 21);
  refused(exports(vec({named("a", {1, 0})})), "unknown table 0");
  refused(exports(vec({named("a", {2, 0})})), "unknown memory 0");
  refused(exports(vec({named("a", {3, 0})})), "unknown global 0");

  valid(function(kVoid, {}, {0}, section(8, {0})));
  refused(function(kVoid, {}, {0}, section(8, {1})), "unknown function 1", 20);
  refused(function(func_type({kI32}, {}), {}, {0}, section(8, {0})), "start function must have the type [] -> []");
  refused(function(func_type({}, {kI32}), {0x00}, {0}, section(8, {0})), "start function");

  refused(wasm_module({section(3, {1, 0}), section(10, vec({body({})}))}), "unknown type 0 of function 0", 10);
  refused(wasm_module({section(2, vec({join({text("a"), text("b"), {0, 3}})}))}), "unknown type 3 of function 0", 11);
}

TEST_CASE("validate: Functions are limited") {
  // Of `nop`, and the `end` that function() puts behind them.
  valid(function(kVoid, repeat({0x01}, kMaxFunctionBytes - 1)));
  refused(function(kVoid, repeat({0x01}, kMaxFunctionBytes)), "function too large");
}

TEST_CASE("validate: Frames are limited") {
  const auto locals = [](uint32_t count) { return join({{1}, leb(count), {kF32}}); };
  valid(function(kVoid, {}, locals(kMaxFrameSlots)));
  refused(function(kVoid, {}, locals(kMaxFrameSlots + 1)), "too many locals", 27);
  refused(function(kVoid, {}, locals(0xFFFFFFFF)), "too many locals");
  refused(function(func_type({kI32}, {}), {}, locals(kMaxFrameSlots)), "too many locals");
  // Locals that are looked up, not expanded.
  valid(function(kVoid, {0x20, 0xF0, 0xFF, 0x03, 0x21, 0xF1, 0xFF, 0x03}, locals(kMaxFrameSlots - 2)));
  refused(function(kVoid, {0x20, 0xF0, 0xFF, 0x03, 0x21, 0xF1, 0xFF, 0x03}, locals(kMaxFrameSlots - 1)),
          "frame too large");
  // A vector takes two slots.
  const auto vectors = [](uint32_t count) { return join({{1}, leb(count), {0x7B}}); };
  valid(function(kVoid, {}, vectors(kMaxFrameSlots / 2)));
  refused(function(kVoid, {}, vectors(kMaxFrameSlots / 2 + 1)), "too many locals");
  const Bytes mixed = join({{3}, leb(30000), {kF32}, leb(1), {kI64}, leb(30000), {kI32}});
  valid(function(kVoid, join({{0x20}, leb(30000), {0x21}, leb(30000)}), mixed));
  refused(function(kVoid, join({{0x20}, leb(30000), {0x21}, leb(29999)}), mixed),
          "type mismatch: local.set expects f32");
  refused(function(kVoid, join({{0x20}, leb(30000), {0x21}, leb(30001)}), mixed),
          "type mismatch: local.set expects i32");
  refused(function(kVoid, join({{0x20}, leb(60001)}), mixed), "unknown local 60001");

  const auto operands = [](size_t count) {
    return function(kVoid, join({repeat({0x41, 0}, count), repeat(kDrop, count)}));
  };
  valid(operands(kMaxFrameSlots / 2));
  refused(operands(kMaxFrameSlots / 2 + 1), "frame too large");

  const auto arity = [](size_t params, size_t results) {
    return wasm_module({section(1, vec({func_type(repeat({kI32}, params), repeat({kI32}, results))}))});
  };
  valid(arity(kMaxArity, kMaxArity));
  refused(arity(kMaxArity + 1, 0), "type 0: more than 1000 parameters");
  refused(arity(0, kMaxArity + 1), "type 0: more than 1000 parameters");
}

TEST_CASE("validate: Errors tell where") {
  refused(function(kVoid, {0x01, 0x01, 0x41, 0, 0x0B}), "type mismatch: 1 operands too many", kCode + 4);
  refused(function(kVoid, {0x01, 0x20, 0x80, 0x01}), "unknown local 128", kCode + 1);
  refused(function(kVoid, {0x01, 0xFF}), "illegal opcode ff", kCode + 1, Phase::Decode);
  const Result<void> second = checked(
      wasm_module({section(1, vec({kVoid})), section(3, {2, 0, 0}), section(10, vec({body({}), body({0x1A})}))}));
  REQUIRE_FALSE(second);
  CHECK(second.error().cause == "type mismatch: drop finds no operand (function 1)");
}

TEST_CASE("validate: Time is linear in the size") {
  // Each of these takes minutes or more if a table's labels, a type's operands or a body's locals are gone through
  // again and again.
  const size_t many = 1'000'000;
  valid(function(kVoid, join({{0x41, 0, 0x0E}, leb(many), repeat({0}, many + 1)})));
  valid(function(kVoid, join({repeat({0x02, 0x40}, many), repeat({0x0B}, many)})));

  const Bytes wide = func_type(repeat({kI32}, kMaxArity), repeat({kI32}, kMaxArity));
  const Bytes operands = repeat({0x41, 0}, kMaxArity);
  const Bytes drops = repeat(kDrop, kMaxArity);
  const auto with_wide = [&](const Bytes& code) {
    return wasm_module({section(1, vec({kVoid, wide})), section(3, {1, 0}), section(10, vec({body(code)}))});
  };
  valid(with_wide(join({operands, repeat({0x02, 1, 0x0B}, many / 10), drops})));
  const Bytes labels = join({repeat({0x02, 1}, 100), {0x41, 0, 0x0E}, leb(many), repeat({7, 99, 3, 1}, many / 4), {0}});
  valid(with_wide(join({operands, labels, repeat({0x0B}, 100), drops})));

  const Bytes one = body({}, join({{1}, leb(kMaxFrameSlots), {kI32}}));
  const size_t functions = 200'000;
  valid(wasm_module({section(1, vec({kVoid})), section(3, join({leb(functions), repeat({0}, functions)})),
                     section(10, join({leb(functions), repeat(one, functions)}))}));
}

}  // namespace chiwawa
