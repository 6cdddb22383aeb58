#include "inspect/stack.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "interp/instr_reader.hpp"

namespace chiwawa::inspect {

namespace {

/// Positions in one module.
struct Places {
  std::set<uint32_t> next;     ///< of instructions
  std::set<uint32_t> calling;  ///< behind calls
};

std::string index_text(const Instr& instr) { return " " + std::to_string(instr.index); }

std::string constant(ValType type, uint64_t bits) { return " " + number({type, bits}); }

std::string text(const Instr& instr, const Module& module) {
  std::string mnemonic(name(instr.opcode));
  switch (immediates(instr.opcode)) {
    case Immediates::FuncIndex:
      if (instr.index >= module.functions.size()) return mnemonic + index_text(instr);
      return mnemonic + " " + printable(module.function_name(instr.index));
    case Immediates::CallIndirect:
      if (!module.types.is(instr.index, TypeDef::Kind::Func)) return mnemonic;
      return mnemonic + " " + name(module.types.func(instr.index));
    case Immediates::LabelIndex:
    case Immediates::LocalIndex:
    case Immediates::GlobalIndex:
    case Immediates::TableIndex:
    case Immediates::ElemIndex:
    case Immediates::TypeIndex:
    case Immediates::TypeCount:
    case Immediates::TypeData:
    case Immediates::TypeElem:
    case Immediates::TypeType:
    case Immediates::TagIndex:
    case Immediates::DataIndex: return mnemonic + index_text(instr);
    case Immediates::TypeField: return mnemonic + index_text(instr) + " " + std::to_string(instr.index2);
    case Immediates::RefType:
    case Immediates::CastType: return mnemonic + " " + name(instr.ref_type);
    case Immediates::CastBranch:
      return mnemonic + index_text(instr) + " " + name(instr.cast_from) + " " + name(instr.ref_type);
    case Immediates::MemArg:
      return instr.mem_offset == 0 ? mnemonic : mnemonic + " offset=" + std::to_string(instr.mem_offset);
    case Immediates::I32Const: return mnemonic + constant(ValType::I32, instr.bits);
    case Immediates::I64Const: return mnemonic + constant(ValType::I64, instr.bits);
    case Immediates::F32Const: return mnemonic + constant(ValType::F32, instr.bits);
    case Immediates::F64Const: return mnemonic + constant(ValType::F64, instr.bits);
    case Immediates::V128Const: return mnemonic + " " + number({ValType::V128, instr.vector.low, instr.vector.high});
    case Immediates::Lane: return mnemonic + " " + std::to_string(instr.lane);
    default: return mnemonic;
  }
}

/// The instructions at, or before, the places: each function with places in it is read once.
class Instructions {
 public:
  Instructions(const Module& module, const Places& places) {
    for (const FunctionBody& body : module.bodies) {
      const auto from = std::min(first(places.next, body), first(places.calling, body));
      if (from >= body.code.end) continue;
      InstrReader reader(module.bytes, body.code);
      while (!reader.at_end()) {
        const Result<Instr> instr = reader.next();
        if (!instr) break;
        if (places.next.contains(instr->offset)) next_[instr->offset] = text(*instr, module);
        if (places.calling.contains(instr->end) && name(instr->opcode).find("call") != std::string_view::npos) {
          calls_[instr->end] = {instr->offset, text(*instr, module)};
        }
      }
    }
  }

  std::string next(uint32_t position) const {
    const auto found = next_.find(position);
    return found == next_.end() ? std::string() : found->second;
  }
  std::string call(uint32_t position) const {
    const auto found = calls_.find(position);
    return found == calls_.end() ? std::string() : found->second.second;
  }
  /// Where the instruction begins.
  uint32_t begin(uint32_t position, bool calling) const {
    const auto found = calls_.find(position);
    return calling && found != calls_.end() ? found->second.first : position;
  }

 private:
  static uint32_t first(const std::set<uint32_t>& places, const FunctionBody& body) {
    const auto found = places.lower_bound(body.code.begin);
    return found == places.end() ? body.code.end : *found;
  }

  std::map<uint32_t, std::string> next_;
  std::map<uint32_t, std::pair<uint32_t, std::string>> calls_;
};

}  // namespace

Stack stack_of(const Subject& subject, bool sources) {
  const MachineImage& machine = subject.records.machine;
  Stack stack;
  stack.omitted = machine.frames.size() - std::min(machine.frames.size(), Stack::kMaxFrames);
  std::map<const Module*, Places> places;
  size_t at = 0;
  for (size_t i = 0; i < machine.frames.size(); ++i) {
    const FrameImage& frame = machine.frames[i];
    if (i < stack.omitted) {
      at += size_t{frame.local_count} + frame.operand_count;
      continue;
    }
    FrameView view;
    view.depth = machine.frames.size() - 1 - i;
    view.function = raw(frame.function);
    view.position = frame.position;
    view.begin = frame.position;
    view.name = subject.names.function(view.function);
    view.calling = view.depth != 0 || machine.pending.has_value();
    view.locals = std::span(machine.values).subspan(at, frame.local_count);
    view.operands = std::span(machine.values).subspan(at + frame.local_count, frame.operand_count);
    at += size_t{frame.local_count} + frame.operand_count;
    if (const Module* module = subject.names.module_of(view.function)) {
      (view.calling ? places[module].calling : places[module].next).insert(view.position);
    }
    stack.frames.push_back(std::move(view));
  }
  std::reverse(stack.frames.begin(), stack.frames.end());

  for (const auto& [module, of_module] : places) {
    const Instructions instructions(*module, of_module);
    SourceLines lines;
    if (sources) {
      std::vector<uint32_t> offsets(of_module.next.begin(), of_module.next.end());
      for (const uint32_t position : of_module.calling) offsets.push_back(instructions.begin(position, true));
      lines = find_source_lines(*module, std::move(offsets));
      if (!lines.problem.empty()) stack.problems.push_back("source lines may be missing: " + lines.problem);
    }
    for (FrameView& view : stack.frames) {
      if (subject.names.module_of(view.function) != module) continue;
      view.instruction = view.calling ? instructions.call(view.position) : instructions.next(view.position);
      view.begin = instructions.begin(view.position, view.calling);
      const auto found = lines.by_offset.find(view.begin);
      if (found != lines.by_offset.end()) view.source = found->second;
    }
  }
  return stack;
}

std::string short_place(const SourceLine& source) {
  const size_t slash = source.file.find_last_of('/');
  std::string text = printable(slash == std::string::npos ? source.file : source.file.substr(slash + 1));
  text += ":" + std::to_string(source.line);
  if (source.column != 0) text += ":" + std::to_string(source.column);
  return text;
}

}  // namespace chiwawa::inspect
