// References, structs and arrays.
#include "interp/compiler.hpp"

namespace chiwawa {

uint16_t Compiler::temporary() {
  const uint16_t slot = next_home();
  frame_slots = std::max(frame_slots, slot + 1u);
  return slot;
}

Compiler::Condition Compiler::when_nonzero(uint16_t slot) {
  return {SlotOp::br_nonzero, SlotOp::br_nonzero_p, SlotOp::br_zero, SlotOp::br_zero_p, slot};
}

Compiler::Condition Compiler::when_zero(uint16_t slot) {
  return {SlotOp::br_zero, SlotOp::br_zero_p, SlotOp::br_nonzero, SlotOp::br_nonzero_p, slot};
}

void Compiler::compile_br_on_null(const Instr& instr) {
  StackEntry ref = pop();
  // The slot behind the reference's home, which stays where it is.
  push(ref);
  const uint16_t result = temporary();
  emit(SlotOp::is_null, result, slot_of(stack_.back()));
  pop();
  compile_br_if(instr.index, when_nonzero(result));
  if (ref.place == StackEntry::Place::Constant) ref.place = StackEntry::Place::Home;  // slot_of has put it there
  ref.type = non_null(ref.type);
  push(ref);
}

void Compiler::compile_br_on_non_null(const Instr& instr) {
  retype_top(non_null(stack_.back().type));
  const uint16_t result = temporary();
  emit(SlotOp::is_null, result, slot_of(stack_.back()));
  compile_br_if(instr.index, when_zero(result));
  pop();
}

void Compiler::compile_br_on_cast(const Instr& instr) {
  const bool on_fail = instr.opcode == Opcode::br_on_cast_fail;
  const ValType rest = is_nullable(instr.ref_type) ? non_null(instr.cast_from) : instr.cast_from;
  const uint16_t result = temporary();
  emit(SlotOp::ref_test_type, result, slot_of(stack_.back()), 0, 0, closed(instr.ref_type));
  retype_top(on_fail ? rest : instr.ref_type);
  compile_br_if(instr.index, on_fail ? when_zero(result) : when_nonzero(result));
  retype_top(on_fail ? instr.ref_type : rest);
}

uint16_t Compiler::access_of(ValType storage, bool is_signed) {
  const auto number = [](FieldAccess access) { return static_cast<uint16_t>(access); };
  switch (storage) {
    case ValType::I8: return number(is_signed ? FieldAccess::S8 : FieldAccess::U8);
    case ValType::I16: return number(is_signed ? FieldAccess::S16 : FieldAccess::U16);
    case ValType::I32:
    case ValType::F32: return number(FieldAccess::Word);
    case ValType::V128: return number(FieldAccess::Pair);
    default: return number(FieldAccess::Slot);
  }
}

void Compiler::compile_new(const Instr& instr, SlotOp op, size_t operands, uint32_t more) {
  const uint16_t first = pop_contiguous(operands);
  const uint16_t d = push_result(defined_ref(instr.index, false));
  emit(op, d, first, static_cast<uint16_t>(more), static_cast<uint16_t>(more >> 16), instance_.type_ids[instr.index]);
}

void Compiler::compile_field(const Instr& instr) {
  const FieldType& field = module_.types[instr.index].fields[instr.index2];
  const uint32_t offset = layout_of(instr.index).offsets[instr.index2];
  const uint16_t access = access_of(field.storage, instr.opcode == Opcode::struct_get_s);
  if (instr.opcode == Opcode::struct_set) {
    const uint16_t b = pop_slot(), a = pop_slot();
    emit(SlotOp::struct_store, 0, a, b, access, offset);
  } else {
    const uint16_t a = pop_slot();
    const uint16_t d = push_result(unpacked(field.storage));
    emit(SlotOp::struct_load, d, a, 0, access, offset);
  }
}

void Compiler::compile_element(const Instr& instr) {
  const ValType storage = module_.types[instr.index].fields[0].storage;
  const uint16_t access = access_of(storage, instr.opcode == Opcode::array_get_s);
  if (instr.opcode == Opcode::array_set) {
    const uint16_t b = pop_slot(), a = pop_slot(), d = pop_slot();
    emit(SlotOp::array_store, d, a, b, access);
  } else {
    const uint16_t b = pop_slot(), a = pop_slot();
    const uint16_t d = push_result(unpacked(storage));
    emit(SlotOp::array_load, d, a, b, access);
  }
}

void Compiler::compile_array_bulk(SlotOp op, size_t operands, uint32_t bytes_per_unit, uint32_t imm) {
  settle_top(operands);
  const uint16_t count = home(stack_.back());
  pop_to(height() - static_cast<uint32_t>(operands));
  emit(op, 0, next_home(), 0, 0, imm);
  if (options_.polls) emit(SlotOp::charge, 0, count, 0, 0, bytes_per_unit);
}

void Compiler::compile_aggregate(const Instr& instr) {
  switch (instr.opcode) {
    case Opcode::ref_eq: {
      const uint16_t b = pop_slot(), a = pop_slot();
      const uint16_t d = push_result(ValType::I32);
      emit(SlotOp::ref_equal, d, a, b);
      return;
    }
    case Opcode::ref_as_non_null:
      emit(SlotOp::check_non_null, 0, slot_of(stack_.back()));
      retype_top(non_null(stack_.back().type));
      return;
    case Opcode::ref_test:
    case Opcode::ref_test_null: {
      const uint16_t a = pop_slot();
      const uint16_t d = push_result(ValType::I32);
      emit(SlotOp::ref_test_type, d, a, 0, 0, closed(instr.ref_type));
      return;
    }
    case Opcode::ref_cast:
    case Opcode::ref_cast_null:
      emit(SlotOp::ref_cast_type, 0, slot_of(stack_.back()), 0, 0, closed(instr.ref_type));
      retype_top(instr.ref_type);
      return;
    // A reference is the same on both sides.
    case Opcode::any_convert_extern: return convert_top(ValType::AnyRef);
    case Opcode::extern_convert_any: return convert_top(ValType::ExternRef);
    case Opcode::ref_i31: {
      const uint16_t a = pop_slot();
      const uint16_t d = push_result(non_null(ValType::I31Ref));
      emit(SlotOp::i31_make, d, a);
      return;
    }
    case Opcode::i31_get_s:
    case Opcode::i31_get_u: {
      const uint16_t a = pop_slot();
      const uint16_t d = push_result(ValType::I32);
      emit(SlotOp::i31_value, d, a, instr.opcode == Opcode::i31_get_s);
      return;
    }

    case Opcode::struct_new: compile_new(instr, SlotOp::struct_make, layout_of(instr.index).fields.size(), 1); return;
    case Opcode::struct_new_default: compile_new(instr, SlotOp::struct_make, 0, 0); return;
    case Opcode::struct_get:
    case Opcode::struct_get_s:
    case Opcode::struct_get_u:
    case Opcode::struct_set: compile_field(instr); return;

    case Opcode::array_new: compile_new(instr, SlotOp::array_make, 2, 1); return;
    case Opcode::array_new_default: compile_new(instr, SlotOp::array_make, 1, 0); return;
    case Opcode::array_new_fixed: compile_new(instr, SlotOp::array_make_fixed, instr.index2, instr.index2); return;
    case Opcode::array_new_data: compile_new(instr, SlotOp::array_make_data, 2, instr.index2); return;
    case Opcode::array_new_elem: compile_new(instr, SlotOp::array_make_elem, 2, instr.index2); return;
    case Opcode::array_get:
    case Opcode::array_get_s:
    case Opcode::array_get_u:
    case Opcode::array_set: compile_element(instr); return;
    case Opcode::array_len: {
      const uint16_t a = pop_slot();
      const uint16_t d = push_result(ValType::I32);
      emit(SlotOp::array_length, d, a);
      return;
    }
    case Opcode::array_fill: compile_array_bulk(SlotOp::array_fill_range, 4, layout_of(instr.index).bytes); return;
    case Opcode::array_copy: compile_array_bulk(SlotOp::array_copy_range, 5, layout_of(instr.index).bytes); return;
    case Opcode::array_init_data:
      compile_array_bulk(SlotOp::array_init_from_data, 4, layout_of(instr.index).bytes, instr.index2);
      return;
    case Opcode::array_init_elem: compile_array_bulk(SlotOp::array_init_from_elem, 4, 8, instr.index2); return;

    default: assert(false); return;  // every other row has a shape
  }
}

}  // namespace chiwawa
