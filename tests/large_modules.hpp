// Modules of any size, each large in another way: what takes time that is not proportional to the size shows in them.
#pragma once

#include <algorithm>
#include <vector>

#include "unit/module_bytes.hpp"

namespace chiwawa::test {

/// A module with one function without parameters, of about so many bytes, with one table and one global; what it does
/// ends soon.
struct LargeShape {
  const char* name;
  Bytes (*make)(size_t bytes);
};

namespace large {

constexpr uint8_t kUnreachable = 0x00, kBlock = 0x02, kLoop = 0x03, kIf = 0x04, kElse = 0x05, kEnd = 0x0B, kBr = 0x0C,
                  kBrIf = 0x0D, kBrTable = 0x0E, kReturn = 0x0F, kDrop = 0x1A, kLocalGet = 0x20, kLocalSet = 0x21,
                  kI32Const = 0x41, kI32Add = 0x6A, kEmpty = 0x40;

inline Bytes one_function(const Bytes& code, const Bytes& locals = {0}) {
  return function(func_type({}, {}), code, locals);
}

/// Small functions with some calls and locals; the first is called.
inline Bytes many_functions(size_t bytes) {
  const Bytes entry =
      body({kI32Const, 1,     kLocalSet, 0,    kLocalGet, 0,         kIf, kEmpty,    kBlock, kEmpty,  kLocalGet,
            0,         kBrIf, 0,         kEnd, kEnd,      kLocalGet, 0,   kI32Const, 3,      kI32Add, kDrop},
           {1, 2, kI32});
  const size_t count = std::max<size_t>(bytes / (entry.size() + 1), 1);
  return wasm_module({section(1, vec({func_type({}, {})})), section(3, join({leb(count), Bytes(count, 0)})),
                      section(10, join({leb(count), repeat(entry, count)}))});
}

inline Bytes deep_blocks(size_t bytes) {
  const size_t depth = bytes / 3;
  return one_function(join({repeat({kBlock, kEmpty}, depth), Bytes(depth, kEnd)}));
}

inline Bytes deep_loops(size_t bytes) {
  const size_t depth = bytes / 3;
  return one_function(join({repeat({kLoop, kEmpty}, depth), Bytes(depth, kEnd)}));
}

inline Bytes deep_ifs(size_t bytes) {
  const size_t depth = bytes / 6;
  return one_function(join({repeat({kI32Const, 1, kIf, kEmpty}, depth), repeat({kElse, kEnd}, depth)}));
}

/// Branches out of many blocks, to all of them.
inline Bytes branches_out(size_t bytes) {
  const size_t depth = bytes / 8;
  Bytes code = repeat({kBlock, kEmpty}, depth);
  for (size_t i = 0; i < depth; ++i) append(code, join({{kI32Const, 0, kBrIf}, leb((depth - i) / 2), {kEnd}}));
  return one_function(code);
}

/// Branches to one place.
inline Bytes branches_to_one_end(size_t bytes) {
  return one_function(join({{kBlock, kEmpty}, repeat({kI32Const, 0, kBrIf, 0}, bytes / 4), {kEnd}}));
}

/// All that fits onto the operand stack, and below it instructions that must not look at all of it.
inline Bytes many_operands(size_t bytes) {
  constexpr size_t kOperands = 20'000;
  return one_function(
      join({repeat({kI32Const, 1}, kOperands), repeat({kBlock, kEmpty, kI32Const, 0, kBrIf, 0, kEnd}, bytes / 7),
            Bytes(kOperands, kDrop)}));
}

/// Operands that stand for locals which change.
inline Bytes many_aliases(size_t bytes) {
  constexpr size_t kLocals = 10'000;
  Bytes part;
  for (size_t i = 0; i < kLocals; ++i) append(part, join({{kLocalGet}, leb(i)}));
  for (size_t i = 0; i < kLocals; ++i) append(part, join({{kI32Const, 1, kLocalSet}, leb(i)}));
  append(part, Bytes(kLocals, kDrop));
  return one_function(repeat(part, std::max<size_t>(bytes / part.size(), 1)), join({{1}, leb(kLocals), {kI32}}));
}

/// Locals in many runs, and blocks that must not look at all of them. Not nullable ones begin without a value.
inline Bytes many_locals(size_t bytes) {
  constexpr size_t kLocals = 50'000;
  constexpr uint8_t kRefFunc[] = {0x64, 0x70};
  Bytes locals = leb(kLocals);
  for (size_t i = 0; i < kLocals; ++i) append(locals, i % 2 == 0 ? Bytes{1, kI32} : Bytes{1, kRefFunc[0], kRefFunc[1]});
  return one_function(repeat({kBlock, kEmpty, kI32Const, 2, kLocalSet, 0, kEnd}, bytes / 7), locals);
}

/// Each block gives one of many locals a value that is forgotten at its end.
inline Bytes locals_set_in_blocks(size_t bytes) {
  constexpr size_t kLocals = 50'000;
  const Bytes locals = join({{1}, leb(kLocals), {0x63, 0x70}});  // (ref null func)
  Bytes code;
  for (size_t i = 0; code.size() < bytes; ++i) {
    append(code, join({{kBlock, kEmpty, 0xD0, 0x70, kLocalSet}, leb(i % kLocals), {kEnd}}));
  }
  return one_function(code, locals);
}

/// Small tables of branches inside many blocks.
inline Bytes tables_in_deep_blocks(size_t bytes) {
  const size_t depth = bytes / 6;
  Bytes code = repeat({kBlock, kEmpty}, depth);
  append(code, repeat({kBlock, kEmpty, kI32Const, 0, kBrTable, 0, 0, kEnd}, bytes / 16));
  return one_function(append(code, Bytes(depth, kEnd)));
}

/// One table of branches, to many labels.
inline Bytes one_large_table(size_t bytes) {
  constexpr size_t kDepth = 100;
  Bytes code = join({repeat({kBlock, kEmpty}, kDepth), {kI32Const, 7, kBrTable}, leb(bytes)});
  for (size_t i = 0; i <= bytes; ++i) code.push_back(static_cast<uint8_t>(i % kDepth));
  return one_function(append(code, Bytes(kDepth, kEnd)));
}

/// One table of branches to as many labels.
inline Bytes table_of_all_labels(size_t bytes) {
  const size_t depth = bytes / 7;
  Bytes code = join({repeat({kBlock, kEmpty}, depth), {kI32Const, 7, kBrTable}, leb(depth - 1)});
  for (size_t i = 0; i < depth; ++i) append(code, leb(i));
  return one_function(append(code, Bytes(depth, kEnd)));
}

/// Code that cannot be reached.
inline Bytes unreachable_code(size_t bytes) {
  return one_function(join({{kReturn}, repeat({kBlock, kEmpty, kUnreachable, kI32Add, kDrop, kEnd}, bytes / 6)}));
}

/// Branches with the most values there can be.
inline Bytes branches_with_values(size_t bytes) {
  constexpr size_t kValues = 1000;
  const Bytes type = func_type({}, Bytes(kValues, kI32));
  const Bytes code = join({{kBlock, 1},
                           repeat({kI32Const, 1}, kValues),
                           repeat({kI32Const, 0, kBrIf, 0}, bytes / 4),
                           {kEnd},
                           Bytes(kValues, kDrop)});
  return wasm_module({section(1, vec({func_type({}, {}), type})), section(3, {1, 0}), section(10, vec({body(code)}))});
}

inline Bytes many_types(size_t bytes) {
  const size_t count = std::min<size_t>(bytes / 5, 900'000);
  Bytes types = leb(count);
  for (size_t i = 0; i < count; ++i) append(types, func_type({}, i % 2 == 0 ? Bytes{} : Bytes{kI32}));
  return wasm_module({section(1, types), section(3, {1, 0}), section(10, vec({body({})}))});
}

inline Bytes many_exports(size_t bytes) {
  const size_t count = bytes / 12;
  Bytes exports = leb(count);
  for (size_t i = 0; i < count; ++i) append(exports, join({text("f" + std::to_string(1'000'000 + i)), {0, 0}}));
  return wasm_module(
      {section(1, vec({func_type({}, {})})), section(3, {1, 0}), section(7, exports), section(10, vec({body({})}))});
}

inline Bytes many_globals(size_t bytes) {
  const size_t count = bytes / 5;
  return wasm_module({section(1, vec({func_type({}, {})})), section(3, {1, 0}),
                      section(6, join({leb(count), repeat({kI32, 0, kI32Const, 1, kEnd}, count)})),
                      section(10, vec({body({})}))});
}

inline Bytes many_segments(size_t bytes) {
  const size_t count = bytes / 6;
  return wasm_module({section(1, vec({func_type({}, {})})), section(3, {1, 0}), section(5, {1, 0, 1}),
                      section(10, vec({body({})})),
                      section(11, join({leb(count), repeat({0, kI32Const, 1, kEnd, 1, 'x'}, count)}))});
}

}  // namespace large

/// The first is meant to be as large as a module can be, the others as large as a function.
inline const std::vector<LargeShape>& large_shapes() {
  static const std::vector<LargeShape> shapes = {
      {"many functions", large::many_functions},
      {"deep blocks", large::deep_blocks},
      {"deep loops", large::deep_loops},
      {"deep ifs", large::deep_ifs},
      {"branches out of many blocks", large::branches_out},
      {"branches to one end", large::branches_to_one_end},
      {"branches with many values", large::branches_with_values},
      {"many operands", large::many_operands},
      {"many operands that stand for locals", large::many_aliases},
      {"many locals", large::many_locals},
      {"locals set in blocks", large::locals_set_in_blocks},
      {"br_tables in deep blocks", large::tables_in_deep_blocks},
      {"one large br_table", large::one_large_table},
      {"a br_table of all labels", large::table_of_all_labels},
      {"unreachable code", large::unreachable_code},
      {"many types", large::many_types},
      {"many exports", large::many_exports},
      {"many globals", large::many_globals},
      {"many segments", large::many_segments},
  };
  return shapes;
}

}  // namespace chiwawa::test
