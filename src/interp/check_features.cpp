#include "interp/check_features.hpp"

#include <algorithm>
#include <string>

#include "interp/byte_reader.hpp"
#include "interp/instr_reader.hpp"

namespace chiwawa {

namespace {

/// In a constant expression.
bool is_arithmetic(Opcode opcode) {
  switch (opcode) {
    case Opcode::i32_add:
    case Opcode::i32_sub:
    case Opcode::i32_mul:
    case Opcode::i64_add:
    case Opcode::i64_sub:
    case Opcode::i64_mul: return true;
    default: return false;
  }
}

/// In the module: an offset, or the place of an item of an index space, which is looked up only for an error.
struct Where {
  Where(uint64_t offset) : offset(offset) {}
  Where(ExternKind kind, uint32_t index) : is_item(true), kind(kind), index(index) {}
  uint64_t in(const Module& module) const { return is_item ? module.place(kind, index) : offset; }

  uint64_t offset = 0;
  bool is_item = false;
  ExternKind kind{};
  uint32_t index = 0;
};

/// Goes on after a use that is not enabled, but remembers only the first.
class FeatureChecker {
 public:
  FeatureChecker(const Module& module, FeatureSet enabled) : module_(module), enabled_(enabled) {}

  Result<void> run();

 private:
  void types();
  void imports_and_exports();
  void tables();
  void memories();
  void tags();
  void globals();
  void elems();
  void datas();
  void bodies();

  void use(Feature feature, const Where& where);
  void value_type(ValType type, const Where& where);
  /// Beyond those of any value: the first version has tables of (ref null func).
  void ref_type(ValType type, const Where& where);
  void instruction(const Instr& instr);
  void constant(ConstExpr expr);
  template <typename F>
  void for_each_instr(ByteRange code, F f);

