// Validation of instructions on structs and arrays; a part of FunctionValidator.
// https://webassembly.github.io/spec/core/valid/instructions.html#aggregate-instructions
#include <ranges>

#include "interp/validate_function.hpp"

namespace chiwawa {

namespace {

/// array.new_fixed takes no more operands: a few bytes of code could ask for billions.
constexpr uint32_t kMaxFixedElements = 10'000;

}  // namespace

bool FunctionValidator::aggregate() {
  constexpr ValType i32 = ValType::I32;
  constexpr auto kStruct = TypeDef::Kind::Struct;
  constexpr auto kArray = TypeDef::Kind::Array;
  const uint32_t index = instr_.index;
  const ValType ref = defined_ref(index, true);
  const auto fields = [&]() -> const std::vector<FieldType>& { return module_.types[index].fields; };
  const auto element = [&] { return unpacked(fields()[0].storage); };
  const auto is_mutable = [&] { return fields()[0].is_mutable || refuse("immutable array"); };
  const auto push_new = [&] {
    push(non_null(ref));
    return true;
  };
  const auto push_element = [&](bool packed) {
    if (is_packed(fields()[0].storage) != packed) {
      return refuse(std::string("type mismatch: the elements are ") + (packed ? "not " : "") + "packed");
    }
    if (!pop(i32) || !pop(ref)) return false;
    push(element());
    return true;
  };
  switch (instr_.opcode) {
    case Opcode::struct_new:
      if (!type(index, kStruct)) return false;
      for (const FieldType& field : std::views::reverse(fields())) {
        if (!pop(unpacked(field.storage))) return false;
      }
      return push_new();
    case Opcode::struct_new_default:
      if (!type(index, kStruct)) return false;
      for (const FieldType& field : fields()) {
        if (!is_defaultable(field.storage)) return refuse("type mismatch: a field has no default value");
      }
      return push_new();
    case Opcode::struct_get:
    case Opcode::struct_get_s:
    case Opcode::struct_get_u: return struct_field(false);
    case Opcode::struct_set: return struct_field(true);

    case Opcode::array_new: return type(index, kArray) && pop(i32) && pop(element()) && push_new();
    case Opcode::array_new_default:
      if (!type(index, kArray)) return false;
      if (!is_defaultable(element())) return refuse("type mismatch: the elements have no default value");
      return pop(i32) && push_new();
    case Opcode::array_new_fixed:
      if (!type(index, kArray)) return false;
      if (instr_.index2 > kMaxFixedElements) {
        return refuse("array.new_fixed with more than " + std::to_string(kMaxFixedElements) +
                      " operands is not supported");
      }
      for (uint32_t i = 0; i < instr_.index2; ++i) {
        if (!pop(element())) return false;
      }
      return push_new();
    case Opcode::array_new_data: return type(index, kArray) && array_data() && pop(i32) && pop(i32) && push_new();
    case Opcode::array_new_elem: return type(index, kArray) && array_elem() && pop(i32) && pop(i32) && push_new();
    case Opcode::array_get: return type(index, kArray) && push_element(false);
    case Opcode::array_get_s:
    case Opcode::array_get_u: return type(index, kArray) && push_element(true);
    case Opcode::array_set: return type(index, kArray) && is_mutable() && pop(element()) && pop(i32) && pop(ref);
    case Opcode::array_len:
      if (!pop(ValType::ArrayRef)) return false;
      push(i32);
      return true;
    case Opcode::array_fill:
      return type(index, kArray) && is_mutable() && pop(i32) && pop(element()) && pop(i32) && pop(ref);
    case Opcode::array_copy: {
      if (!type(index, kArray) || !type(instr_.index2, kArray) || !is_mutable()) return false;
      if (!module_.types.matches(module_.types[instr_.index2].fields[0].storage, fields()[0].storage)) {
        return refuse("type mismatch: array types do not match");
      }
      return pop(i32) && pop(i32) && pop(defined_ref(instr_.index2, true)) && pop(i32) && pop(ref);
    }
    case Opcode::array_init_data:
      return type(index, kArray) && is_mutable() && array_data() && pop(i32) && pop(i32) && pop(i32) && pop(ref);
    case Opcode::array_init_elem:
      return type(index, kArray) && is_mutable() && array_elem() && pop(i32) && pop(i32) && pop(i32) && pop(ref);
    default: return refuse("illegal opcode");  // the list has no other row without a signature
  }
}

bool FunctionValidator::struct_field(bool is_set) {
  if (!type(instr_.index, TypeDef::Kind::Struct)) return false;
  const std::vector<FieldType>& fields = module_.types[instr_.index].fields;
  if (instr_.index2 >= fields.size()) return refuse("unknown field " + std::to_string(instr_.index2));
  const FieldType& field = fields[instr_.index2];
  const ValType ref = defined_ref(instr_.index, true);
  if (is_set) {
    if (!field.is_mutable) return refuse("immutable field");
    return pop(unpacked(field.storage)) && pop(ref);
  }
  if (is_packed(field.storage) == (instr_.opcode == Opcode::struct_get)) {
    return refuse(std::string("type mismatch: the field is ") + (is_packed(field.storage) ? "" : "not ") + "packed");
  }
  if (!pop(ref)) return false;
  push(unpacked(field.storage));
  return true;
}

bool FunctionValidator::array_data() {
  if (!data_count() || !data(instr_.index2)) return false;
  if (!is_ref(module_.types[instr_.index].fields[0].storage)) return true;
  return refuse("type mismatch: the elements are references, not numbers or vectors");
}

bool FunctionValidator::array_elem() {
  if (!elem(instr_.index2)) return false;
  if (module_.types.matches(module_.elems[instr_.index2].type, module_.types[instr_.index].fields[0].storage)) {
    return true;
  }
  return refuse("type mismatch: the element segment's type is not that of the elements");
}

}  // namespace chiwawa
