// View: what a monitor sees of the machine before an instruction. Everything in it is for reading only, and only until
// the callback that was given it returns.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interp/executor.hpp"
#include "interp/instr_reader.hpp"
#include "interp/memory_access.hpp"
#include "interp/store.hpp"

namespace chiwawa {

/// An instruction at which monitors look, and the types of the operands there.
struct ProbeSite {
  Instr instr;
  uint32_t watchers = 0;  ///< bits: positions of monitors
  uint32_t first_type = 0;
  uint32_t operand_count = 0;
};

/// What the compiler knows about a function with instrumentation; belongs to a Code.
struct Probes {
  std::vector<ProbeSite> sites;
  std::vector<ValType> types;          ///< of the sites' operands; equal beginnings are shared
  std::vector<ValType> locals;         ///< as the module declares them, parameters first
  std::vector<uint32_t> cell_offsets;  ///< by cell: module offset of its instruction
  /// Where a frame stands that has not told anybody that it was entered; none: no frame ever does.
  std::optional<uint32_t> entry_position;
};

class View {
 public:
  /// `fp` is the frame of `code`, which stands before the site's instruction.
  View(const Context& ctx, const Code& code, const ProbeSite& site, const uint64_t* fp)
      : ctx_(ctx), code_(code), site_(site), fp_(fp) {}

  const Store& store() const { return *ctx_.store; }
  const Instance& instance() const { return *code_.instance; }
  const Module& module() const { return *code_.instance->module; }
  /// The function that the instruction belongs to.
  FuncAddr function_address() const { return code_.function; }
  const FuncInst& function() const { return store()[code_.function]; }
  uint32_t function_index() const { return function().function_index; }
  /// The name section's name, else an export's, else "func[12]".
  std::string function_name() const { return module().function_name(function_index()); }

  /// The instruction that is executed next, with its immediates.
  const Instr& instr() const { return site_.instr; }
  /// Its first byte's offset in the module.
  uint32_t offset() const { return site_.instr.offset; }

  uint32_t operand_count() const { return site_.operand_count; }
  /// The operand `depth` below the top of the stack; 0 is the topmost. Requires depth < operand_count().
  Value operand(uint32_t depth) const;
  uint32_t local_count() const { return static_cast<uint32_t>(code_.probes->locals.size()); }
  /// Requires index < local_count().
  Value local(uint32_t index) const;
  uint32_t global_count() const { return static_cast<uint32_t>(instance().globals.size()); }
  /// Requires index < global_count().
  Value global(uint32_t index) const;
  /// The bytes of a memory of the instance. Requires that it has this memory.
  std::span<const uint8_t> memory(uint32_t index = 0) const;

  /// Calls f(Value) for every operand, bottom first; for every local; for every global.
  template <typename F>
  void for_each_operand(F f) const {
    const Probes& probes = *code_.probes;
    for_each_value(std::span(probes.types).subspan(site_.first_type, site_.operand_count), fp_ + code_.local_slots, f);
  }
  template <typename F>
  void for_each_local(F f) const {
    for_each_value(code_.probes->locals, fp_, f);
  }
  template <typename F>
  void for_each_global(F f) const {
    for (uint32_t i = 0; i < global_count(); ++i) f(global(i));
  }

  /// What the instruction reads or writes in memory, if it is one that does: also if that is out of bounds.
  std::optional<MemoryRange> access() const;

  /// Frames of guest functions, this one included. Takes time linear in it only if there are several instances.
  uint32_t call_depth() const;

 private:
  template <typename F>
  void for_each_value(std::span<const ValType> types, const uint64_t* slot, F f) const {
    for (const ValType type : types) {
      f(load_value(top(type), slot));
      slot += slots_of(type);
    }
  }
  ValType top(ValType type) const { return is_ref(type) ? module().types.top(type) : type; }

  const Context& ctx_;
  const Code& code_;
  const ProbeSite& site_;
  const uint64_t* fp_;
};

}  // namespace chiwawa
