// Code: our own compact form of one function body. A cache: never saved, free to change in every release.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "interp/types.hpp"

namespace chiwawa {

struct Instance;
struct Probes;

/// What compile() inserts besides the program itself.
struct CompileOptions {
  /// Count polls (function entries, loop heads reached by branches backwards) against the budget.
  bool polls = false;
  /// Count every step against the budget and be able to stop before each.
  bool exact = false;
  /// Arithmetic gives the positive canonical NaN wherever the specification lets it give one of several.
  bool canonical_nans = false;
  // Machine sets these.
  /// Operands and results pass in accumulators, for a dispatcher that has them.
  bool accumulators = false;
  /// With `exact`: branches, calls and returns count the steps, which then are known at sync points only.
  bool counting = false;
  /// Every instruction becomes operations of its own: for comparing with what they are together.
  bool no_fusion = false;
};

/// One slot instruction. Operands are slots relative to the frame; what each member means is the operation's affair.
struct Cell {
  uint32_t op = 0;  ///< SlotOp
  uint16_t d = 0;
  uint16_t a = 0;
  uint16_t b = 0;
  uint16_t c = 0;
  uint32_t imm = 0;

  /// b and c as one number of 32 bits.
  uint32_t bc() const { return at_b<uint32_t>(); }
  void set_bc(uint32_t number) { set_at_b(number); }
  /// b, c and imm as one number of 64 bits.
  uint64_t wide() const { return at_b<uint64_t>(); }
  void set_wide(uint64_t number) { set_at_b(number); }

 private:
  template <typename T>
  T at_b() const {
    T number;
    std::memcpy(&number, reinterpret_cast<const char*>(this) + 8, sizeof number);
    return number;
  }
  template <typename T>
  void set_at_b(T number) {
    std::memcpy(reinterpret_cast<char*>(this) + 8, &number, sizeof number);
  }
};
static_assert(sizeof(Cell) == 16 && offsetof(Cell, b) == 8);

/// What becomes of an exception with a certain tag, or any.
struct CatchTarget {
  bool any_tag = false;
  bool with_ref = false;   ///< the reference to the exception is stored, too
  bool ref_first = false;  ///< before the exception's values, not behind them
  uint16_t slot = 0;       ///< where the first goes
  uint32_t tag_index = 0;
  uint32_t cell = 0;   ///< where execution goes on
  uint32_t steps = 0;  ///< as SyncSteps has them
};

/// In code that counts: how many steps are before a sync point, in the order of the code.
struct SyncSteps {
  uint32_t cell = 0;
  uint32_t steps = 0;
  /// Whether there is a step behind it before an else, a catch or the function's end: that step's position is its own.
  bool stops = false;
};

/// Cells whose exceptions are looked at by the same clauses.
struct TryRegion {
  static constexpr uint32_t kNone = ~uint32_t{0};
  uint32_t outer = kNone;  ///< the region that gets what no clause takes; kNone: the caller
  std::vector<CatchTarget> clauses;
};

/// The cells from `cell` on, up to the next start, are in that region, or in none.
struct RegionStart {
  uint32_t cell = 0;
  uint32_t region = TryRegion::kNone;
};

/// Which slots of a frame hold references to objects, besides locals, at the places where a collection can happen.
struct RefMap {
  struct Place {
    uint32_t cell = 0;
    uint32_t first = 0;  ///< in `slots`
    uint32_t count = 0;
  };
  bool complete = false;
  std::vector<uint16_t> locals;     ///< slots
  std::vector<Place> instructions;  ///< by cell: from there to the next entry
  std::vector<Place> returns;       ///< by cell: behind a call, without its operands and results
  std::vector<uint16_t> slots;
};

/// One function instance's code. Exists from the function's allocation on; until the first call `cells` points to a
/// stub that compiles it.
struct Code {
  const Cell* cells = nullptr;
  uint32_t frame_slots = 0;  ///< locals and operands
  uint32_t param_slots = 0;
  uint32_t local_slots = 0;    ///< parameters included; 0 before it is compiled
  bool has_step = false;       ///< whether it can be stopped in at all (schema/FORMAT.md, steps)
  bool stops_at_entry = true;  ///< whether also before anything of it is executed
  FuncAddr function{};
  Instance* instance = nullptr;

  std::vector<Cell> storage{};
  /// Module offsets at which a restored frame begins: nothing is fused across them. Sorted.
  std::vector<uint32_t> barriers{};
  std::vector<TryRegion> regions{};
  std::vector<RegionStart> region_starts{};  ///< by cell
  std::vector<SyncSteps> sync_steps{};       ///< by cell
  std::shared_ptr<const Probes> probes{};    ///< only with instrumentation
  mutable RefMap refs{};                     ///< made by the first collection that needs it
};

}  // namespace chiwawa
