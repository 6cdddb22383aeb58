#include "interp/decode.hpp"

#include <span>
#include <utility>

#include "interp/byte_reader.hpp"
#include "interp/instr_reader.hpp"
#include "interp/type_reader.hpp"
#include "interp/utf8.hpp"

namespace chiwawa {

namespace {

enum SectionId : uint8_t {
  kCustom = 0,
  kType = 1,
  kImport = 2,
  kFunction = 3,
  kTable = 4,
  kMemory = 5,
  kGlobal = 6,
  kExport = 7,
  kStart = 8,
  kElem = 9,
  kCode = 10,
  kData = 11,
  kDataCount = 12,
  kTag = 13,
};

/// Flags of limits.
constexpr uint8_t kHasMax = 1, kShared = 2, kAddress64 = 4, kHasPageSize = 8;

/// Where a section stands in the prescribed order: the data count comes before the code, tags before globals.
constexpr uint32_t rank(uint8_t id) {
  if (id == kDataCount) return 2 * kCode - 1;
  if (id == kTag) return 2 * kGlobal - 1;
  return 2u * id;
}

/// Fails softly: the section readers go on with zeros after a fault (ByteReader), and decode() looks at the end.
class Decoder {
 public:
  explicit Decoder(Module& module) : module_(module), bytes_(module.bytes), in_(bytes_, 0, size(), "unexpected end") {}

  Result<void> run();

 private:
  uint32_t size() const { return static_cast<uint32_t>(bytes_.size()); }
  bool ok() const { return in_.ok(); }
  void fail(const char* text, uint32_t at) { in_.fail(text, at); }
  void fail(Error error);
  Error error() const;

  void header();
  void section(uint8_t id);
  void contents(uint8_t id);
  void custom_section();

  void type_section();
  void import_section();
  void function_section();
  void table_section();
  void memory_section();
  void tag_section();
  void global_section();
  void export_section();
  void elem_section();
  void code_section();
  void data_section();
  void consistent_counts();

  std::string_view name();
  TypeDef sub_type();
  std::vector<ValType> value_types();
  /// Limits with flags of these kinds, besides those that every type may have, and the address type that they name.
  Limits limits(uint8_t allowed, uint8_t& flags, ValType& address);
  MemoryType memory_type();
  TableType table_type();
  Table table();
  TagType tag_type();
  GlobalType global_type();
  ConstExpr const_expr();
  ElemSegment elem_segment();
  FunctionBody function_body();

  void function_names();

