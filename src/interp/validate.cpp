#include "interp/validate.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "interp/check_features.hpp"
#include "interp/instr_reader.hpp"
#include "interp/validate_function.hpp"

namespace chiwawa {

namespace {

class ModuleValidator {
 public:
  explicit ModuleValidator(const Module& module)
      : module_(module), declared_(module.functions.size()), expressions_(module, declared_) {}

  Result<void> run();

 private:
  Result<void> types() const;
  /// Empty if the type is valid. Types before it are, and `depths` has how many supertypes they have.
  std::string type_fault(uint32_t index, std::vector<uint32_t>& depths) const;
  /// Whether the type that it refers to exists.
  bool exists(ValType type) const { return !is_defined(type) || type_index(type) < module_.types.size(); }
  Result<void> functions() const;
  Result<void> tags() const;
  Result<void> tables();
  Result<void> memories() const;
  Result<void> globals();
  Result<void> exports();
  Result<void> start() const;
  Result<void> elems();
  Result<void> datas();
  Result<void> bodies();

  /// Checks that the expression is constant and gives one value of the type; notes the functions it refers to.
  Result<void> const_expr(ConstExpr expr, ValType expected);
  /// Whether the instruction may stand in a constant expression.
  Result<void> constant(const Instr& instr);

  const Module& module_;
  std::vector<bool> declared_;  ///< functions that ref.func may name
  FunctionValidator expressions_;
  uint32_t visible_globals_ = 0;  ///< to constant expressions: the globals before the one that is checked
};

Error invalid(std::string cause, uint64_t offset) {
  if (offset == 0) offset = Error::kNoOffset;
  return {Phase::Validate, std::move(cause), offset};
}

std::string numbered(std::string_view what, uint64_t index) {
  std::string text(what);
  text += ' ';
  text += std::to_string(index);
  return text;
}

Error unknown_type(ValType type, uint64_t offset) {
  return invalid(numbered("unknown type", type_index(type)), offset);
}

/// A guest's name in a message: bounded, and without anything that could confuse a terminal.
std::string quoted(std::string_view text) {
  constexpr size_t kShown = 80;
  std::string result = "\"";
  for (const char c : text.substr(0, kShown)) result += c >= 0x20 && c < 0x7F && c != '"' ? c : '?';
  result += text.size() > kShown ? "…\"" : "\"";
  return result;
}

/// Null if the limits are valid.
const char* limits_fault(const Limits& limits, uint64_t bound, const char* out_of_bound) {
  if (limits.min > bound || limits.max.value_or(0) > bound) return out_of_bound;
  if (limits.max && limits.min > *limits.max) return "size minimum must not be greater than maximum";
  return nullptr;
}

Result<void> ModuleValidator::run() {
  CHIWAWA_TRY(types());
  CHIWAWA_TRY(functions());
  CHIWAWA_TRY(tags());
  CHIWAWA_TRY(tables());
  CHIWAWA_TRY(memories());
  CHIWAWA_TRY(globals());
  CHIWAWA_TRY(exports());
  CHIWAWA_TRY(start());
  CHIWAWA_TRY(elems());
  CHIWAWA_TRY(datas());
  return bodies();
}

Result<void> ModuleValidator::types() const {
  if (module_.types.size() > kMaxTypes) {
    return invalid("more than " + std::to_string(kMaxTypes) + " types are not supported", module_.section_offsets[1]);
  }
  std::vector<uint32_t> depths(module_.types.size());
  for (uint32_t i = 0; i < module_.types.size(); ++i) {
    if (const std::string fault = type_fault(i, depths); !fault.empty()) {
      return invalid(numbered("type", i) + ": " + fault, module_.section_offsets[1]);
    }
  }
  return {};
}

std::string ModuleValidator::type_fault(uint32_t index, std::vector<uint32_t>& depths) const {
  const TypeDef& type = module_.types[index];
  if (type.func.params.size() > kMaxArity || type.func.results.size() > kMaxArity) {
    return "more than " + std::to_string(kMaxArity) + " parameters or results are not supported";
  }
  if (type.fields.size() > kMaxFields) {
    return "more than " + std::to_string(kMaxFields) + " fields are not supported";
  }
  const auto known = [&](ValType t) { return !is_defined(t) || type_index(t) < type.group_end; };
  for (const ValType param : type.func.params) {
    if (!known(param)) return numbered("unknown type", type_index(param));
  }
  for (const ValType result : type.func.results) {
    if (!known(result)) return numbered("unknown type", type_index(result));
  }
  for (const FieldType& field : type.fields) {
    if (!known(field.storage)) return numbered("unknown type", type_index(field.storage));
  }
  if (type.supers.empty()) return {};
  if (type.supers.size() > 1) return "sub type with several supertypes";
  const uint32_t super_index = type.supers[0];
  if (super_index >= index) return numbered("unknown type", super_index) + ": supertypes come before their subtypes";
  const TypeDef& super = module_.types[super_index];
  if (super.is_final) return numbered("sub type of the final type", super_index);
  depths[index] = depths[super_index] + 1;
  if (depths[index] > TypeSpace::kMaxDepth) {
    return "more than " + std::to_string(TypeSpace::kMaxDepth) + " levels of subtypes are not supported";
  }
  bool fits = type.kind == super.kind && type.fields.size() >= super.fields.size() &&
              module_.types.matches(type.func, super.func);
  for (size_t i = 0; fits && i < super.fields.size(); ++i) {
    fits = module_.types.matches(type.fields[i], super.fields[i]);
  }
  return fits ? std::string() : numbered("sub type does not match its supertype", super_index);
}

Result<void> ModuleValidator::functions() const {
  for (uint32_t i = 0; i < module_.functions.size(); ++i) {
    if (!module_.types.is(module_.functions[i], TypeDef::Kind::Func)) {
      return invalid(numbered("unknown type", module_.functions[i]) + numbered(" of function", i),
                     module_.place(ExternKind::Func, i));
    }
  }
  return {};
}

Result<void> ModuleValidator::tags() const {
  for (uint32_t i = 0; i < module_.tags.size(); ++i) {
    const uint32_t type = module_.tags[i].type_index;
    if (!module_.types.is(type, TypeDef::Kind::Func)) {
      return invalid(numbered("unknown type", type) + numbered(" of tag", i), module_.place(ExternKind::Tag, i));
    }
    if (!module_.types.func(type).results.empty()) {
      return invalid("non-empty tag result type" + numbered(" (tag", i) + ")", module_.place(ExternKind::Tag, i));
    }
  }
  return {};
}

Result<void> ModuleValidator::tables() {
  if (module_.tables.size() > kMaxTables) {
    return invalid("more than " + std::to_string(kMaxTables) + " tables are not supported",
                   module_.place(ExternKind::Table, kMaxTables));
  }
  // Their initial values see the imported globals only, which come before them.
  visible_globals_ = module_.imported_globals;
  for (uint32_t i = 0; i < module_.tables.size(); ++i) {
    const TableType& type = module_.tables[i].type;
    if (!exists(type.element)) return unknown_type(type.element, module_.place(ExternKind::Table, i));
    const ConstExpr init = module_.tables[i].init;
    if (init.size() != 0) CHIWAWA_TRY(const_expr(init, type.element));
    if (init.size() == 0 && i >= module_.imported_tables && !is_defaultable(type.element)) {
      return invalid("type mismatch: a table of references that cannot be null needs an initial value",
                     module_.place(ExternKind::Table, i));
    }
    if (const char* cause = limits_fault(type.limits, type.address == ValType::I64 ? UINT64_MAX : UINT32_MAX,
                                         "table size must be less than 2^32 elements")) {
      return invalid(cause + numbered(" (table", i) + ")", module_.place(ExternKind::Table, i));
    }
  }
  return {};
}

Result<void> ModuleValidator::memories() const {
  if (module_.memories.size() > kMaxMemories) {
    return invalid("more than " + std::to_string(kMaxMemories) + " memories are not supported",
                   module_.place(ExternKind::Memory, kMaxMemories));
  }
  for (uint32_t i = 0; i < module_.memories.size(); ++i) {
    const MemoryType& type = module_.memories[i];
    const bool is_64 = type.address == ValType::I64;
    const bool is_custom = type.page_exponent != kPageSizeExponent;
    const auto refuse = [&](const char* cause) { return invalid(cause, module_.place(ExternKind::Memory, i)); };
    if (is_custom && type.page_exponent != 0) return refuse("invalid custom page size: neither 1 byte nor 64 KiB");
    if (type.is_shared && !type.limits.max) return refuse("shared memory must have maximum");
    if (const char* cause = limits_fault(type.limits, max_declared_pages(type),
                                         is_custom ? "memory size must be at most 2^32 - 1 pages of 1 byte"
                                         : is_64   ? "memory size must be at most 2^48 pages"
                                                   : "memory size must be at most 65536 pages (4 GiB)")) {
      return refuse(cause);
    }
  }
  return {};
}

Result<void> ModuleValidator::globals() {
  for (uint32_t i = 0; i < module_.globals.size(); ++i) {
    const ValType type = module_.globals[i].type.type;
    if (!exists(type)) return unknown_type(type, module_.place(ExternKind::Global, i));
  }
  for (uint32_t i = module_.imported_globals; i < module_.globals.size(); ++i) {
    visible_globals_ = i;
    CHIWAWA_TRY(const_expr(module_.globals[i].init, module_.globals[i].type.type));
  }
  visible_globals_ = static_cast<uint32_t>(module_.globals.size());
  return {};
}

Result<void> ModuleValidator::exports() {
  for (const Export& item : module_.exports) {
    size_t size = 0;
    switch (item.kind) {
      case ExternKind::Func: size = module_.functions.size(); break;
      case ExternKind::Table: size = module_.tables.size(); break;
      case ExternKind::Memory: size = module_.memories.size(); break;
      case ExternKind::Global: size = module_.globals.size(); break;
      case ExternKind::Tag: size = module_.tags.size(); break;
    }
    if (item.index >= size) {
      std::string cause = "unknown ";
      cause += name(item.kind);
      return invalid(numbered(cause, item.index) + " in export " + quoted(item.name), item.offset);
    }
    if (item.kind == ExternKind::Func) declared_[item.index] = true;
  }
  std::vector<const Export*> sorted;
  sorted.reserve(module_.exports.size());
  for (const Export& item : module_.exports) sorted.push_back(&item);
  std::sort(sorted.begin(), sorted.end(), [](const Export* a, const Export* b) {
    return a->name != b->name ? a->name < b->name : a->offset < b->offset;
  });
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end(),
                                        [](const Export* a, const Export* b) { return a->name == b->name; });
  if (twice != sorted.end()) return invalid("duplicate export name " + quoted((*twice)->name), twice[1]->offset);
  return {};
}

Result<void> ModuleValidator::start() const {
  if (!module_.start) return {};
  const uint64_t offset = module_.section_offsets[8];
  if (*module_.start >= module_.functions.size()) return invalid(numbered("unknown function", *module_.start), offset);
  const FuncType& type = module_.function_type(*module_.start);
  if (!type.params.empty() || !type.results.empty()) {
    return invalid("start function must have the type [] -> [], not " + name(type), offset);
  }
  return {};
}

Result<void> ModuleValidator::elems() {
  for (const ElemSegment& segment : module_.elems) {
    if (!exists(segment.type)) return unknown_type(segment.type, segment.position);
    if (segment.mode == SegmentMode::Active) {
      if (segment.table_index >= module_.tables.size()) {
        return invalid(numbered("unknown table", segment.table_index), segment.position);
      }
      if (!module_.types.matches(segment.type, module_.tables[segment.table_index].type.element)) {
        return invalid("type mismatch: the element segment's type is not the table's", segment.position);
      }
      CHIWAWA_TRY(const_expr(segment.offset, module_.tables[segment.table_index].type.address));
    }
    for (const uint32_t index : segment.function_indices) {
      if (index >= module_.functions.size()) return invalid(numbered("unknown function", index), segment.position);
      declared_[index] = true;
    }
    for (const ConstExpr expr : segment.expressions) CHIWAWA_TRY(const_expr(expr, segment.type));
  }
  return {};
}

Result<void> ModuleValidator::datas() {
  for (const DataSegment& segment : module_.datas) {
    if (segment.mode != SegmentMode::Active) continue;
    if (segment.memory_index >= module_.memories.size()) {
      return invalid(numbered("unknown memory", segment.memory_index), segment.offset.begin);
    }
    CHIWAWA_TRY(const_expr(segment.offset, module_.memories[segment.memory_index].address));
  }
  return {};
}

Result<void> ModuleValidator::bodies() {
  for (uint32_t i = module_.imported_functions; i < module_.functions.size(); ++i) CHIWAWA_TRY(expressions_.check(i));
  return {};
}

Result<void> ModuleValidator::const_expr(ConstExpr expr, ValType expected) {
  InstrReader reader(module_.bytes, expr);
  Instr instr;
  Error error;
  while (!reader.at_end()) {
    if (!reader.read(instr, error)) return error;
    CHIWAWA_TRY(constant(instr));
  }
  return expressions_.check_constant(expr, expected);
}

Result<void> ModuleValidator::constant(const Instr& instr) {
  switch (instr.opcode) {
    case Opcode::end:
    case Opcode::i32_const:
    case Opcode::i64_const:
    case Opcode::f32_const:
    case Opcode::f64_const:
    case Opcode::v128_const:
    case Opcode::i32_add:
    case Opcode::i32_sub:
    case Opcode::i32_mul:
    case Opcode::i64_add:
    case Opcode::i64_sub:
    case Opcode::i64_mul:
    case Opcode::ref_null:
    case Opcode::ref_i31:
    case Opcode::struct_new:
    case Opcode::struct_new_default:
    case Opcode::array_new:
    case Opcode::array_new_default:
    case Opcode::array_new_fixed:
    case Opcode::any_convert_extern:
    case Opcode::extern_convert_any: return {};
    case Opcode::ref_func:
      if (instr.index < module_.functions.size()) declared_[instr.index] = true;
      return {};
    case Opcode::global_get:
      if (instr.index >= module_.globals.size()) return {};
      if (instr.index >= visible_globals_) {
        return invalid(numbered("unknown global", instr.index) + ": constant expressions see earlier globals only",
                       instr.offset);
      }
      if (module_.globals[instr.index].type.is_mutable) {
        return invalid(numbered("constant expression required: mutable global", instr.index), instr.offset);
      }
      return {};
    default: {
      std::string cause = "constant expression required, found ";
      cause += name(instr.opcode);
      return invalid(std::move(cause), instr.offset);
    }
  }
}

}  // namespace

Result<void> validate(const Module& module, FeatureSet enabled) {
  CHIWAWA_TRY(ModuleValidator(module).run());
  return enabled == FeatureSet::all() ? Result<void>() : check_features(module, enabled);
}

}  // namespace chiwawa
