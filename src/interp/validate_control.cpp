// Validation of blocks, branches, calls and exceptions; a part of FunctionValidator.
// https://webassembly.github.io/spec/core/valid/instructions.html#control-instructions
#include <algorithm>

#include "interp/validate_function.hpp"

namespace chiwawa {

bool FunctionValidator::block() {
  if (instr_.block.kind == BlockType::Kind::TypeIndex && !type(instr_.block.type_index, TypeDef::Kind::Func)) {
    return false;
  }
  if (instr_.block.kind == BlockType::Kind::Value && !value_type(instr_.block.value)) return false;
  if (instr_.opcode == Opcode::if_ && !pop(ValType::I32)) return false;
  const Types operands = params(instr_.block);
  if (!pop(operands)) return false;
  switch (instr_.opcode) {
    case Opcode::loop: enter(Part::Loop, instr_.block, operands); break;
    case Opcode::if_: enter(Part::If, instr_.block, operands); break;
    case Opcode::try_: enter(Part::Try, instr_.block, operands); break;
    default: enter(Part::Block, instr_.block, operands); break;
  }
  return true;
}

bool FunctionValidator::try_table() {
  // Its labels are those outside of it.
  bool good = true;
  size_t most = 0;
  reader_.for_each_catch(instr_, [&](const CatchClause& clause) {
    if (!good) return;
    good = (clause.any_tag || tag(clause.tag_index)) && label(clause.label);
    if (!good) return;
    std::vector<ValType> carried;
    if (!clause.any_tag) carried = module_.tag_type(clause.tag_index).params;
    if (clause.with_ref) carried.push_back(non_null(ValType::ExnRef));
    most = std::max(most, carried.size());
    if (!module_.types.matches(carried, label_types(target(clause.label)))) {
      good = refuse("type mismatch: the label of a catch clause takes other operands than the exception has");
    }
  });
  // What is caught arrives on top of the operands that the block leaves alone.
  if (good && height_ + most > max_height_) return too_large();
  return good && block();
}

bool FunctionValidator::end_part(Control& done) {
  done = controls_.back();
  if (!pop(results(done.type))) return false;
  if (height_ != base_) {
    return refuse("type mismatch: " + std::to_string(height_ - base_) + " operands too many at the end of the block");
  }
  if (done.part == Part::Catch || done.part == Part::CatchAll) --height_;
  while (initialized_order_.size() > done.initialized) {
    initialized_.erase(initialized_order_.back());
    initialized_order_.pop_back();
  }
  controls_.pop_back();
  return true;
}

bool FunctionValidator::else_() {
  if (controls_.back().part != Part::If) {
    error_ = {Phase::Decode, "END opcode expected: else without if", instr_.offset};
    return false;
  }
  Control done;
  if (!end_part(done)) return false;
  enter(Part::Block, done.type, params(done.type));
  return true;
}

bool FunctionValidator::catch_clause(Types operands) {
  const Part part = controls_.back().part;
  if (part != Part::Try && part != Part::Catch) {
    error_ = {Phase::Decode, "END opcode expected: catch without try", instr_.offset};
    return false;
  }
  Control done;
  if (!end_part(done)) return false;
  // The exception itself is an operand that only `rethrow` sees (schema/FORMAT.md).
  push(ValType::ExnRef);
  enter(instr_.opcode == Opcode::catch_ ? Part::Catch : Part::CatchAll, done.type, operands);
  return true;
}

bool FunctionValidator::end() {
  Control done;
  if (!end_part(done)) return false;
  if (done.part == Part::If && !module_.types.matches(params(done.type), results(done.type))) {
    // The missing `else` passes the parameters on.
    return refuse("type mismatch: if without else must have the same parameters and results");
  }
  if (!controls_.empty()) {
    base_ = controls_.back().height;
    unreachable_ = controls_.back().unreachable;
  }
  push(results(done.type));
  return true;
}

bool FunctionValidator::delegate() {
  if (controls_.back().part != Part::Try) {
    error_ = {Phase::Decode, "END opcode expected: delegate without try", instr_.offset};
    return false;
  }
  // The label is counted from outside of the block that this ends.
  if (uint64_t{instr_.index} + 1 >= controls_.size()) return refuse("unknown label " + std::to_string(instr_.index));
  return end();
}

bool FunctionValidator::br(uint32_t index) {
  if (!label(index) || !pop(label_types(target(index)))) return false;
  set_unreachable();
  return true;
}

bool FunctionValidator::br_if(uint32_t index) {
  if (!label(index) || !pop(ValType::I32)) return false;
  const Types types = label_types(target(index));
  if (!pop(types)) return false;
  push(types);
  return true;
}

bool FunctionValidator::br_table() {
  if (!pop(ValType::I32)) return false;
  // A table names few different labels, mostly: each is compared once.
  size_t arity = 0;
  bool first = true;
  bool good = true;
  reader_.for_each_label(instr_, [&](uint32_t index) {
    if (!good) return;
    good = label(index);
    if (!good) return;
    Control& control = target(index);
    if (control.checked == instr_.offset) return;
    control.checked = instr_.offset;
    const Types types = label_types(control);
    if (!first && types.size() != arity) {
      good = refuse("type mismatch: br_table has labels of " + std::to_string(arity) + " and of " +
                    std::to_string(types.size()) + " operands");
      return;
    }
    first = false;
    arity = types.size();
    good = top_is(types);
  });
  if (!good) return false;
  set_unreachable();
  return true;
}

bool FunctionValidator::branch_with_ref(ValType operand, ValType taken, ValType passed) {
  if (!label(instr_.index)) return false;
  const Types types = label_types(target(instr_.index));
  if (types.empty() || !module_.types.matches(taken, types.back())) {
    return refuse("type mismatch: " + std::string(name(instr_.opcode)) + " branches with " + name(taken) +
                  ", which its label does not take");
  }
  const Types others = types.first(types.size() - 1);
  if (!pop(operand) || !pop(others)) return false;
  push(others);
  if (passed != kUnknown) push(passed);
  return true;
}

bool FunctionValidator::br_on_null() {
  ValType ref;
  if (!label(instr_.index) || !pop_ref(ref)) return false;
  const Types types = label_types(target(instr_.index));
  if (!pop(types)) return false;
  push(types);
  push(non_null(ref));
  return true;
}

bool FunctionValidator::br_on_non_null() {
  ValType ref;
  if (!pop_ref(ref)) return false;
  push(ref);
  return branch_with_ref(ref, non_null(ref), kUnknown);
}

bool FunctionValidator::cast_branch() {
  const ValType from = instr_.cast_from;
  const ValType to = instr_.ref_type;
  if (!value_type(from) || !value_type(to)) return false;
  if (!module_.types.matches(to, from)) return mismatch(from, to);
  // What is no `to`: null is not among it if `to` has it.
  const ValType rest = is_nullable(to) ? non_null(from) : from;
  return instr_.opcode == Opcode::br_on_cast ? branch_with_ref(from, to, rest) : branch_with_ref(from, rest, to);
}

bool FunctionValidator::call(const FuncType& type) {
  if (!pop(type.params)) return false;
  push(type.results);
  return true;
}

bool FunctionValidator::tail_call(const FuncType& type) {
  if (!module_.types.matches(Types(type.results), type_->results)) {
    return refuse("type mismatch: the function called last returns other types than the caller");
  }
  if (!pop(type.params)) return false;
  set_unreachable();
  return true;
}

bool FunctionValidator::indirect_callee() {
  if (!table(instr_.index2) || !type(instr_.index, TypeDef::Kind::Func)) return false;
  if (!module_.types.matches(module_.tables[instr_.index2].type.element, ValType::FuncRef)) {
    return refuse("type mismatch: an indirect call needs a table of functions");
  }
  return pop(module_.tables[instr_.index2].type.address);
}

void FunctionValidator::enter(Part part, BlockType type, Types operands) {
  controls_.push_back({.type = type,
                       .height = static_cast<uint16_t>(height_),
                       .part = part,
                       .initialized = static_cast<uint32_t>(initialized_order_.size())});
  base_ = height_;
  unreachable_ = false;
  push(operands);
}

void FunctionValidator::set_unreachable() {
  height_ = base_;
  controls_.back().unreachable = unreachable_ = true;
}

FunctionValidator::Types FunctionValidator::label_types(const Control& control) {
  return control.part == Part::Loop ? params(control.type) : results(control.type);
}

FunctionValidator::Types FunctionValidator::params(BlockType type) const {
  return type.kind == BlockType::Kind::TypeIndex ? Types(module_.types.func(type.type_index).params) : Types{};
}

FunctionValidator::Types FunctionValidator::results(BlockType type) {
  switch (type.kind) {
    case BlockType::Kind::Empty: break;
    case BlockType::Kind::Value: return singles_.of(type.value);
    case BlockType::Kind::TypeIndex: return module_.types.func(type.type_index).results;
  }
  return {};
}

}  // namespace chiwawa
