// Module: what a binary declares, one member per section, immutable after decoding.
// https://webassembly.github.io/spec/core/syntax/modules.html
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interp/type_space.hpp"
#include "interp/types.hpp"

namespace chiwawa {

/// A range of the module's bytes: [begin, end).
struct ByteRange {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t size() const { return end - begin; }
};

/// A constant expression: its instructions including the final `end`.
using ConstExpr = ByteRange;

struct Import {
  std::string module;
  std::string name;
  ExternKind kind = ExternKind::Func;
  uint32_t index = 0;   ///< in the index space of `kind`
  uint32_t offset = 0;  ///< of the import in the module, for messages
};

struct Export {
  std::string name;
  ExternKind kind = ExternKind::Func;
  uint32_t index = 0;
  uint32_t offset = 0;  ///< of the export in the module, for messages
};

struct Table {
  TableType type;
  ConstExpr init;  ///< of every element; empty: null, or an imported table
};

struct Global {
  GlobalType type;
  ConstExpr init;  ///< empty for an imported global
};

/// A run of locals of one type.
struct LocalRun {
  uint32_t count = 0;
  ValType type = ValType::I32;
};

/// A function that the module defines.
struct FunctionBody {
  ByteRange code;                ///< the instructions including the final `end`
  std::vector<LocalRun> locals;  ///< without the parameters
  uint32_t local_count = 0;      ///< sum over `locals`
};

enum class SegmentMode : uint8_t { Passive, Active, Declarative };

struct ElemSegment {
  ValType type = ValType::FuncRef;
  SegmentMode mode = SegmentMode::Passive;
  uint32_t table_index = 0;
  ConstExpr offset;
  uint32_t position = 0;  ///< of the segment in the module, for messages
  bool uses_expressions = false;
  std::vector<uint32_t> function_indices;  ///< when !uses_expressions
  std::vector<ConstExpr> expressions;      ///< when uses_expressions
  uint32_t size() const {
    return static_cast<uint32_t>(uses_expressions ? expressions.size() : function_indices.size());
  }
};

struct DataSegment {
  SegmentMode mode = SegmentMode::Passive;
  uint32_t memory_index = 0;
  ConstExpr offset;
  ByteRange bytes;
};

struct Module {
  std::vector<uint8_t> bytes;  ///< the whole binary; all ranges and positions refer to it

  TypeSpace types;
  std::vector<Import> imports;
  std::vector<uint32_t> functions;  ///< type index of every function, imported ones first
  std::vector<Table> tables;        ///< imported ones first, as all index spaces
  std::vector<MemoryType> memories;
  std::vector<TagType> tags;
  std::vector<Global> globals;
  std::vector<Export> exports;
  std::optional<uint32_t> start;
  std::vector<ElemSegment> elems;
  std::vector<DataSegment> datas;
  std::optional<uint32_t> data_count;
  std::vector<FunctionBody> bodies;  ///< of the functions that are not imported

  /// Where each section's contents begin, by section id (0: there is no such section). For messages.
  std::array<uint32_t, 14> section_offsets{};

  /// Where the first page size stands that a memory's type names. For messages.
  std::optional<uint32_t> page_size;

  uint32_t imported_functions = 0;
  uint32_t imported_tables = 0;
  uint32_t imported_memories = 0;
  uint32_t imported_globals = 0;
  uint32_t imported_tags = 0;

  /// From the custom section "name"; empty if it is missing or malformed.
  std::map<uint32_t, std::string> function_names;

  const FuncType& function_type(uint32_t function_index) const { return types.func(functions[function_index]); }
  const FuncType& tag_type(uint32_t tag_index) const { return types.func(tags[tag_index].type_index); }
  const FunctionBody& body(uint32_t function_index) const { return bodies[function_index - imported_functions]; }
  bool is_imported_function(uint32_t function_index) const { return function_index < imported_functions; }
  /// Where an item of an index space is declared, as well as that is known: the import, or the section. Takes time
  /// linear in the number of imports, so it is for errors only.
  uint64_t place(ExternKind kind, uint32_t index) const;
  const Export* find_export(std::string_view export_name) const;
  /// The name section's name, else an export's, else "func[12]".
  std::string function_name(uint32_t function_index) const;
};

}  // namespace chiwawa