  const Module& module_;
  FeatureSet enabled_;
  bool failed_ = false;
  Error error_;
};

void FeatureChecker::use(Feature feature, const Where& where) {
  if (failed_ || enabled_.has(feature)) return;
  failed_ = true;
  error_ = {Phase::Validate, "the feature " + std::string(name(feature)) + " is off", where.in(module_)};
}

Result<void> FeatureChecker::run() {
  types();
  imports_and_exports();
  tables();
  memories();
  tags();
  globals();
  elems();
  datas();
  bodies();
  if (failed_) return error_;
  return {};
}

void FeatureChecker::types() {
  for (uint32_t i = 0; i < module_.types.size() && !failed_; ++i) {
    const TypeDef& type = module_.types[i];
    if (type.is_sub_or_rec || type.kind != TypeDef::Kind::Func) use(Feature::gc, type.offset);
    const auto part = [&](ValType t) {
      value_type(t, type.offset);
      // Itself, without saying `rec`.
      if (is_defined(t) && type_index(t) >= i) use(Feature::gc, type.offset);
    };
    std::ranges::for_each(type.func.params, part);
    std::ranges::for_each(type.func.results, part);
    if (type.func.results.size() > 1) use(Feature::multi_value, type.offset);
    for (const FieldType& field : type.fields) part(field.storage);
  }
}

void FeatureChecker::imports_and_exports() {
  const auto global = [&](ExternKind kind, uint32_t index, uint64_t offset) {
    if (kind == ExternKind::Global && module_.globals[index].type.is_mutable) use(Feature::mutable_global, offset);
  };
  for (const Import& item : module_.imports) global(item.kind, item.index, item.offset);
  for (const Export& item : module_.exports) global(item.kind, item.index, item.offset);
}

// Instructions may name other tables and memories than the first only where there are some, so that these need no look.

void FeatureChecker::tables() {
  for (uint32_t i = 0; i < module_.tables.size() && !failed_; ++i) {
    const Table& table = module_.tables[i];
    const Where where(ExternKind::Table, i);
    if (i > 0) use(Feature::reference_types, where);
    if (table.type.element != ValType::FuncRef) value_type(table.type.element, where);
    if (table.type.address == ValType::I64) use(Feature::memory64, where);
    if (table.init.size() != 0) use(Feature::function_references, where);
    constant(table.init);
  }
}

void FeatureChecker::memories() {
  for (uint32_t i = 0; i < module_.memories.size(); ++i) {
    const MemoryType& type = module_.memories[i];
    const Where where(ExternKind::Memory, i);
    if (i > 0) use(Feature::multi_memory, where);
    if (type.address == ValType::I64) use(Feature::memory64, where);
    if (type.is_shared) use(Feature::threads, where);
  }
  if (module_.page_size) use(Feature::custom_page_sizes, *module_.page_size);
}

void FeatureChecker::tags() {
  if (!module_.tags.empty()) use(Feature::exceptions, {ExternKind::Tag, 0});
}

void FeatureChecker::globals() {
  for (uint32_t i = 0; i < module_.globals.size() && !failed_; ++i) {
    const Global& global = module_.globals[i];
    value_type(global.type.type, {ExternKind::Global, i});
    constant(global.init);
  }
}

void FeatureChecker::elems() {
  for (const ElemSegment& segment : module_.elems) {
    if (failed_) return;
    // Flags other than 0, the first version's: passive, an explicit table or type, expressions.
    ByteReader flags(module_.bytes, segment.position, static_cast<uint32_t>(module_.bytes.size()));
    if (flags.u32() != 0) use(Feature::bulk_memory, segment.position);
    if (segment.mode == SegmentMode::Declarative) use(Feature::reference_types, segment.position);
    if (segment.uses_expressions) value_type(segment.type, segment.position);
    constant(segment.offset);
    for (const ConstExpr expr : segment.expressions) constant(expr);
  }
}

void FeatureChecker::datas() {
  constexpr uint8_t kDataCount = 12;
  if (module_.data_count) use(Feature::bulk_memory, module_.section_offsets[kDataCount]);
  for (const DataSegment& segment : module_.datas) {
    if (segment.mode == SegmentMode::Passive) use(Feature::bulk_memory, segment.bytes.begin);
    constant(segment.offset);
  }
}

void FeatureChecker::bodies() {
  for (const FunctionBody& body : module_.bodies) {
    if (failed_) return;
    for (const LocalRun& run : body.locals) value_type(run.type, body.code.begin);
    for_each_instr(body.code, [&](const Instr& instr) { instruction(instr); });
  }
}

void FeatureChecker::value_type(ValType type, const Where& where) {
  if (is_vec(type)) use(Feature::simd, where);
  if (is_ref(type)) {
    use(Feature::reference_types, where);
    ref_type(type, where);
  }
}

void FeatureChecker::ref_type(ValType type, const Where& where) {
  if (is_defined(type)) return use(Feature::function_references, where);
  switch (nullable(type)) {
    case ValType::FuncRef:
    case ValType::ExternRef:
      if (!is_nullable(type)) use(Feature::function_references, where);
      return;
    case ValType::ExnRef:
    case ValType::NoExnRef: use(Feature::exceptions, where); return;
    default: use(Feature::gc, where); return;
  }
}

void FeatureChecker::instruction(const Instr& instr) {
  use(feature_of(instr.opcode), instr.offset);
  switch (immediates(instr.opcode)) {
    case Immediates::BlockType:
    case Immediates::TryTable:
      // The first version has no block types that are type indices.
      if (instr.block.kind == BlockType::Kind::TypeIndex) use(Feature::multi_value, instr.offset);
      if (instr.block.kind == BlockType::Kind::Value) value_type(instr.block.value, instr.offset);
      return;
    case Immediates::CastBranch: ref_type(instr.cast_from, instr.offset); [[fallthrough]];
    case Immediates::RefType:
    case Immediates::CastType: ref_type(instr.ref_type, instr.offset); return;
    case Immediates::SelectTypes: value_type(instr.ref_type, instr.offset); return;
    default: return;
  }
}

void FeatureChecker::constant(ConstExpr expr) {
  for_each_instr(expr, [&](const Instr& instr) {
    instruction(instr);
    if (is_arithmetic(instr.opcode)) use(Feature::extended_const, instr.offset);
    if (instr.opcode == Opcode::global_get && instr.index >= module_.imported_globals) {
      use(Feature::gc, instr.offset);
    }
  });
}

template <typename F>
void FeatureChecker::for_each_instr(ByteRange code, F f) {
  InstrReader reader(module_.bytes, code);
  Instr instr;
  while (!failed_ && !reader.at_end()) {
    // What does not read was refused before.
    if (!reader.read(instr, error_)) {
      failed_ = true;
      return;
    }
    f(instr);
  }
}

}  // namespace

Result<void> check_features(const Module& module, FeatureSet enabled) { return FeatureChecker(module, enabled).run(); }

}  // namespace chiwawa