  Module& module_;
  std::span<const uint8_t> bytes_;
  ByteReader in_;  ///< of the current section
  Error detail_;   ///< more than in_'s fault text can say, if it has a cause
  uint32_t declared_functions_ = 0;
  ByteRange name_section_;
};

void Decoder::fail(Error error) {
  if (!ok()) return;
  in_.fail("", static_cast<uint32_t>(error.offset));
  detail_ = std::move(error);
}

Error Decoder::error() const {
  if (!detail_.cause.empty()) return detail_;
  return {Phase::Decode, in_.fault(), in_.fault_position()};
}

Result<void> Decoder::run() {
  header();
  uint32_t last_rank = 0;
  while (ok() && !in_.at_end()) {
    const uint32_t at = in_.position();
    const uint8_t id = in_.u8();
    if (id > kTag) {
      fail("malformed section id", at);
    } else if (id != kCustom) {
      // Out of order or twice.
      if (rank(id) <= last_rank) fail("unexpected content after last section", at);
      last_rank = rank(id);
    }
    section(id);
  }
  if (ok()) consistent_counts();
  if (!ok()) return error();
  function_names();
  return {};
}

void Decoder::header() {
  if (in_.fixed_u32() != 0x6D736100 && ok()) fail("magic header not detected", 0);
  const uint32_t version = in_.fixed_u32();
  if (version == 0x1000D && ok()) fail("unknown binary version (component model: not supported)", 4);
  if (version != 1 && ok()) fail("unknown binary version", 4);
}

void Decoder::section(uint8_t id) {
  const uint32_t length = in_.u32();
  const uint32_t begin = in_.skip(length, "length out of bounds");
  if (!ok()) return;
  const ByteReader after = in_;
  in_ = ByteReader(bytes_, begin, begin + length);
  contents(id);
  if (!ok()) return;
  if (!in_.at_end()) return fail("section size mismatch", in_.position());
  in_ = after;
}

void Decoder::contents(uint8_t id) {
  if (id != kCustom) module_.section_offsets[id] = in_.position();
  switch (id) {
    case kCustom: return custom_section();
    case kType: return type_section();
    case kImport: return import_section();
    case kFunction: return function_section();
    case kTable: return table_section();
    case kMemory: return memory_section();
    case kGlobal: return global_section();
    case kExport: return export_section();
    case kStart: module_.start = in_.u32(); return;
    case kElem: return elem_section();
    case kCode: return code_section();
    case kData: return data_section();
    case kDataCount: module_.data_count = in_.u32(); return;
    case kTag: return tag_section();
    default: return;
  }
}

void Decoder::custom_section() {
  const std::string_view section_name = name();
  if (ok() && section_name == "name") name_section_ = {in_.position(), in_.end()};
  in_.skip(in_.remaining(), "");
}

void Decoder::type_section() {
  constexpr uint8_t kRec = 0x4E;
  const uint32_t count = in_.count(2);
  for (uint32_t i = 0; i < count && ok(); ++i) {
    std::vector<TypeDef> group;
    if (in_.peek() == kRec) {
      in_.skip(1, "");
      const uint32_t members = in_.count(2);
      for (uint32_t j = 0; j < members && ok(); ++j) {
        group.push_back(sub_type());
        group.back().is_sub_or_rec = true;
      }
    } else {
      group.push_back(sub_type());
    }
    if (ok()) module_.types.add_group(std::move(group));
  }
}

TypeDef Decoder::sub_type() {
  constexpr uint8_t kSub = 0x50, kSubFinal = 0x4F, kArray = 0x5E, kStruct = 0x5F, kFunc = 0x60;
  TypeDef type;
  uint32_t at = in_.position();
  type.offset = at;
  uint8_t form = in_.u8();
  if (form == kSub || form == kSubFinal) {
    type.is_sub_or_rec = true;
    type.is_final = form == kSubFinal;
    const uint32_t supers = in_.count(1);
    for (uint32_t i = 0; i < supers && ok(); ++i) type.supers.push_back(in_.u32());
    at = in_.position();
    form = in_.u8();
  }
  switch (form) {
    case kFunc:
      type.func.params = value_types();
      type.func.results = value_types();
      break;
    case kStruct: {
      type.kind = TypeDef::Kind::Struct;
      type.fields.resize(in_.count(2));
      for (FieldType& field : type.fields) field = read_field_type(in_);
      break;
    }
    case kArray:
      type.kind = TypeDef::Kind::Array;
      type.fields.push_back(read_field_type(in_));
      break;
    default: fail(form >= 0x80 ? "integer representation too long" : "malformed type", at); break;
  }
  return type;
}

std::vector<ValType> Decoder::value_types() {
  std::vector<ValType> types(in_.count(1));
  for (ValType& type : types) type = read_value_type(in_);
  return types;
}

void Decoder::import_section() {
  const uint32_t count = in_.count(3);
  module_.imports.reserve(count);
  for (uint32_t i = 0; i < count && ok(); ++i) {
    Import import;
    import.offset = in_.position();
    import.module = name();
    import.name = name();
    const uint32_t at = in_.position();
    const uint8_t kind = in_.u8();
    switch (kind) {
      case 0:
        import.index = module_.imported_functions++;
        module_.functions.push_back(in_.u32());
        break;
      case 1:
        import.index = module_.imported_tables++;
        module_.tables.push_back({table_type(), {}});
        break;
      case 2:
        import.index = module_.imported_memories++;
        module_.memories.push_back(memory_type());
        break;
      case 3:
        import.index = module_.imported_globals++;
        module_.globals.push_back({global_type(), {}});
        break;
      case 4:
        import.index = module_.imported_tags++;
        module_.tags.push_back(tag_type());
        break;
      default: fail("malformed import kind", at); break;
    }
    import.kind = static_cast<ExternKind>(kind);
    if (ok()) module_.imports.push_back(std::move(import));
  }
}

void Decoder::function_section() {
  declared_functions_ = in_.count(1);
  module_.functions.reserve(module_.functions.size() + declared_functions_);
  for (uint32_t i = 0; i < declared_functions_ && ok(); ++i) module_.functions.push_back(in_.u32());
}

void Decoder::table_section() {
  const uint32_t count = in_.count(2);
  module_.tables.reserve(module_.tables.size() + count);
  for (uint32_t i = 0; i < count && ok(); ++i) module_.tables.push_back(table());
}

void Decoder::memory_section() {
  const uint32_t count = in_.count(1);
  for (uint32_t i = 0; i < count && ok(); ++i) module_.memories.push_back(memory_type());
}

void Decoder::tag_section() {
  const uint32_t count = in_.count(2);
  for (uint32_t i = 0; i < count && ok(); ++i) module_.tags.push_back(tag_type());
}

void Decoder::global_section() {
  const uint32_t count = in_.count(3);
  module_.globals.reserve(module_.globals.size() + count);
  for (uint32_t i = 0; i < count && ok(); ++i) {
    const GlobalType type = global_type();
    module_.globals.push_back({type, const_expr()});
  }
}

void Decoder::export_section() {
  const uint32_t count = in_.count(3);
  module_.exports.reserve(count);
  for (uint32_t i = 0; i < count && ok(); ++i) {
    const uint32_t begin = in_.position();
    const std::string_view export_name = name();
    const uint32_t at = in_.position();
    const uint8_t kind = in_.u8();
    if (kind > 4) fail("malformed export kind", at);
    const uint32_t index = in_.u32();
    if (ok()) module_.exports.push_back({std::string(export_name), static_cast<ExternKind>(kind), index, begin});
  }
}

void Decoder::elem_section() {
  const uint32_t count = in_.count(3);
  module_.elems.reserve(count);
  for (uint32_t i = 0; i < count && ok(); ++i) module_.elems.push_back(elem_segment());
}

ElemSegment Decoder::elem_segment() {
  ElemSegment segment;
  segment.position = in_.position();
  const uint32_t flags = in_.u32();
  if (flags > 7) fail("malformed elements segment kind", segment.position);
  const bool not_active = flags & 1;
  const bool has_table_or_declares = flags & 2;
  segment.uses_expressions = flags & 4;
  if (not_active) {
    segment.mode = has_table_or_declares ? SegmentMode::Declarative : SegmentMode::Passive;
  } else {
    segment.mode = SegmentMode::Active;
    if (has_table_or_declares) segment.table_index = in_.u32();
    segment.offset = const_expr();
  }
  // Flags 0 and 4 are the MVP's form, which says nothing of the type.
  if ((flags & 3) != 0) {
    if (segment.uses_expressions) {
      segment.type = read_ref_type(in_);
    } else {
      const uint32_t at = in_.position();
      if (in_.u8() != 0 && ok()) fail("malformed element kind", at);
    }
  }
  if (!segment.uses_expressions) segment.type = non_null(ValType::FuncRef);
  const uint32_t count = in_.count(1);
  if (segment.uses_expressions) {
    segment.expressions.reserve(count);
    for (uint32_t i = 0; i < count && ok(); ++i) segment.expressions.push_back(const_expr());
  } else {
    segment.function_indices.reserve(count);
    for (uint32_t i = 0; i < count && ok(); ++i) segment.function_indices.push_back(in_.u32());
  }
  return segment;
}

void Decoder::code_section() {
  const uint32_t at = in_.position();
  const uint32_t count = in_.count(2);
  if (ok() && count != declared_functions_) fail("function and code section have inconsistent lengths", at);
  if (!ok()) return;
  module_.bodies.reserve(count);
  for (uint32_t i = 0; i < count && ok(); ++i) module_.bodies.push_back(function_body());
}

FunctionBody Decoder::function_body() {
  FunctionBody body;
  const uint32_t length = in_.u32();
  const uint32_t begin = in_.skip(length, "unexpected end of section or function");
  if (!ok()) return body;
  const ByteReader after = in_;
  in_ = ByteReader(bytes_, begin, begin + length);
  const uint32_t runs = in_.count(2);
  body.locals.reserve(runs);
  uint64_t total = 0;
  for (uint32_t i = 0; i < runs && ok(); ++i) {
    const uint32_t at = in_.position();
    const uint32_t count = in_.u32();
    total += count;
    if (total > UINT32_MAX) fail("too many locals", at);
    body.locals.push_back({count, read_value_type(in_)});
  }
  if (!ok()) return body;
  body.local_count = static_cast<uint32_t>(total);
  body.code = {in_.position(), in_.end()};
  in_ = after;
  return body;
}

void Decoder::data_section() {
  const uint32_t count = in_.count(2);
  module_.datas.reserve(count);
  for (uint32_t i = 0; i < count && ok(); ++i) {
    DataSegment segment;
    const uint32_t at = in_.position();
    const uint32_t flags = in_.u32();
    if (flags > 2) fail("malformed data segment kind", at);
    if (flags != 1) {
      segment.mode = SegmentMode::Active;
      if (flags == 2) segment.memory_index = in_.u32();
      segment.offset = const_expr();
    }
    const uint32_t length = in_.u32();
    const uint32_t begin = in_.skip(length, "unexpected end of section or function");
    segment.bytes = {begin, in_.position()};
    module_.datas.push_back(std::move(segment));
  }
}

void Decoder::consistent_counts() {
  if (declared_functions_ != module_.bodies.size()) {
    fail("function and code section have inconsistent lengths", size());
  }
  if (module_.data_count && *module_.data_count != module_.datas.size()) {
    fail("data count and data section have inconsistent lengths", module_.section_offsets[kDataCount]);
  }
}

std::string_view Decoder::name() {
  const uint32_t length = in_.u32();
  const uint32_t begin = in_.skip(length, "length out of bounds");
  if (!ok()) return {};
  const auto text = bytes_.subspan(begin, length);
  if (!is_utf8(text)) fail("malformed UTF-8 encoding", begin);
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

Limits Decoder::limits(uint8_t allowed, uint8_t& flags, ValType& address) {
  const uint32_t at = in_.position();
  flags = in_.u8();
  if ((flags & ~(kHasMax | kAddress64 | allowed)) != 0) fail("malformed limits flags", at);
  address = (flags & kAddress64) != 0 ? ValType::I64 : ValType::I32;
  // 64 bits are read and validate() compares, as the current specification does.
  Limits limits;
  limits.min = in_.u64();
  if ((flags & kHasMax) != 0) limits.max = in_.u64();
  return limits;
}

MemoryType Decoder::memory_type() {
  MemoryType type;
  uint8_t flags = 0;
  type.limits = limits(kShared | kHasPageSize, flags, type.address);
  type.is_shared = (flags & kShared) != 0;
  if ((flags & kHasPageSize) != 0) {
    const uint32_t at = in_.position();
    if (!module_.page_size) module_.page_size = at;
    const uint32_t exponent = in_.u32();
    if (exponent > 64) fail("invalid custom page size", at);
    type.page_exponent = static_cast<uint8_t>(exponent);
  }
  return type;
}

TagType Decoder::tag_type() {
  const uint32_t at = in_.position();
  if (in_.u8() != 0) fail("malformed tag attribute", at);
  return {in_.u32()};
}

Table Decoder::table() {
  const uint32_t at = in_.position();
  if (in_.at_end() || bytes_[at] != 0x40) return {table_type(), {}};
  in_.skip(1, "");
  const uint32_t reserved_at = in_.position();
  if (in_.u8() != 0) fail("malformed table", reserved_at);
  const TableType type = table_type();
  return {type, const_expr()};
}

TableType Decoder::table_type() {
  TableType type;
  type.element = read_ref_type(in_);
  uint8_t flags = 0;
  type.limits = limits(0, flags, type.address);
  return type;
}

GlobalType Decoder::global_type() {
  const ValType type = read_value_type(in_);
  const uint32_t at = in_.position();
  const uint8_t mutability = in_.u8();
  if (mutability > 1) fail("malformed mutability", at);
  return {type, mutability == 1};
}

/// Only delimits the expression; whether it is constant is for validate() to say.
ConstExpr Decoder::const_expr() {
  const uint32_t begin = in_.position();
  if (!ok()) return {};
  InstrReader instructions(bytes_, {begin, in_.end()});
  Instr instr;
  Error error;
  for (uint32_t depth = 1; depth > 0;) {
    if (!instructions.read(instr, error)) {
      fail(std::move(error));
      return {};
    }
    if (opens_block(instr.opcode)) ++depth;
    if (closes_block(instr.opcode)) --depth;
  }
  in_.skip(instr.end - begin, "");
  return {begin, instr.end};
}

/// Never fails: a malformed name section only means that there are no names.
/// https://webassembly.github.io/spec/core/appendix/custom.html#name-section
void Decoder::function_names() {
  ByteReader in(bytes_, name_section_.begin, name_section_.end);
  while (in.ok() && !in.at_end()) {
    const uint8_t id = in.u8();
    const uint32_t length = in.u32();
    const uint32_t begin = in.skip(length, "length out of bounds");
    if (!in.ok() || id != 1) continue;
    ByteReader names(bytes_, begin, begin + length);
    const uint32_t count = names.count(2);
    for (uint32_t i = 0; i < count && names.ok(); ++i) {
      const uint32_t index = names.u32();
      const uint32_t text_length = names.u32();
      const uint32_t text_begin = names.skip(text_length, "length out of bounds");
      const auto text = bytes_.subspan(text_begin, names.ok() ? text_length : 0);
      if (!is_utf8(text)) names.fail("malformed UTF-8 encoding", text_begin);
      // Only names of functions that exist: their number bounds the map, whatever the section holds.
      if (names.ok() && index < module_.functions.size()) {
        module_.function_names.emplace_hint(module_.function_names.end(), index,
                                            std::string(reinterpret_cast<const char*>(text.data()), text.size()));
      }
    }
    if (!names.ok()) module_.function_names.clear();
    return;
  }
}

}  // namespace

Result<Module> decode(std::vector<uint8_t> bytes) {
  if (bytes.size() > UINT32_MAX) return Error{Phase::Decode, "module larger than 4 GiB"};
  Module module;
  module.bytes = std::move(bytes);
  CHIWAWA_TRY(Decoder(module).run());
  return module;
}

}  // namespace chiwawa
