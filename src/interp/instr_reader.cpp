#include "interp/instr_reader.hpp"

#include <array>
#include <cstdio>

#include "interp/byte_reader.hpp"
#include "interp/type_reader.hpp"

namespace chiwawa {

namespace {

constexpr uint8_t kUnknownOpcode = 0xFF;

/// immediates() of every row, or kUnknownOpcode: all that reading needs in one small table.
constexpr std::array<uint8_t, kOpcodeRows> kImmediates = [] {
  std::array<uint8_t, kOpcodeRows> table{};
  table.fill(kUnknownOpcode);
#define OPCODE(code, id, text, immediates) table[row_of(code)] = static_cast<uint8_t>(Immediates::immediates);
#include "interp/opcodes.def"
  return table;
}();

std::string illegal_opcode(uint32_t first, bool prefixed, uint32_t second) {
  char text[96];
  int length = std::snprintf(text, sizeof text, "illegal opcode %02x", first);
  const auto append = [&](const char* format, auto argument) {
    length += std::snprintf(text + length, sizeof text - static_cast<size_t>(length), format, argument);
  };
  if (prefixed) append(" %02x", second);
  return text;
}

BlockType block_type(ByteReader& reader) {
  const uint32_t at = reader.position();
  const int64_t code = reader.s33();
  if (code >= 0) return {BlockType::Kind::TypeIndex, ValType::I32, static_cast<uint32_t>(code)};
  // The negative numbers that take one byte are the empty type and the value types.
  const auto byte = static_cast<uint8_t>(code & 0x7F);
  if (reader.ok() && reader.position() == at + 1) {
    if (byte == 0x40) return {};
    const ValType type = read_ref_type_from(reader, byte);
    if (is_num(type) || is_vec(type) || is_ref(type)) return {BlockType::Kind::Value, type, 0};
  }
  reader.fail("malformed block type", at);
  return {};
}

CatchClause catch_clause(ByteReader& reader) {
  const uint32_t at = reader.position();
  const uint8_t kind = reader.u8();
  if (kind > 3) reader.fail("malformed catch clause", at);
  CatchClause clause{.any_tag = kind >= 2, .with_ref = (kind & 1) != 0};
  if (!clause.any_tag) clause.tag_index = reader.u32();
  clause.label = reader.u32();
  return clause;
}

/// Whether null belongs to the type that a cast asks for.
bool casts_to_nullable(Opcode opcode) { return opcode == Opcode::ref_test_null || opcode == Opcode::ref_cast_null; }

void cast_branch(ByteReader& reader, Instr& instr) {
  const uint32_t at = reader.position();
  const uint8_t flags = reader.u8();
  if (flags > 3) reader.fail("malformed br_on_cast flags", at);
  instr.index = reader.u32();
  instr.cast_from = read_heap_type(reader, (flags & 1) != 0);
  instr.ref_type = read_heap_type(reader, (flags & 2) != 0);
}

/// Bit 6 of the flags announces a memory index; the exponent itself is compared by the validator.
void memarg(ByteReader& reader, Instr& instr) {
  const uint32_t at = reader.position();
  instr.align = reader.u32();
  if (instr.align >= 0x80) reader.fail("malformed memop flags", at);
  constexpr uint32_t kHasIndex = 0x40;
  const bool has_index = (instr.align & kHasIndex) != 0;
  if (has_index) instr.align -= kHasIndex;
  instr.index = has_index ? reader.u32() : 0;
  instr.mem_offset = reader.u64();
}

void read_immediates(ByteReader& reader, Immediates kind, Instr& instr) {
  switch (kind) {
    case Immediates::None: break;
    case Immediates::BlockType: instr.block = block_type(reader); break;
    case Immediates::LabelIndex:
    case Immediates::FuncIndex:
    case Immediates::LocalIndex:
    case Immediates::GlobalIndex:
    case Immediates::TableIndex:
    case Immediates::ElemIndex:
    case Immediates::MemoryIndex:
    case Immediates::TypeIndex:
    case Immediates::TagIndex:
    case Immediates::DataIndex: instr.index = reader.u32(); break;
    case Immediates::CallIndirect:
    case Immediates::TableInit:
    case Immediates::TableCopy:
    case Immediates::MemoryInit:
    case Immediates::MemoryCopy:
    case Immediates::TypeField:
    case Immediates::TypeCount:
    case Immediates::TypeData:
    case Immediates::TypeElem:
    case Immediates::TypeType:
      instr.index = reader.u32();
      instr.index2 = reader.u32();
      break;
    case Immediates::LabelTable:
      instr.index = reader.count(1);
      instr.labels_begin = reader.position();
      for (uint64_t i = 0; i <= instr.index && reader.ok(); ++i) reader.u32();
      break;
    case Immediates::RefType: instr.ref_type = read_heap_type(reader, true); break;
    case Immediates::CastType: instr.ref_type = read_heap_type(reader, casts_to_nullable(instr.opcode)); break;
    case Immediates::CastBranch: cast_branch(reader, instr); break;
    case Immediates::TryTable:
      instr.block = block_type(reader);
      instr.index = reader.count(2);
      instr.labels_begin = reader.position();
      for (uint32_t i = 0; i < instr.index && reader.ok(); ++i) catch_clause(reader);
      break;
    case Immediates::SelectTypes:
      instr.select_count = reader.count(1);
      for (uint32_t i = 0; i < instr.select_count && reader.ok(); ++i) instr.ref_type = read_value_type(reader);
      break;
    case Immediates::MemArg: memarg(reader, instr); break;
    case Immediates::I32Const: instr.bits = static_cast<uint32_t>(reader.s32()); break;
    case Immediates::I64Const: instr.bits = static_cast<uint64_t>(reader.s64()); break;
    case Immediates::F32Const: instr.bits = reader.fixed_u32(); break;
    case Immediates::F64Const: instr.bits = reader.fixed_u64(); break;
    case Immediates::V128Const:
    case Immediates::Shuffle:
      instr.vector.low = reader.fixed_u64();
      instr.vector.high = reader.fixed_u64();
      break;
    case Immediates::Lane: instr.lane = reader.u8(); break;
    case Immediates::MemArgLane:
      memarg(reader, instr);
      instr.lane = reader.u8();
      break;
    case Immediates::Reserved: {
      const uint32_t at = reader.position();
      if (reader.u8() != 0) reader.fail("zero byte expected", at);
      break;
    }
  }
}

}  // namespace

InstrReader::InstrReader(std::span<const uint8_t> module_bytes, ByteRange range)
    : bytes_(module_bytes), position_(range.begin), end_(range.end) {}

bool InstrReader::read(Instr& instr, Error& error) {
  ByteReader reader(bytes_, position_, end_);
  instr.offset = position_;
  const uint8_t first = reader.u8();
  uint32_t code = first;
  uint8_t kind = kImmediates[first];
  if (kind == kUnknownOpcode && reader.ok()) {
    // A prefix, or nothing that we know.
    const bool prefixed = first >= 0xFB && first <= 0xFE;
    const uint32_t second = prefixed ? reader.u32() : 0;
    if (reader.ok()) {
      code = uint32_t{first} << 12 | second;
      const uint32_t row = prefixed && second <= 0xFFF ? row_of(code) : kOpcodeRows;
      if (row == kOpcodeRows || kImmediates[row] == kUnknownOpcode) {
        error = {Phase::Decode, illegal_opcode(first, prefixed, second), instr.offset};
        return false;
      }
      kind = kImmediates[row];
    }
  }
  if (reader.ok()) {
    instr.opcode = static_cast<Opcode>(code);
    read_immediates(reader, static_cast<Immediates>(kind), instr);
  }
  if (!reader.ok()) {
    error = {Phase::Decode, reader.fault(), reader.fault_position()};
    return false;
  }
  position_ = instr.end = reader.position();
  return true;
}

Result<Instr> InstrReader::next() {
  Instr instr;
  Error error;
  if (!read(instr, error)) return error;
  return instr;
}

CatchClause InstrReader::read_catch(uint32_t& at) const {
  ByteReader reader(bytes_, at, end_);
  const CatchClause clause = catch_clause(reader);
  at = reader.position();
  return clause;
}

uint32_t InstrReader::read_label(uint32_t& at) const {
  ByteReader reader(bytes_, at, end_);
  const uint32_t label = reader.u32();
  at = reader.position();
  return label;
}

}  // namespace chiwawa
