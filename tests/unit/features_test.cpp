#include "interp/features.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "interp/decode.hpp"
#include "interp/validate.hpp"
#include "unit/module_bytes.hpp"

namespace chiwawa {

namespace {

using namespace test;

constexpr uint64_t kAnywhere = Error::kNoOffset - 1;

/// The module is accepted with the features and those of the first version alone, and without the first of them refused
/// with its name.
void needs(const Bytes& bytes, std::initializer_list<Feature> features, uint64_t offset = kAnywhere) {
  const Result<Module> module = decode(bytes);
  INFO((module ? "" : describe(module.error())));
  REQUIRE(module);
  FeatureSet enough;
  for (const Feature feature : features) enough = enough.with(feature);
  const Result<void> accepted = validate(*module, enough);
  INFO((accepted ? "" : describe(accepted.error())));
  CHECK(accepted);
  const Feature first = *features.begin();
  const Result<void> refused = validate(*module, FeatureSet::all().without(first));
  INFO(name(first));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().phase == Phase::Validate);
  CHECK(refused.error().cause == "the feature " + std::string(name(first)) + " is off");
  if (offset != kAnywhere) CHECK(refused.error().offset == offset);
}

Bytes types(std::initializer_list<Bytes> definitions) { return wasm_module({section(1, vec(definitions))}); }

/// A function [] -> [] of that code without locals, whose first instruction is at kCode.
Bytes code(const Bytes& instructions) { return function(func_type({}, {}), instructions); }
constexpr uint64_t kCode = 23;

TEST_CASE("features: each set has what it says") {
  CHECK(FeatureSet() == FeatureSet().without(Feature::gc));
  for (const FeatureInfo& info : kFeatures) {
    INFO(info.name);
    CHECK(find_feature(info.name) == &info);
    CHECK(name(info.feature) == info.name);
    CHECK(FeatureSet::all().has(info.feature));
    CHECK_FALSE(FeatureSet().has(info.feature));
    CHECK(FeatureSet().with(info.feature).has(info.feature));
    CHECK_FALSE(FeatureSet::all().without(info.feature).has(info.feature));
    CHECK(FeatureSet::up_to(Standard::Wasm2).has(info.feature) == (info.standard <= Standard::Wasm2));
    CHECK(FeatureSet().with(info.feature).has(Feature::mvp));
  }
  CHECK(find_feature("mvp") == nullptr);
  CHECK(find_feature("") == nullptr);
}

TEST_CASE("features: some build on others") {
  const FeatureSet gc = FeatureSet().with(Feature::gc);
  CHECK(gc.has(Feature::function_references));
  CHECK(gc.has(Feature::reference_types));
  CHECK_FALSE(gc.has(Feature::exceptions));
  const FeatureSet rest = FeatureSet::all().without(Feature::reference_types);
  CHECK_FALSE(rest.has(Feature::gc));
  CHECK_FALSE(rest.has(Feature::function_references));
  CHECK(rest.has(Feature::exceptions));
  CHECK(FeatureSet::all().without(Feature::gc).has(Feature::reference_types));
}

TEST_CASE("features: the markers in the table of instructions") {
  CHECK(feature_of(Opcode::unreachable) == Feature::mvp);
  CHECK(feature_of(Opcode::return_call) == Feature::tail_call);
  CHECK(feature_of(Opcode::try_table) == Feature::exceptions);
  CHECK(feature_of(Opcode::delegate) == Feature::legacy_exceptions);
  CHECK(feature_of(Opcode::ref_func) == Feature::reference_types);
  CHECK(feature_of(Opcode::ref_eq) == Feature::gc);
  CHECK(feature_of(Opcode::struct_new) == Feature::gc);
  CHECK(feature_of(Opcode::drop) == Feature::mvp);
  CHECK(feature_of(Opcode::table_copy) == Feature::bulk_memory);
  CHECK(feature_of(Opcode::table_get) == Feature::reference_types);
  CHECK(feature_of(Opcode::memory_grow) == Feature::mvp);
  CHECK(feature_of(Opcode::memory_fill) == Feature::bulk_memory);
  CHECK(feature_of(Opcode::f64_reinterpret_i64) == Feature::mvp);
  CHECK(feature_of(Opcode::i32_extend8_s) == Feature::sign_extension);
  CHECK(feature_of(Opcode::i64_trunc_sat_f64_u) == Feature::saturating_float_to_int);
  CHECK(feature_of(Opcode::i64_mul_wide_u) == Feature::wide_arithmetic);
  CHECK(feature_of(Opcode::v128_load) == Feature::simd);
  CHECK(feature_of(Opcode::f64x2_convert_low_i32x4_u) == Feature::simd);
  CHECK(feature_of(Opcode::i8x16_relaxed_swizzle) == Feature::relaxed_simd);
  CHECK(feature_of(Opcode::i64_atomic_rmw32_cmpxchg_u) == Feature::threads);
  // All codes of the first version, by its index of instructions.
  const auto in_mvp = [](uint32_t c) {
    return c <= 0x05 || (c >= 0x0B && c <= 0x11) || c == 0x1A || c == 0x1B || (c >= 0x20 && c <= 0x24) ||
           (c >= 0x28 && c <= 0xBF);
  };
  for (uint32_t c = 0; c < 0x100; ++c) {
    if (!is_known(c)) continue;
    INFO(c);
    CHECK((feature_of(static_cast<Opcode>(c)) == Feature::mvp) == in_mvp(c));
  }
}

TEST_CASE("features: an instruction that is off is refused where it stands") {
  needs(code({0x41, 0, 0xC0, 0x1A}), {Feature::sign_extension}, kCode + 2);
  needs(code({0x12, 0}), {Feature::tail_call}, kCode);
  needs(code({0x06, 0x40, 0x19, 0x0B}), {Feature::legacy_exceptions}, kCode);
  needs(code({0x42, 0, 0x42, 0, 0xFC, 0x16, 0x1A, 0x1A}), {Feature::wide_arithmetic}, kCode + 4);
  needs(code({0xFE, 0x03, 0}), {Feature::threads}, kCode);
  needs(code({0xD0, kFuncRef, 0x1A}), {Feature::reference_types}, kCode);
  // A heap type says more than the instruction.
  needs(code({0xD0, 0x6E, 0x1A}), {Feature::gc}, kCode);
  needs(code({0xD0, 0x69, 0x1A}), {Feature::exceptions, Feature::reference_types}, kCode);
  needs(code({0xD0, 0, 0x1A}), {Feature::function_references}, kCode);
}

TEST_CASE("features: types") {
  needs(types({func_type({}, {kI32, kI32})}), {Feature::multi_value}, 11);
  needs(types({func_type({}, {}), func_type({0x7B}, {})}), {Feature::simd}, 14);
  needs(types({func_type({kFuncRef}, {})}), {Feature::reference_types}, 11);
  needs(types({func_type({0x69}, {})}), {Feature::exceptions, Feature::reference_types}, 11);
  needs(types({func_type({}, {}), {0x60, 1, 0x64, 0, 0}}), {Feature::function_references}, 14);
  needs(types({{0x60, 1, 0x64, 0x70, 0}}), {Feature::function_references}, 11);
  needs(types({{0x5F, 0}}), {Feature::gc}, 11);
  needs(types({{0x5E, kI32, 0}}), {Feature::gc}, 11);
  // The long forms of a type that needs no more, and a type that names itself.
  needs(types({join({{0x4E, 1}, func_type({}, {})})}), {Feature::gc}, 13);
  needs(types({join({{0x4F, 0}, func_type({}, {})})}), {Feature::gc}, 11);
  needs(types({{0x60, 1, 0x63, 0, 0}}), {Feature::gc}, 11);
}

TEST_CASE("features: blocks and locals") {
  needs(code({0x02, 0, 0x0B}), {Feature::multi_value}, kCode);
  needs(code({0x02, 0x7B, 0x00, 0x0B, 0x1A}), {Feature::simd}, kCode);
  needs(function(func_type({}, {}), {}, {1, 1, kExternRef}), {Feature::reference_types}, kCode + 2);
}

TEST_CASE("features: tables and memories") {
  needs(wasm_module({section(4, vec({{kExternRef, 0, 1}}))}), {Feature::reference_types});
  needs(wasm_module({section(4, vec({{kFuncRef, 0, 1}, {kFuncRef, 0, 1}}))}), {Feature::reference_types});
  needs(wasm_module({section(4, vec({{kFuncRef, 4, 1}}))}), {Feature::memory64});
  needs(wasm_module({section(4, vec({{0x40, 0, kFuncRef, 0, 1, 0xD0, kFuncRef, 0x0B}}))}),
        {Feature::function_references});
  needs(wasm_module({section(5, vec({{0, 1}, {0, 1}}))}), {Feature::multi_memory});
  needs(wasm_module({section(5, vec({{4, 1}}))}), {Feature::memory64});
  needs(wasm_module({section(5, vec({{3, 1, 1}}))}), {Feature::threads});
  needs(wasm_module({section(5, vec({{8, 1, 0}}))}), {Feature::custom_page_sizes}, 13);
  // The usual size, said explicitly.
  needs(wasm_module({section(5, vec({{8, 1, 16}}))}), {Feature::custom_page_sizes}, 13);
}

TEST_CASE("features: globals, imports and tags") {
  const Bytes mutable_global = section(6, vec({{kI32, 1, 0x41, 0, 0x0B}}));
  const Result<Module> inside = decode(wasm_module({mutable_global}));
  REQUIRE(inside);
  CHECK(validate(*inside, FeatureSet()));
  needs(wasm_module({mutable_global, section(7, vec({join({text("g"), {3, 0}})}))}), {Feature::mutable_global}, 19);
  needs(wasm_module({section(2, vec({join({text("m"), text("g"), {3, kI32, 1}})}))}), {Feature::mutable_global}, 11);
  needs(wasm_module({section(6, vec({{kI32, 0, 0x41, 1, 0x41, 1, 0x6A, 0x0B}}))}), {Feature::extended_const}, 17);
  needs(wasm_module({section(6, vec({{kI32, 0, 0x41, 1, 0x0B}, {kI32, 0, 0x23, 0, 0x0B}}))}), {Feature::gc}, 18);
  needs(wasm_module({section(1, vec({func_type({}, {})})), section(13, vec({{0, 0}}))}), {Feature::exceptions});
}

TEST_CASE("features: segments") {
  const Bytes table = section(4, vec({{kFuncRef, 0, 1}}));
  const Bytes memory = section(5, {1, 0, 1});
  needs(wasm_module({memory, section(11, vec({{1, 0}}))}), {Feature::bulk_memory});
  needs(wasm_module({memory, section(12, {1}), section(11, vec({{0, 0x41, 0, 0x0B, 0}}))}), {Feature::bulk_memory});
  needs(wasm_module({section(9, vec({{1, 0, 0}}))}), {Feature::bulk_memory}, 11);
  needs(wasm_module({table, section(9, vec({{2, 0, 0x41, 0, 0x0B, 0, 0}}))}), {Feature::bulk_memory});
  needs(wasm_module({section(9, vec({{3, 0, 0}}))}), {Feature::reference_types, Feature::bulk_memory}, 11);
  needs(wasm_module({section(9, vec({{5, kFuncRef, 0}}))}), {Feature::reference_types, Feature::bulk_memory}, 11);
}

TEST_CASE("features: what is malformed or invalid stays so") {
  const Result<Module> malformed = decode(code({0xC0, 0xFF}));
  REQUIRE(malformed);
  const Result<void> invalid = validate(*malformed, FeatureSet());
  REQUIRE_FALSE(invalid);
  CHECK(invalid.error().cause.starts_with("type mismatch"));
  const Result<Module> unknown = decode(code({0xFF}));
  REQUIRE(unknown);
  const Result<void> decoding = validate(*unknown, FeatureSet());
  REQUIRE_FALSE(decoding);
  CHECK(decoding.error().phase == Phase::Decode);
}

}  // namespace

}  // namespace chiwawa
