#include "interp/validate_function.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <utility>

#include "interp/validate.hpp"

namespace chiwawa {

namespace {

/// The instructions whose effect on the operand stack is the same wherever they stand: rows of opcodes.def say it.
struct Signature {
  enum class Kind : uint8_t {
    Other,
    Numeric1,
    Numeric2,
    Numeric3,
    Load,
    Store,
    Shift,      ///< a vector and an i32
    Extract,    ///< a lane of a vector
    Replace,    ///< a vector and `operand`, which becomes a lane
    LoadLane,   ///< as Load, into a lane of a vector
    StoreLane,  ///< as Store, a lane of a vector
    Wide2,      ///< as Numeric2, with two results
    Wide4,      ///< as Wide2, of four operands
    AtomicLoad,
    AtomicStore,
    AtomicRmw,      ///< an address and a value, gives a value
    AtomicCmpxchg,  ///< an address and two values, gives a value
  } kind = Kind::Other;
  ValType operand{};
  ValType result{};
  uint8_t natural_align = 0;  ///< exponent of two
  uint8_t lanes = 0;          ///< the immediate is less
};

constexpr uint8_t exponent(size_t size) { return static_cast<uint8_t>(std::countr_zero(size)); }

constexpr std::array<Signature, kOpcodeRows> kSignatures = [] {
  std::array<Signature, kOpcodeRows> table{};
  using Kind = Signature::Kind;
#define NUMERIC1(code, id, text, operand, result) \
  table[row_of(Opcode::id)] = {Kind::Numeric1, ValType::operand, ValType::result, 0};
#define NUMERIC2(code, id, text, operand, result) \
  table[row_of(Opcode::id)] = {Kind::Numeric2, ValType::operand, ValType::result, 0};
#define NUMERIC1_TRAPS(code, id, text, operand, result) \
  table[row_of(Opcode::id)] = {Kind::Numeric1, ValType::operand, ValType::result, 0};
#define NUMERIC2_TRAPS(code, id, text, operand, result) \
  table[row_of(Opcode::id)] = {Kind::Numeric2, ValType::operand, ValType::result, 0};
#define WIDE2(code, id, text) table[row_of(Opcode::id)] = {Kind::Wide2, ValType::I64, ValType::I64};
#define WIDE4(code, id, text) table[row_of(Opcode::id)] = {Kind::Wide4, ValType::I64, ValType::I64};
#define CHIWAWA_ATOMIC(id, kind, type, storage) \
  table[row_of(Opcode::id)] = {Kind::kind, ValType::type, ValType::type, exponent(sizeof(storage))};
#define ATOMIC_LOAD(code, id, text, type, storage) CHIWAWA_ATOMIC(id, AtomicLoad, type, storage)
#define ATOMIC_STORE(code, id, text, type, storage) CHIWAWA_ATOMIC(id, AtomicStore, type, storage)
#define ATOMIC_RMW(code, id, text, type, storage, operation) CHIWAWA_ATOMIC(id, AtomicRmw, type, storage)
#define ATOMIC_CMPXCHG(code, id, text, type, storage) CHIWAWA_ATOMIC(id, AtomicCmpxchg, type, storage)
#define LOAD(code, id, text, type, storage) \
  table[row_of(Opcode::id)] = {Kind::Load, ValType::I32, ValType::type, exponent(sizeof(storage))};
#define STORE(code, id, text, type, storage) \
  table[row_of(Opcode::id)] = {Kind::Store, ValType::type, ValType{}, exponent(sizeof(storage))};
#define CHIWAWA_VECTOR(id, kind, operand, result, ...) \
  table[row_of(Opcode::id)] = {Kind::kind, ValType::operand, ValType::result __VA_OPT__(, ) __VA_ARGS__};
#define SIMD1(code, id, text) CHIWAWA_VECTOR(id, Numeric1, V128, V128)
#define SIMD2(code, id, text) CHIWAWA_VECTOR(id, Numeric2, V128, V128)
#define SIMD3(code, id, text) CHIWAWA_VECTOR(id, Numeric3, V128, V128)
#define SIMD_SHIFT(code, id, text) CHIWAWA_VECTOR(id, Shift, V128, V128)
#define SIMD_TEST(code, id, text) CHIWAWA_VECTOR(id, Numeric1, V128, I32)
#define SIMD_SPLAT(code, id, text, type) CHIWAWA_VECTOR(id, Numeric1, type, V128)
#define SIMD_EXTRACT(code, id, text, type, lanes) CHIWAWA_VECTOR(id, Extract, V128, type, 0, lanes)
#define SIMD_REPLACE(code, id, text, type, lanes) CHIWAWA_VECTOR(id, Replace, type, V128, 0, lanes)
#define SIMD_LOAD(code, id, text, bytes) CHIWAWA_VECTOR(id, Load, I32, V128, exponent(bytes))
#define SIMD_STORE(code, id, text, bytes) CHIWAWA_VECTOR(id, Store, V128, V128, exponent(bytes))
#define SIMD_LOAD_LANE(code, id, text, bytes, lanes) CHIWAWA_VECTOR(id, LoadLane, V128, V128, exponent(bytes), lanes)
#define SIMD_STORE_LANE(code, id, text, bytes, lanes) CHIWAWA_VECTOR(id, StoreLane, V128, V128, exponent(bytes), lanes)
#include "interp/opcodes.def"
#undef CHIWAWA_VECTOR
#undef CHIWAWA_ATOMIC
  return table;
}();

std::string unknown(std::string_view what, uint32_t index) {
  std::string text = "unknown ";
  text += what;
  text += ' ';
  text += std::to_string(index);
  return text;
}

}  // namespace

FunctionValidator::FunctionValidator(const Module& module, const std::vector<bool>& declared)
    : module_(module), declared_(declared), reader_({}, {}), stack_(kMaxFrameSlots + kMaxArity + 1) {}

Result<void> FunctionValidator::check(uint32_t function_index) {
  if (expression(module_.function_type(function_index), module_.body(function_index),
                 {BlockType::Kind::TypeIndex, {}, module_.functions[function_index]})) {
    return {};
  }
  error_.cause += " (function " + std::to_string(function_index) + ")";
  return std::move(error_);
}

Result<void> FunctionValidator::check_constant(ConstExpr expr, ValType type) {
  static const FuncType kNoFunction;
  FunctionBody body;
  body.code = expr;
  if (expression(kNoFunction, body, {BlockType::Kind::Value, type, 0})) return {};
  return std::move(error_);
}

bool FunctionValidator::expression(const FuncType& type, const FunctionBody& body, BlockType block_type) {
  type_ = &type;
  reader_ = InstrReader(module_.bytes, body.code);
  instr_.offset = body.code.begin;
  if (body.code.end - body.code.begin > kMaxFunctionBytes) {
    return refuse("function too large: more than " + std::to_string(kMaxFunctionBytes) + " bytes are not supported");
  }
  uint64_t local_slots = slots_of(type_->params);
  for (const LocalRun& run : body.locals) {
    if (!value_type(run.type)) return false;
    local_slots += uint64_t{run.count} * slots_of(run.type);
  }
  if (local_slots > kMaxFrameSlots) {
    return refuse("too many locals: more than " + std::to_string(kMaxFrameSlots) + " are not supported");
  }
  locals_.assign(type, body);
  // As if every operand were a vector of two slots: counting their kinds would cost more than it is worth.
  max_height_ = (kMaxFrameSlots - static_cast<uint32_t>(local_slots)) / 2;
  height_ = 0;
  controls_.clear();
  initialized_.clear();
  initialized_order_.clear();
  // The body is a block whose parameters are locals already: branches to it return.
  controls_.push_back({.type = block_type});
  base_ = 0;
  unreachable_ = false;
  while (!controls_.empty()) {
    if (reader_.at_end()) {
      // A body that lacks its `end` is malformed, not invalid.
      error_ = {Phase::Decode, "unexpected end of section or function: END opcode expected", body.code.end};
      return false;
    }
    if (!reader_.read(instr_, error_)) return false;
    if (!instruction()) return false;
    if (height_ > max_height_) return too_large();
  }
  if (!reader_.at_end()) {
    error_ = {Phase::Decode, "END opcode expected: code after the end of the function", reader_.position()};
    return false;
  }
  return true;
}

bool FunctionValidator::instruction() {
  const Signature& signature = kSignatures[row_of(instr_.opcode)];
  switch (signature.kind) {
    case Signature::Kind::Numeric1:
      if (height_ > base_ && stack_[height_ - 1] == signature.operand) {
        stack_[height_ - 1] = signature.result;
        return true;
      }
      if (!pop(signature.operand)) return false;
      push(signature.result);
      return true;
    case Signature::Kind::Numeric2:
      if (!pop(signature.operand) || !pop(signature.operand)) return false;
      push(signature.result);
      return true;
    case Signature::Kind::Numeric3:
      if (!pop(signature.operand) || !pop(signature.operand) || !pop(signature.operand)) return false;
      push(signature.result);
      return true;
    case Signature::Kind::Load: return memory_access(signature.result, signature.natural_align, false);
    case Signature::Kind::Store: return memory_access(signature.operand, signature.natural_align, true);
    case Signature::Kind::Shift:
      if (!pop(ValType::I32) || !pop(signature.operand)) return false;
      push(signature.result);
      return true;
    case Signature::Kind::Extract:
      if (!lane(signature.lanes) || !pop(signature.operand)) return false;
      push(signature.result);
      return true;
    case Signature::Kind::Replace:
      if (!lane(signature.lanes) || !pop(signature.operand) || !pop(signature.result)) return false;
      push(signature.result);
      return true;
    case Signature::Kind::LoadLane:
      return lane(signature.lanes) && pop(signature.operand) &&
             memory_access(signature.result, signature.natural_align, false);
    case Signature::Kind::StoreLane:
      return lane(signature.lanes) && memory_access(signature.operand, signature.natural_align, true);
    case Signature::Kind::Wide4:
      if (!pop(signature.operand) || !pop(signature.operand)) return false;
      [[fallthrough]];
    case Signature::Kind::Wide2:
      if (!pop(signature.operand) || !pop(signature.operand)) return false;
      push(signature.result);
      push(signature.result);
      return true;
    case Signature::Kind::AtomicLoad:
      if (!atomic_access(signature.natural_align, {})) return false;
      push(signature.result);
      return true;
    case Signature::Kind::AtomicStore: return atomic_access(signature.natural_align, {signature.operand});
    case Signature::Kind::AtomicRmw:
      if (!atomic_access(signature.natural_align, {signature.operand})) return false;
      push(signature.result);
      return true;
    case Signature::Kind::AtomicCmpxchg:
      if (!atomic_access(signature.natural_align, {signature.operand, signature.operand})) return false;
      push(signature.result);
      return true;
    case Signature::Kind::Other: break;
  }

  constexpr ValType i32 = ValType::I32;
  switch (instr_.opcode) {
    // Control
    case Opcode::nop: return true;
    case Opcode::unreachable: set_unreachable(); return true;
    case Opcode::block:
    case Opcode::loop:
    case Opcode::try_:
    case Opcode::if_: return block();
    case Opcode::else_: return else_();
    case Opcode::end: return end();
    case Opcode::try_table: return try_table();
    case Opcode::catch_: return tag(instr_.index) && catch_clause(module_.tag_type(instr_.index).params);
    case Opcode::catch_all: return catch_clause({});
    case Opcode::delegate: return delegate();
    case Opcode::throw_:
      if (!tag(instr_.index) || !pop(module_.tag_type(instr_.index).params)) return false;
      set_unreachable();
      return true;
    case Opcode::throw_ref:
      if (!pop(ValType::ExnRef)) return false;
      set_unreachable();
      return true;
    case Opcode::rethrow:
      if (!label(instr_.index)) return false;
      if (const Part part = target(instr_.index).part; part != Part::Catch && part != Part::CatchAll) {
        return refuse("invalid rethrow label: not that of a catch");
      }
      set_unreachable();
      return true;
    case Opcode::br: return br(instr_.index);
    case Opcode::br_if: return br_if(instr_.index);
    case Opcode::br_table: return br_table();
    case Opcode::return_: return br(static_cast<uint32_t>(controls_.size()) - 1);
    case Opcode::call: return function(instr_.index) && call(module_.function_type(instr_.index));
    case Opcode::call_indirect: return indirect_callee() && call(module_.types.func(instr_.index));
    case Opcode::return_call: return function(instr_.index) && tail_call(module_.function_type(instr_.index));
    case Opcode::return_call_indirect: return indirect_callee() && tail_call(module_.types.func(instr_.index));
    case Opcode::call_ref:
      return type(instr_.index, TypeDef::Kind::Func) && pop(defined_ref(instr_.index, true)) &&
             call(module_.types.func(instr_.index));
    case Opcode::return_call_ref:
      return type(instr_.index, TypeDef::Kind::Func) && pop(defined_ref(instr_.index, true)) &&
             tail_call(module_.types.func(instr_.index));
    case Opcode::br_on_null: return br_on_null();
    case Opcode::br_on_non_null: return br_on_non_null();
    case Opcode::br_on_cast:
    case Opcode::br_on_cast_fail: return cast_branch();

    // Reference
    case Opcode::ref_null:
      if (!value_type(instr_.ref_type)) return false;
      push(instr_.ref_type);
      return true;
    case Opcode::ref_is_null: {
      ValType actual;
      if (!pop_ref(actual)) return false;
      push(i32);
      return true;
    }
    case Opcode::ref_as_non_null: {
      ValType actual;
      if (!pop_ref(actual)) return false;
      push(non_null(actual));
      return true;
    }
    case Opcode::ref_eq:
      if (!pop(ValType::EqRef) || !pop(ValType::EqRef)) return false;
      push(i32);
      return true;
    case Opcode::ref_test:
    case Opcode::ref_test_null:
      if (!value_type(instr_.ref_type) || !pop(module_.types.top(instr_.ref_type))) return false;
      push(i32);
      return true;
    case Opcode::ref_cast:
    case Opcode::ref_cast_null:
      if (!value_type(instr_.ref_type) || !pop(module_.types.top(instr_.ref_type))) return false;
      push(instr_.ref_type);
      return true;
    case Opcode::any_convert_extern: return convert(ValType::ExternRef, ValType::AnyRef);
    case Opcode::extern_convert_any: return convert(ValType::AnyRef, ValType::ExternRef);
    case Opcode::ref_i31:
      if (!pop(i32)) return false;
      push(non_null(ValType::I31Ref));
      return true;
    case Opcode::i31_get_s:
    case Opcode::i31_get_u:
      if (!pop(ValType::I31Ref)) return false;
      push(i32);
      return true;
    case Opcode::ref_func:
      if (!function(instr_.index)) return false;
      if (!declared_[instr_.index]) {
        return refuse("undeclared function reference " + std::to_string(instr_.index) +
                      ": no export, element segment or global names the function");
      }
      push(defined_ref(module_.functions[instr_.index], false));
      return true;

    // Parametric
    case Opcode::drop: {
      ValType any;
      return pop_any(any);
    }
    case Opcode::select: return select();
    case Opcode::select_t:
      if (instr_.select_count != 1) return refuse("invalid result arity: select has exactly one result");
      if (!value_type(instr_.ref_type) || !pop(i32) || !pop(instr_.ref_type) || !pop(instr_.ref_type)) return false;
      push(instr_.ref_type);
      return true;

    // Variable
    case Opcode::local_get: return local_get();
    case Opcode::local_set: return local_set();
    case Opcode::local_tee:
      if (!local_set()) return false;
      push(locals_[instr_.index]);
      return true;
    case Opcode::global_get:
      if (!global(instr_.index)) return false;
      push(module_.globals[instr_.index].type.type);
      return true;
    case Opcode::global_set:
      if (!global(instr_.index)) return false;
      if (!module_.globals[instr_.index].type.is_mutable) {
        return refuse("immutable global " + std::to_string(instr_.index) + " cannot be set");
      }
      return pop(module_.globals[instr_.index].type.type);

    // Table
    case Opcode::table_get:
      if (!table(instr_.index) || !pop(module_.tables[instr_.index].type.address)) return false;
      push(module_.tables[instr_.index].type.element);
      return true;
    case Opcode::table_set:
      return table(instr_.index) && pop(module_.tables[instr_.index].type.element) &&
             pop(module_.tables[instr_.index].type.address);
    case Opcode::table_init: return table_init();
    case Opcode::elem_drop: return elem(instr_.index);
    case Opcode::table_copy: return table_copy();
    case Opcode::table_grow:
      if (!table(instr_.index) || !pop(module_.tables[instr_.index].type.address) ||
          !pop(module_.tables[instr_.index].type.element)) {
        return false;
      }
      push(module_.tables[instr_.index].type.address);
      return true;
    case Opcode::table_size:
      if (!table(instr_.index)) return false;
      push(module_.tables[instr_.index].type.address);
      return true;
    case Opcode::table_fill: {
      if (!table(instr_.index)) return false;
      const TableType& type = module_.tables[instr_.index].type;
      return pop(type.address) && pop(type.element) && pop(type.address);
    }

    // Memory
    case Opcode::memory_size:
      if (!memory(instr_.index)) return false;
      push(module_.memories[instr_.index].address);
      return true;
    case Opcode::memory_grow:
      if (!memory(instr_.index) || !pop(module_.memories[instr_.index].address)) return false;
      push(module_.memories[instr_.index].address);
      return true;
    case Opcode::memory_init:
      return data_count() && memory(instr_.index2) && data(instr_.index) && pop(i32) && pop(i32) &&
             pop(module_.memories[instr_.index2].address);
    case Opcode::data_drop: return data_count() && data(instr_.index);
    case Opcode::memory_copy: {
      if (!memory(instr_.index) || !memory(instr_.index2)) return false;
      const ValType to = module_.memories[instr_.index].address;
      const ValType from = module_.memories[instr_.index2].address;
      return pop(smaller_address(to, from)) && pop(from) && pop(to);
    }
    case Opcode::memory_fill: {
      if (!memory(instr_.index)) return false;
      const ValType address = module_.memories[instr_.index].address;
      return pop(address) && pop(i32) && pop(address);
    }

    // Atomic
    case Opcode::atomic_fence: return true;
    case Opcode::memory_atomic_notify:
      if (!atomic_access(2, {i32})) return false;
      push(i32);
      return true;
    case Opcode::memory_atomic_wait32:
      if (!atomic_access(2, {ValType::I64, i32})) return false;
      push(i32);
      return true;
    case Opcode::memory_atomic_wait64:
      if (!atomic_access(3, {ValType::I64, ValType::I64})) return false;
      push(i32);
      return true;

    // Constants
    case Opcode::i32_const: push(i32); return true;
    case Opcode::i64_const: push(ValType::I64); return true;
    case Opcode::f32_const: push(ValType::F32); return true;
    case Opcode::f64_const: push(ValType::F64); return true;
    case Opcode::v128_const: push(ValType::V128); return true;

    // Vectors
    case Opcode::i8x16_shuffle:
      for (uint64_t half : {instr_.vector.low, instr_.vector.high}) {
        constexpr uint64_t kBeyond31 = 0xE0E0'E0E0'E0E0'E0E0;
        if ((half & kBeyond31) != 0) return refuse("invalid lane index: a shuffle has 32 lanes to choose from");
      }
      if (!pop(ValType::V128) || !pop(ValType::V128)) return false;
      push(ValType::V128);
      return true;

    default: return aggregate();
  }
}

bool FunctionValidator::select() {
  ValType second;
  ValType first;
  if (!pop(ValType::I32) || !pop_any(second) || !pop_any(first)) return false;
  if (is_ref(first) || is_ref(second)) return refuse("type mismatch: select of references must name their type");
  if (first != second && first != kUnknown && second != kUnknown) return mismatch(first, second);
  push(first == kUnknown ? second : first);
  return true;
}

bool FunctionValidator::memory_access(ValType type, uint32_t natural_align, bool is_store) {
  if (!memory(instr_.index)) return false;
  const ValType address = module_.memories[instr_.index].address;
  if (instr_.align > natural_align) return refuse("alignment must not be larger than natural");
  if (address == ValType::I32 && instr_.mem_offset > UINT32_MAX) return refuse("offset out of range");
  if (is_store) return pop(type) && pop(address);
  if (!pop(address)) return false;
  push(type);
  return true;
}

bool FunctionValidator::atomic_access(uint32_t natural_align, std::initializer_list<ValType> values) {
  if (!memory(instr_.index)) return false;
  const ValType address = module_.memories[instr_.index].address;
  if (instr_.align != natural_align) return refuse("atomic alignment must be natural");
  if (address == ValType::I32 && instr_.mem_offset > UINT32_MAX) return refuse("offset out of range");
  for (const ValType type : values) {
    if (!pop(type)) return false;
  }
  return pop(address);
}

bool FunctionValidator::table_init() {
  if (!table(instr_.index2) || !elem(instr_.index)) return false;
  if (!module_.types.matches(module_.elems[instr_.index].type, module_.tables[instr_.index2].type.element)) {
    return refuse("type mismatch: the element segment's type is not the table's");
  }
  return pop(ValType::I32) && pop(ValType::I32) && pop(module_.tables[instr_.index2].type.address);
}

bool FunctionValidator::table_copy() {
  if (!table(instr_.index) || !table(instr_.index2)) return false;
  if (!module_.types.matches(module_.tables[instr_.index2].type.element, module_.tables[instr_.index].type.element)) {
    return refuse("type mismatch: the tables have different types");
  }
  const ValType to = module_.tables[instr_.index].type.address;
  const ValType from = module_.tables[instr_.index2].type.address;
  return pop(smaller_address(to, from)) && pop(from) && pop(to);
}

bool FunctionValidator::lane(uint8_t count) {
  return instr_.lane < count || refuse("invalid lane index " + std::to_string(instr_.lane));
}

bool FunctionValidator::label(uint32_t index) { return index < controls_.size() || refuse(unknown("label", index)); }

bool FunctionValidator::local(uint32_t index) { return index < locals_.size() || refuse(unknown("local", index)); }

bool FunctionValidator::function(uint32_t index) {
  return index < module_.functions.size() || refuse(unknown("function", index));
}

bool FunctionValidator::table(uint32_t index) {
  return index < module_.tables.size() || refuse(unknown("table", index));
}

bool FunctionValidator::memory(uint32_t index) {
  return index < module_.memories.size() || refuse(unknown("memory", index));
}

bool FunctionValidator::global(uint32_t index) {
  return index < module_.globals.size() || refuse(unknown("global", index));
}

bool FunctionValidator::elem(uint32_t index) {
  return index < module_.elems.size() || refuse(unknown("elem segment", index));
}

bool FunctionValidator::data_count() {
  if (module_.data_count) return true;
  // A rule of the binary format.
  error_ = {Phase::Decode, "data count section required", instr_.offset};
  return false;
}

bool FunctionValidator::data(uint32_t index) {
  return index < module_.datas.size() || refuse(unknown("data segment", index));
}

bool FunctionValidator::tag(uint32_t index) { return index < module_.tags.size() || refuse(unknown("tag", index)); }

bool FunctionValidator::type(uint32_t index, TypeDef::Kind kind) {
  if (index >= module_.types.size()) return refuse(unknown("type", index));
  if (module_.types.is(index, kind)) return true;
  constexpr const char* kKinds[] = {"function", "struct", "array"};
  return refuse("type mismatch: type " + std::to_string(index) + " is no " + kKinds[static_cast<uint8_t>(kind)] +
                " type");
}

bool FunctionValidator::value_type(ValType type) {
  if (!is_defined(type) || type_index(type) < module_.types.size()) return true;
  return refuse(unknown("type", type_index(type)));
}

void FunctionValidator::push(Types types) {
  // Empty lists have no address, which memcpy must not see.
  if (!types.empty()) std::memcpy(&stack_[height_], types.data(), types.size_bytes());
  height_ += static_cast<uint32_t>(types.size());
}

bool FunctionValidator::pop_any(ValType& actual) {
  if (height_ > base_) {
    actual = stack_[--height_];
    return true;
  }
  actual = kUnknown;
  return unreachable_ || refuse("type mismatch: " + std::string(name(instr_.opcode)) + " finds no operand");
}

bool FunctionValidator::pop(ValType expected) {
  if (height_ <= base_) return unreachable_ || underflow(expected);
  const ValType actual = stack_[--height_];
  return actual == expected || actual == kUnknown || module_.types.matches(actual, expected) ||
         mismatch(expected, actual);
}

bool FunctionValidator::pop_ref(ValType& actual) {
  if (!pop_any(actual)) return false;
  if (actual == kUnknown) actual = kBottomRef;
  if (is_ref(actual)) return true;
  return refuse("type mismatch: " + std::string(name(instr_.opcode)) + " expects a reference, found " + name(actual));
}

bool FunctionValidator::pop(Types expected) {
  if (!top_is(expected)) return false;
  height_ -= std::min(static_cast<uint32_t>(expected.size()), height_ - base_);
  return true;
}

bool FunctionValidator::top_is(Types expected) {
  const uint32_t available = height_ - base_;
  const auto count = static_cast<uint32_t>(expected.size());
  if (count == 0) return true;
  if (available >= count && std::memcmp(&stack_[height_ - count], expected.data(), expected.size_bytes()) == 0) {
    return true;
  }
  for (uint32_t i = 1; i <= count; ++i) {
    const ValType wanted = expected[count - i];
    if (i > available) return unreachable_ || underflow(wanted);
    const ValType actual = stack_[height_ - i];
    if (actual != kUnknown && !module_.types.matches(actual, wanted)) return mismatch(wanted, actual);
  }
  return true;
}

bool FunctionValidator::local_get() {
  if (!local(instr_.index)) return false;
  const ValType type = locals_[instr_.index];
  if (!is_defaultable(type) && instr_.index >= type_->params.size() && !initialized_.contains(instr_.index)) {
    return refuse("uninitialized local " + std::to_string(instr_.index));
  }
  push(type);
  return true;
}

bool FunctionValidator::local_set() {
  if (!local(instr_.index)) return false;
  const ValType type = locals_[instr_.index];
  if (!pop(type)) return false;
  if (!is_defaultable(type) && initialized_.insert(instr_.index).second) initialized_order_.push_back(instr_.index);
  return true;
}

bool FunctionValidator::convert(ValType from, ValType to) {
  ValType actual;
  if (!pop_ref(actual)) return false;
  if (!module_.types.matches(actual, from)) return mismatch(from, actual);
  push(is_nullable(actual) ? to : non_null(to));
  return true;
}

bool FunctionValidator::refuse(std::string cause) {
  error_ = {Phase::Validate, std::move(cause), instr_.offset};
  return false;
}

bool FunctionValidator::too_large() {
  return refuse("frame too large: more than " + std::to_string(kMaxFrameSlots) +
                " locals and operands are not supported");
}

bool FunctionValidator::mismatch(ValType expected, ValType actual) {
  std::string cause = "type mismatch: ";
  cause += name(instr_.opcode);
  cause += " expects ";
  cause += name(expected);
  cause += ", found ";
  cause += name(actual);
  return refuse(std::move(cause));
}

bool FunctionValidator::underflow(ValType expected) {
  std::string cause = "type mismatch: ";
  cause += name(instr_.opcode);
  cause += " expects ";
  cause += name(expected);
  cause += ", but the block has no more operands";
  return refuse(std::move(cause));
}

}  // namespace chiwawa
