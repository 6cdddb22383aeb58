#include "interp/decode.hpp"

#include <catch2/catch_test_macros.hpp>

#include "unit/module_bytes.hpp"

namespace chiwawa {

namespace {

using namespace test;

Module decoded(const Bytes& bytes) {
  Result<Module> module = decode(bytes);
  INFO((module ? "" : describe(module.error())));
  REQUIRE(module);
  return *module;
}

/// The cause must begin with `cause`, which is the official test suite's text where that has one.
void refused(const Bytes& bytes, std::string_view cause, uint64_t offset) {
  const Result<Module> module = decode(bytes);
  INFO(cause);
  REQUIRE_FALSE(module);
  CHECK(module.error().phase == Phase::Decode);
  CHECK(module.error().cause.substr(0, cause.size()) == cause);
  CHECK(module.error().offset == offset);
}

const Bytes kTypeVoid = section(1, vec({func_type({}, {})}));

}  // namespace

TEST_CASE("decode: The empty module") {
  const Module m = decoded(wasm_module({}));
  CHECK(m.bytes.size() == 8);
  CHECK(m.types.empty());
  CHECK_FALSE(m.start.has_value());
  CHECK_FALSE(m.data_count.has_value());
}

TEST_CASE("decode: The header") {
  refused({}, "unexpected end", 0);
  refused({0, 'a', 's'}, "unexpected end", 0);
  refused({0, 'a', 's', 'n', 1, 0, 0, 0}, "magic header not detected", 0);
  refused({0, 'a', 's', 'm', 1, 0}, "unexpected end", 4);
  refused({0, 'a', 's', 'm', 2, 0, 0, 0}, "unknown binary version", 4);
  refused({0, 'a', 's', 'm', 0x0D, 0, 1, 0}, "unknown binary version (component model", 4);
}

TEST_CASE("decode: Types") {
  const Module m =
      decoded(wasm_module({section(1, vec({func_type({}, {}), func_type({kI32, kF64}, {kI64, kExternRef})}))}));
  REQUIRE(m.types.size() == 2);
  CHECK(name(m.types.func(0)) == "[] -> []");
  CHECK(name(m.types.func(1)) == "[i32 f64] -> [i64 externref]");

  // Structs and arrays, alone, as sub types and in rec groups.
  const Module gc = decoded(wasm_module({section(1, vec({{0x5F, 2, 0x78, 1, 0x64, 0x6E, 0},
                                                         {0x50, 1, 0, 0x5E, 0x77, 1},
                                                         {0x4E, 2, 0x5F, 0, 0x4F, 0, 0x60, 0, 0}}))}));
  REQUIRE(gc.types.size() == 4);
  CHECK(gc.types[0].kind == TypeDef::Kind::Struct);
  CHECK(gc.types[0].is_final);
  CHECK(gc.types[0].fields == std::vector<FieldType>{{ValType::I8, true}, {non_null(ValType::AnyRef), false}});
  CHECK(gc.types[1].kind == TypeDef::Kind::Array);
  CHECK_FALSE(gc.types[1].is_final);
  CHECK(gc.types[1].supers == std::vector<uint32_t>{0});
  CHECK(gc.types[3].group_begin == 2);
  CHECK(gc.types[3].group_end == 4);
  CHECK(gc.types[3].is_final);
  refused(wasm_module({section(1, vec({{0x5F, 0, 0}}))}), "section size mismatch", 13);
  refused(wasm_module({section(1, vec({{0x5F, 1, 0x76, 0}}))}), "malformed storage type", 13);
  refused(wasm_module({section(1, vec({{0x5F, 1, 0x78, 2}}))}), "malformed mutability", 14);
  refused(wasm_module({section(1, vec({{0x5E, 0x40, 0}}))}), "malformed storage type", 12);
  refused(wasm_module({section(1, vec({{0x4E, 1, 0x4E, 0}}))}), "malformed type", 13);  // no group in a group
  refused(wasm_module({section(1, vec({{0x61, 0, 0}}))}), "malformed type", 11);
  const Module typed = decoded(wasm_module({section(1, vec({join({{0x60, 2, 0x64, 0, 0x63, 5, 0}})}))}));
  CHECK(typed.types.func(0).params == std::vector<ValType>{defined_ref(0, false), defined_ref(5, true)});
  refused(wasm_module({section(1, vec({func_type({0x64}, {})}))}), "unexpected end of section or function", 15);
  refused(wasm_module({section(1, vec({{0x60, 1, 0x64, 0x7F, 0}}))}), "malformed heap type", 14);
  refused(wasm_module({section(1, vec({{0x60, 1, 0x63, 0xF0, 0x7E, 0}}))}), "malformed heap type", 14);
  refused(wasm_module({section(1, vec({func_type({0x01}, {})}))}), "malformed value type", 13);
}

TEST_CASE("decode: Imports come first in every index space") {
  const Module m = decoded(wasm_module({
      kTypeVoid,
      section(2, vec({join({text("a"), text("f"), {0, 0}}), join({text("a"), text("t"), {1, kExternRef, 0, 5}}),
                      join({text("b"), text("m"), {2, 1, 1, 2}}), join({text("b"), text("g"), {3, kI64, 1}})})),
      section(3, {1, 0}),
      section(4, vec({{kFuncRef, 1, 2, 3}})),
      section(6, vec({{kI32, 0, 0x41, 7, 0x0B}})),
      section(10, vec({body({})})),
  }));
  REQUIRE(m.imports.size() == 4);
  CHECK(m.imports[2].module == "b");
  CHECK(m.imports[2].name == "m");
  CHECK(m.imports[2].kind == ExternKind::Memory);
  CHECK(m.imports[3].index == 0);
  CHECK(m.imports[0].offset == 8 + 6 + 3);
  CHECK(m.functions.size() == 2);
  CHECK(m.imported_functions == 1);
  CHECK(m.is_imported_function(0));
  CHECK_FALSE(m.is_imported_function(1));
  REQUIRE(m.tables.size() == 2);
  CHECK(m.imported_tables == 1);
  CHECK(m.tables[0].type == TableType{ValType::ExternRef, {5, {}}});
  CHECK(m.tables[1].type == TableType{ValType::FuncRef, {2, 3}});
  REQUIRE(m.memories.size() == 1);
  CHECK(m.memories[0].limits == Limits{1, 2});
  REQUIRE(m.globals.size() == 2);
  CHECK(m.globals[0].type == GlobalType{ValType::I64, true});
  CHECK(m.globals[0].init.size() == 0);
  CHECK(m.globals[1].type == GlobalType{ValType::I32, false});
  CHECK(m.globals[1].init.size() == 3);

  const Module tags = decoded(
      wasm_module({kTypeVoid, section(2, vec({join({text("a"), text("x"), {4, 0, 0}})})), section(13, vec({{0, 0}}))}));
  CHECK(tags.imports[0].kind == ExternKind::Tag);
  CHECK(tags.tags.size() == 2);
  CHECK(tags.imported_tags == 1);
  refused(wasm_module({section(2, vec({join({text("a"), text("x"), {4, 1, 0}})}))}), "malformed tag attribute", 16);
  refused(wasm_module({section(2, vec({join({text("a"), text("x"), {9, 0, 0}})}))}), "malformed import kind", 15);
}

TEST_CASE("decode: Limits") {
  // Tables are not shared and have no pages.
  refused(wasm_module({section(4, vec({{kFuncRef, 3, 1, 1}}))}), "malformed limits flags", 12);
  refused(wasm_module({section(4, vec({{kFuncRef, 8, 1, 0}}))}), "malformed limits flags", 12);
  refused(wasm_module({section(5, vec({{0x10, 1, 1}}))}), "malformed limits flags", 11);
  const Result<Module> bytes = decode(wasm_module({section(5, vec({{8, 1, 0}, {9, 1, 2, 16}}))}));
  REQUIRE(bytes);
  CHECK(bytes->memories == std::vector<MemoryType>{{{1, std::nullopt}, ValType::I32, 0}, {{1, 2}}});
  refused(wasm_module({section(5, vec({{8, 1, 65}}))}), "invalid custom page size", 13);
  refused(wasm_module({section(5, vec({{0x80, 0}}))}), "malformed limits flags", 11);
  const Module initialized =
      decoded(wasm_module({section(4, vec({{0x40, 0, kFuncRef, 0, 0, 0xD0, kFuncRef, 0x0B}, {kFuncRef, 0, 0}}))}));
  CHECK(initialized.tables[0].init.size() == 3);
  CHECK(initialized.tables[0].type == initialized.tables[1].type);
  CHECK(initialized.tables[1].init.size() == 0);
  refused(wasm_module({section(4, vec({{0x40, 1, kFuncRef, 0, 0, 0xD0, kFuncRef, 0x0B}}))}), "malformed table", 12);
  refused(wasm_module({section(4, vec({{kI32, 0, 0}}))}), "malformed reference type", 11);
  refused(wasm_module({section(6, vec({{kI32, 2, 0x41, 0, 0x0B}}))}), "malformed mutability", 12);
}

TEST_CASE("decode: Exports and the start function") {
  const Module m = decoded(wasm_module({kTypeVoid, section(3, {1, 0}),
                                        section(7, vec({join({text("run"), {0, 0}}), join({text(""), {3, 9}})})),
                                        section(8, {0}), section(10, vec({body({})}))}));
  REQUIRE(m.exports.size() == 2);
  REQUIRE(m.find_export("run") != nullptr);
  CHECK(m.find_export("run")->kind == ExternKind::Func);
  CHECK(m.find_export("")->index == 9);
  CHECK(m.find_export("ru") == nullptr);
  CHECK(m.start == 0u);
  refused(wasm_module({section(7, vec({join({text(""), {5, 0}})}))}), "malformed export kind", 12);
}

TEST_CASE("decode: The eight forms of element segments") {
  const Bytes offset = {0x41, 1, 0x0B};
  const Bytes functions = {2, 3, 4};
  const Bytes null = {0xD0, kExternRef, 0x0B};
  const Bytes func_two = {0xD2, 2, 0x0B};
  const Module m = decoded(wasm_module(
      {section(9, vec({join({{0}, offset, functions}), join({{1, 0}, functions}),
                       join({{2, 7}, offset, {0}, functions}), join({{3, 0}, functions}),
                       join({{4}, offset, vec({func_two, func_two})}), join({{5, kExternRef}, vec({null})}),
                       join({{6, 7}, offset, {kExternRef}, vec({null})}), join({{7, kFuncRef}, vec({func_two})})}))}));
  REQUIRE(m.elems.size() == 8);
  const auto active = SegmentMode::Active;
  const auto passive = SegmentMode::Passive;
  const auto declarative = SegmentMode::Declarative;
  const SegmentMode modes[] = {active, passive, active, declarative, active, passive, active, declarative};
  for (size_t i = 0; i < 8; ++i) {
    INFO(i);
    const ElemSegment& segment = m.elems[i];
    CHECK(segment.mode == modes[i]);
    CHECK(segment.uses_expressions == (i >= 4));
    const ValType functions = i < 4 ? non_null(ValType::FuncRef) : ValType::FuncRef;
    CHECK(segment.type == (i == 5 || i == 6 ? ValType::ExternRef : functions));
    CHECK(segment.table_index == (i == 2 || i == 6 ? 7 : 0));
    CHECK(segment.offset.size() == (segment.mode == active ? 3 : 0));
    CHECK(segment.size() == (i < 5 ? 2 : 1));
    CHECK(m.bytes[segment.position] == i);
  }
  CHECK(m.elems[0].function_indices == std::vector<uint32_t>{3, 4});
  CHECK(m.elems[4].expressions[1].begin == m.elems[4].expressions[0].end);

  refused(wasm_module({section(9, vec({{8, 0, 0}}))}), "malformed elements segment kind", 11);
  refused(wasm_module({section(9, vec({{1, 1, 0}}))}), "malformed element kind", 12);
  refused(wasm_module({section(9, vec({{5, kI32, 0}}))}), "malformed reference type", 12);
}

TEST_CASE("decode: Data segments") {
  const Module m = decoded(wasm_module(
      {section(11, vec({join({{0, 0x41, 5, 0x0B}, text("abc")}), join({{1}, text("")}), {2, 3, 0x41, 0, 0x0B, 0}}))}));
  REQUIRE(m.datas.size() == 3);
  CHECK(m.datas[0].mode == SegmentMode::Active);
  CHECK(m.datas[0].bytes.size() == 3);
  CHECK(m.bytes[m.datas[0].bytes.begin] == 'a');
  CHECK(m.datas[1].mode == SegmentMode::Passive);
  CHECK(m.datas[1].bytes.size() == 0);
  CHECK(m.datas[2].memory_index == 3);

  CHECK(decoded(wasm_module({section(12, {1}), section(11, vec({{1, 0}}))})).data_count == 1u);
  refused(wasm_module({section(12, {2}), section(11, vec({{1, 0}}))}),
          "data count and data section have inconsistent lengths", 10);
  refused(wasm_module({section(12, {1})}), "data count and data section have inconsistent lengths", 10);
  refused(wasm_module({section(11, vec({{3, 0}}))}), "malformed data segment kind", 11);
  refused(wasm_module({section(11, vec({{1, 2, 'x'}}))}), "unexpected end of section or function", 13);
}

TEST_CASE("decode: A constant expression ends at its own end") {
  // Nested blocks are not constant, but that is for validate() to say.
  const Module m = decoded(wasm_module({section(6, vec({{kI32, 0, 0x02, 0x40, 0x0B, 0x41, 0, 0x0B}}))}));
  CHECK(m.globals[0].init.size() == 6);
  refused(wasm_module({section(6, vec({{kI32, 0, 0x41, 0}}))}), "unexpected end of section or function", 15);
  refused(wasm_module({section(6, vec({{kI32, 0, 0xFB, 0x0C, 0x0B}}))}), "unexpected end of section or function",
          16);  // array.get_s takes the end as its type index
  refused(wasm_module({section(6, vec({{kI32, 0, 0xFB, 0x1F, 0x0B}}))}), "illegal opcode fb 1f", 13);
  CHECK(decoded(wasm_module({section(6, vec({{0x6E, 0, 0x41, 0, 0xFB, 0x1C, 0x0B}}))})).globals[0].init.size() == 5);
}

TEST_CASE("decode: Function bodies") {
  const Module m = decoded(function(func_type({kI32}, {}), {0x01}, {3, 2, kI32, 0, kF32, 3, kFuncRef}));
  REQUIRE(m.bodies.size() == 1);
  const FunctionBody& b = m.bodies[0];
  CHECK(b.local_count == 5);
  REQUIRE(b.locals.size() == 3);
  CHECK(b.locals[2].count == 3);
  CHECK(b.locals[2].type == ValType::FuncRef);
  CHECK(b.code.size() == 2);
  CHECK(m.bytes[b.code.begin] == 0x01);
  CHECK(m.function_type(0).params.size() == 1);

  const Bytes type = func_type({}, {});
  CHECK(decoded(function(type, {}, join({{2}, leb(0xFFFFFFFE), {kI32, 1, kI64}}))).bodies[0].local_count == 0xFFFFFFFF);
  refused(function(type, {}, join({{2}, leb(0xFFFFFFFF), {kI32, 1, kI64}})), "too many locals", 29);
  refused(wasm_module({kTypeVoid, section(3, {1, 0})}), "function and code section have inconsistent lengths", 18);
  refused(wasm_module({kTypeVoid, section(10, vec({body({})}))}), "function and code section have inconsistent lengths",
          16);
  refused(wasm_module({kTypeVoid, section(3, {1, 0}), section(10, vec({{9, 0, 0x0B}}))}),
          "unexpected end of section or function", 22);
}

TEST_CASE("decode: Sections come in order, once, and with the size they say") {
  refused(wasm_module({section(3, {0}), section(1, {0})}), "unexpected content after last section", 11);
  refused(wasm_module({section(1, {0}), section(1, {0})}), "unexpected content after last section", 11);
  refused(wasm_module({section(10, {0}), section(12, {0})}), "unexpected content after last section", 11);
  refused(wasm_module({section(14, {0})}), "malformed section id", 8);
  // Tags stand between memories and globals.
  CHECK(decode(wasm_module({section(5, {0}), section(13, {0}), section(6, {0})})));
  refused(wasm_module({section(6, {0}), section(13, {0})}), "unexpected content after last section", 11);
  refused(wasm_module({section(13, {0}), section(5, {0})}), "unexpected content after last section", 11);
  refused(wasm_module({section(13, vec({{1, 0}}))}), "malformed tag attribute", 11);
  refused(wasm_module({section(1, {0, 0})}), "section size mismatch", 11);
  refused(wasm_module({section(1, {1, 0x60, 0})}), "unexpected end of section or function", 13);
  refused(wasm_module({{1, 5, 0}}), "length out of bounds", 10);
  refused(wasm_module({{1}}), "unexpected end", 9);
  CHECK(decode(wasm_module({section(9, {0}), section(12, {0}), section(10, {0}), section(11, {0})})));
}

TEST_CASE("decode: Custom sections may stand anywhere and hold anything") {
  const Bytes custom = section(0, join({text("x"), {1, 2, 3}}));
  CHECK(decode(wasm_module({custom, kTypeVoid, custom, custom, section(2, {0}), custom})));
  refused(wasm_module({section(0, {})}), "unexpected end", 10);
  refused(wasm_module({section(0, {2, 'x'})}), "length out of bounds", 11);
}

TEST_CASE("decode: Numbers are LEB128 of the shortest allowed length and no more") {
  // A data count of zero, in its ways.
  const auto count = [](const Bytes& number) { return wasm_module({section(12, number)}); };
  CHECK(decode(count({0x80, 0x00})));
  CHECK(decode(count({0x80, 0x80, 0x80, 0x80, 0x00})));
  refused(count({0x80, 0x80, 0x80, 0x80, 0x80, 0x00}), "integer representation too long", 10);
  refused(count({0x80, 0x80, 0x80, 0x80, 0x10}), "integer too large", 10);
  refused(count({0x80, 0x80, 0x80}), "unexpected end of section or function", 13);
}

TEST_CASE("decode: Names are UTF-8") {
  const auto custom = [](std::string_view chars) { return wasm_module({section(0, text(chars))}); };
  for (const std::string_view good :
       {"", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
        "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "caf\xC3\xA9"}) {
    CHECK(decode(custom(good)));
  }
  for (const std::string_view bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x7F", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE1\x80", "\xE1\x80\xC0",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF1\x80\x80", "\xFE", "\xFF"}) {
    refused(custom(bad), "malformed UTF-8 encoding", 11);
  }
}

TEST_CASE("decode: Counts are compared with the bytes that are there") {
  // Each of these would ask for gigabytes if it were believed.
  const Bytes huge = leb(0xFFFFFFFF);
  for (uint8_t id = 1; id <= 11; ++id) {
    if (id == 8) continue;
    INFO(int{id});
    CHECK_FALSE(decode(wasm_module({section(id, join({huge, {0, 0, 0, 0}}))})));
  }
  CHECK_FALSE(decode(wasm_module({section(1, join({{1, 0x60}, huge, {0}}))})));
  CHECK_FALSE(decode(wasm_module({section(9, join({{1, 1, 0}, huge}))})));
  CHECK_FALSE(decode(wasm_module({section(9, join({{1, 5, kFuncRef}, huge}))})));
  CHECK_FALSE(decode(wasm_module({section(11, join({{1, 1}, huge}))})));
  CHECK_FALSE(decode(wasm_module({section(0, join({huge, {'x'}}))})));
}

TEST_CASE("decode: The name section gives functions their names, or nothing") {
  const auto with_names = [](const Bytes& contents) {
    return wasm_module({kTypeVoid, section(3, {2, 0, 0}), section(7, vec({join({text("exported"), {0, 1}})})),
                        section(10, vec({body({}), body({})})), section(0, join({text("name"), contents}))});
  };
  const Bytes module_name = section(0, text("m"));
  const Bytes two = vec({join({{0}, text("first")}), join({{9}, text("nobody")})});

  const Module named = decoded(with_names(join({module_name, section(1, two), section(2, {0})})));
  CHECK(named.function_names.size() == 1);
  CHECK(named.function_name(0) == "first");
  CHECK(named.function_name(1) == "exported");
  CHECK(named.function_name(7) == "func[7]");

  for (const Bytes& damaged : {Bytes{1, 50}, section(1, leb(0xFFFFFFFF)), section(1, {1, 0, 9, 'x'}),
                               section(1, {1, 0, 1, 0xFF}), Bytes{1, 0x80, 0x80, 0x80, 0x80, 0x80, 0}}) {
    CHECK(decoded(with_names(damaged)).function_names.empty());
  }
}

TEST_CASE("decode: A module cut short is refused, unless the cut is between sections") {
  const Bytes whole = wasm_module(
      {kTypeVoid, section(2, vec({join({text("a"), text("f"), {0, 0}})})), section(4, vec({{kFuncRef, 0, 1}})),
       section(5, vec({{1, 1, 2}})), section(6, vec({{kI64, 1, 0x42, 1, 0x0B}})),
       section(7, vec({join({text("f"), {0, 0}})})), section(9, vec({{0, 0x41, 0, 0x0B, 1, 0}})),
       section(11, vec({join({{0, 0x41, 0, 0x0B}, text("data")})}))});
  REQUIRE(decode(whole));
  size_t accepted = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    const Result<Module> module = decode(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)));
    if (module) {
      ++accepted;
    } else {
      CHECK(module.error().offset <= size);
    }
  }
  CHECK(accepted == 8);
}

TEST_CASE("describe: Phase, cause and place") {
  CHECK(describe({Phase::Decode, "unexpected end", 31}) == "decode error: unexpected end (at byte 0x1f)");
  CHECK(describe({Phase::Link, "unknown import"}) == "link error: unknown import");
}

}  // namespace chiwawa
