#include "interp/instr_reader.hpp"

#include <catch2/catch_test_macros.hpp>

#include "unit/module_bytes.hpp"

namespace chiwawa {

namespace {

using namespace test;

ByteRange all(const Bytes& bytes) { return {0, static_cast<uint32_t>(bytes.size())}; }

Instr read_one(const Bytes& bytes) {
  InstrReader reader(bytes, all(bytes));
  Result<Instr> instr = reader.next();
  INFO((instr ? "" : describe(instr.error())));
  REQUIRE(instr);
  CHECK(instr->end == bytes.size());
  CHECK(reader.position() == bytes.size());
  CHECK(reader.at_end());
  return *instr;
}

void refused(const Bytes& bytes, std::string_view cause, uint64_t offset) {
  InstrReader reader(bytes, all(bytes));
  const Result<Instr> instr = reader.next();
  INFO(cause);
  REQUIRE_FALSE(instr);
  CHECK(instr.error().phase == Phase::Decode);
  CHECK(instr.error().cause.substr(0, cause.size()) == cause);
  CHECK(instr.error().offset == offset);
}

Bytes encoded(uint32_t code) {
  return code < 0x100 ? Bytes{static_cast<uint8_t>(code)}
                      : join({{static_cast<uint8_t>(code >> 12)}, leb(code & 0xFFF)});
}

Bytes some_immediates(Immediates kind) {
  switch (kind) {
    case Immediates::None: return {};
    case Immediates::BlockType: return {0xFF, 0x00};
    case Immediates::LabelTable: return {2, 0x81, 0x00, 2, 3};
    case Immediates::CallIndirect:
    case Immediates::TypeField:
    case Immediates::TypeCount:
    case Immediates::TypeData:
    case Immediates::TypeElem:
    case Immediates::TypeType:
    case Immediates::TableInit:
    case Immediates::TableCopy:
    case Immediates::MemArg:
    case Immediates::MemoryInit:
    case Immediates::MemoryCopy: return {5, 0x86, 0x01};
    case Immediates::CastType:
    case Immediates::RefType: return {kExternRef};
    case Immediates::CastBranch: return {3, 0x85, 0x01, kAnyRef, 0x80, 0x01};
    case Immediates::TryTable: return {0x40, 4, 0, 0x81, 0x01, 2, 1, 3, 4, 2, 0x85, 0x00, 3, 6};
    case Immediates::SelectTypes: return {1, kF64};
    case Immediates::I32Const: return {0x80, 0x7F};
    case Immediates::I64Const: return {0x80, 0x7F};
    case Immediates::F32Const: return {1, 2, 3, 4};
    case Immediates::F64Const: return {1, 2, 3, 4, 5, 6, 7, 8};
    case Immediates::V128Const:
    case Immediates::Shuffle: return {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    case Immediates::Lane: return {3};
    case Immediates::Reserved: return {0};
    case Immediates::MemArgLane: return {2, 0x86, 0x01, 3};
    default: return {0x85, 0x01};
  }
}

struct Row {
  uint32_t code;
  std::string_view text;
  Immediates kind;
};

constexpr Row kRows[] = {
#define OPCODE(code, id, text, immediates) {code, text, Immediates::immediates},
#include "interp/opcodes.def"
};

}  // namespace

TEST_CASE("opcode: Names, immediates and known codes follow the list") {
  size_t known = 0;
  for (uint32_t code = 0; code < 0x100000; ++code) known += is_known(code);
  CHECK(known == std::size(kRows));
  for (const Row& row : kRows) {
    CHECK(is_known(row.code));
    CHECK(name(static_cast<Opcode>(row.code)) == row.text);
    CHECK(immediates(static_cast<Opcode>(row.code)) == row.kind);
  }
  CHECK_FALSE(is_known(0xFF));
  CHECK_FALSE(is_known(0xFC012));
  CHECK_FALSE(is_known(0xFC0C));
  CHECK_FALSE(is_known(~0u));
}

TEST_CASE("instr_reader: Every instruction is read to its end, and not when cut short") {
  for (const Row& row : kRows) {
    INFO(row.text);
    const Bytes bytes = join({encoded(row.code), some_immediates(row.kind)});
    const Instr instr = read_one(bytes);
    CHECK(static_cast<uint32_t>(instr.opcode) == row.code);
    CHECK(instr.offset == 0);
    for (uint32_t size = 0; size < bytes.size(); ++size) {
      // The bytes behind the range are there, but not the reader's to use.
      InstrReader reader(bytes, {0, size});
      const Result<Instr> cut = reader.next();
      REQUIRE_FALSE(cut);
      CHECK(cut.error().cause == "unexpected end of section or function");
      CHECK(cut.error().offset <= size);
    }
  }
}

TEST_CASE("instr_reader: Positions are the module's") {
  const Bytes bytes = {0xAA, 0xAA, 0x01, 0x41, 0x80, 0x01, 0x0B, 0xAA};
  InstrReader reader(bytes, {2, 7});
  CHECK(reader.position() == 2);
  const Result<Instr> nop = reader.next();
  REQUIRE(nop);
  CHECK(nop->opcode == Opcode::nop);
  CHECK(nop->end == 3);
  const Result<Instr> constant = reader.next();
  REQUIRE(constant);
  CHECK(constant->offset == 3);
  CHECK(constant->end == 6);
  CHECK(constant->bits == 128);
  const Result<Instr> end = reader.next();
  REQUIRE(end);
  CHECK(end->opcode == Opcode::end);
  CHECK(reader.at_end());
}

TEST_CASE("instr_reader: Block types") {
  CHECK(read_one({0x02, 0x40}).block.kind == BlockType::Kind::Empty);
  const Instr value = read_one({0x03, kF32});
  CHECK(value.block.kind == BlockType::Kind::Value);
  CHECK(value.block.value == ValType::F32);
  CHECK(read_one({0x04, kExternRef}).block.value == ValType::ExternRef);
  const Instr index = read_one({0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F});
  CHECK(index.block.kind == BlockType::Kind::TypeIndex);
  CHECK(index.block.type_index == 0xFFFFFFFF);

  CHECK(read_one({0x02, 0x7B}).block.value == ValType::V128);
  refused({0x02, 0x41}, "malformed block type", 1);
  refused({0x02, 0xC0, 0x7F}, "malformed block type", 1);  // the empty type, but in two bytes
  refused({0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F}, "integer too large", 1);
  refused({0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x8F}, "integer representation too long", 1);
}

TEST_CASE("instr_reader: Constants are zero-extended bit patterns") {
  CHECK(read_one({0x41, 0x7F}).bits == 0xFFFFFFFF);
  CHECK(read_one({0x41, 0x3F}).bits == 63);
  CHECK(read_one({0x41, 0x40}).bits == 0xFFFFFFC0);
  CHECK(read_one({0x41, 0x80, 0x80, 0x80, 0x80, 0x78}).bits == 0x80000000);
  CHECK(read_one({0x41, 0xFF, 0xFF, 0xFF, 0xFF, 0x07}).bits == 0x7FFFFFFF);
  CHECK(read_one({0x42, 0x7F}).bits == ~uint64_t{0});
  CHECK(read_one({0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F}).bits == uint64_t{1} << 63);
  CHECK(read_one({0x43, 0, 0, 0xC0, 0xFF}).bits == 0xFFC00000);
  CHECK(read_one({0x44, 1, 0, 0, 0, 0, 0, 0xF0, 0x3F}).bits == 0x3FF0000000000001);

  refused({0x41, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, "integer too large", 1);
  refused({0x41, 0x80, 0x80, 0x80, 0x80, 0x70}, "integer too large", 1);
  refused({0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, "integer representation too long", 1);
  refused({0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7E}, "integer too large", 1);
}

TEST_CASE("instr_reader: Two indices") {
  const Instr call = read_one({0x11, 3, 4});
  CHECK(call.index == 3);
  CHECK(call.index2 == 4);
  const Instr copy = read_one({0xFC, 0x0E, 1, 2});
  CHECK(copy.opcode == Opcode::table_copy);
  CHECK(copy.index == 1);
  CHECK(copy.index2 == 2);
  CHECK(read_one({0xFC, 0x8E, 0x00, 1, 2}).opcode == Opcode::table_copy);  // the code behind a prefix is a number
}

TEST_CASE("instr_reader: Memory access") {
  const Instr load = read_one({0x29, 3, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F});
  CHECK(load.align == 3);
  CHECK(load.mem_offset == 0xFFFFFFFF);
  CHECK(read_one({0x29, 0x3F, 0}).align == 63);
  const Instr other = read_one({0x29, 0x43, 2, 7});
  CHECK(other.align == 3);
  CHECK(other.index == 2);
  CHECK(other.mem_offset == 7);
  refused({0x29, 0x80, 0x01, 0}, "malformed memop flags", 1);
}

TEST_CASE("instr_reader: Types of select and ref.null") {
  const Instr one = read_one({0x1C, 1, kI64});
  CHECK(one.select_count == 1);
  CHECK(one.ref_type == ValType::I64);
  CHECK(read_one({0x1C, 0}).select_count == 0);
  CHECK(read_one({0x1C, 2, kI32, kI32}).select_count == 2);
  CHECK(read_one({0xD0, kFuncRef}).ref_type == ValType::FuncRef);
  CHECK(read_one({0x1C, 1, 0x7B}).ref_type == ValType::V128);
  CHECK(read_one({0xD0, kAnyRef}).ref_type == ValType::AnyRef);
  CHECK(read_one({0xD0, 0x07}).ref_type == defined_ref(7, true));
  CHECK(read_one({0x1C, 1, 0x64, 0x07}).ref_type == defined_ref(7, false));
  refused({0xD0, kI32}, "malformed heap type", 1);
  refused({0xD0, 0x68}, "malformed heap type", 1);  // a type of another proposal
}

TEST_CASE("instr_reader: Types of casts") {
  CHECK(read_one({0xFB, 0x14, kAnyRef}).ref_type == non_null(ValType::AnyRef));
  CHECK(read_one({0xFB, 0x15, kAnyRef}).ref_type == ValType::AnyRef);
  CHECK(read_one({0xFB, 0x16, 0x07}).ref_type == defined_ref(7, false));
  CHECK(read_one({0xFB, 0x17, 0x07}).ref_type == defined_ref(7, true));
  const Instr branch = read_one({0xFB, 0x18, 1, 5, kAnyRef, 0x07});
  CHECK(branch.index == 5);
  CHECK(branch.cast_from == ValType::AnyRef);
  CHECK(branch.ref_type == defined_ref(7, false));
  CHECK(read_one({0xFB, 0x19, 2, 5, kAnyRef, 0x07}).ref_type == defined_ref(7, true));
  refused({0xFB, 0x18, 4, 5, kAnyRef, 0x07}, "malformed br_on_cast flags", 2);
  refused({0xFB, 0x14, kI32}, "malformed heap type", 2);
}

TEST_CASE("instr_reader: Clauses of try_table") {
  const Bytes bytes = {0x1F, kI32, 4, 0, 0x80, 0x01, 2, 1, 3, 4, 2, 5, 3, 6};
  InstrReader reader(bytes, all(bytes));
  const Result<Instr> table = reader.next();
  REQUIRE(table);
  CHECK(table->block.value == ValType::I32);
  CHECK(table->index == 4);
  CHECK(table->labels_begin == 3);
  std::vector<CatchClause> clauses;
  reader.for_each_catch(*table, [&](const CatchClause& clause) { clauses.push_back(clause); });
  REQUIRE(clauses.size() == 4);
  for (size_t i = 0; i < 4; ++i) {
    CHECK(clauses[i].any_tag == (i >= 2));
    CHECK(clauses[i].with_ref == (i % 2 == 1));
  }
  CHECK(clauses[0].tag_index == 128);
  CHECK(clauses[0].label == 2);
  CHECK(clauses[1].tag_index == 3);
  CHECK(clauses[1].label == 4);
  CHECK(clauses[2].label == 5);
  CHECK(clauses[3].label == 6);

  CHECK(read_one({0x1F, 0x40, 0}).index == 0);
  refused({0x1F, 0x40, 1, 4, 0}, "malformed catch clause", 3);
  refused({0x1F, 0x40, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 2, 0}, "unexpected end", 2);
}

TEST_CASE("instr_reader: Labels of br_table") {
  const Bytes bytes = {0x0E, 2, 5, 0x80, 0x01, 9};
  InstrReader reader(bytes, all(bytes));
  const Result<Instr> table = reader.next();
  REQUIRE(table);
  CHECK(table->index == 2);
  CHECK(table->labels_begin == 2);
  std::vector<uint32_t> labels;
  reader.for_each_label(*table, [&](uint32_t label) { labels.push_back(label); });
  CHECK(labels == std::vector<uint32_t>{5, 128, 9});

  refused({0x0E, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0}, "unexpected end", 1);
  refused({0x0E, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0}, "integer representation too long", 3);
}

TEST_CASE("instr_reader: Codes that are not in the list, and what they would have been") {
  refused({0xFF}, "illegal opcode ff", 0);
  refused({0x27}, "illegal opcode 27", 0);
  refused({0x06}, "unexpected end of section or function", 1);  // try without its type
  refused({0x16}, "illegal opcode 16", 0);
  refused({0xFD, 0x9A, 0x01}, "illegal opcode fd 9a", 0);
  refused({0xFE, 0x04, 0}, "illegal opcode fe 04", 0);
  refused({0xFE, 0x4F, 0}, "illegal opcode fe 4f", 0);
  refused({0xFE, 0x03, 1}, "zero byte expected", 2);
  refused({0xFB, 0x1F}, "illegal opcode fb 1f", 0);
  refused({0xFB, 0xFF, 0x01}, "illegal opcode fb ff", 0);
  refused({0xFC, 0x12}, "illegal opcode fc 12", 0);
  refused({0xFC, 0x80, 0x02}, "illegal opcode fc 100", 0);  // not 0xFC00
  refused({0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, "illegal opcode fc ffffffff", 0);
  refused({0xFC, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, "integer representation too long", 1);
}

TEST_CASE("instr_reader: read() and next() say the same") {
  const Bytes bytes = {0x20, 7, 0xFF};
  InstrReader reader(bytes, all(bytes));
  Instr instr;
  Error error;
  REQUIRE(reader.read(instr, error));
  CHECK(instr.opcode == Opcode::local_get);
  CHECK(instr.index == 7);
  CHECK_FALSE(reader.read(instr, error));
  CHECK(error.cause == "illegal opcode ff");
  CHECK(error.offset == 2);
}

}  // namespace chiwawa
