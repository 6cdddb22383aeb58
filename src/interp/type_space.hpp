// TypeSpace: defined types by index, when two of them are the same, and which match which.
// https://webassembly.github.io/spec/core/valid/matching.html
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "interp/types.hpp"

namespace chiwawa {

/// Either the types that a module defines, whose references name each other by type index, or those of a store, where
/// types of all its modules come together and equal types are one.
class TypeSpace {
 public:
  /// Deeper subtyping than this is refused by validate(), so that matching takes bounded time.
  static constexpr uint32_t kMaxDepth = 63;

  size_t size() const { return defs_.size(); }
  bool empty() const { return defs_.empty(); }
  const TypeDef& operator[](uint32_t index) const { return defs_[index]; }
  bool is(uint32_t index, TypeDef::Kind kind) const { return index < size() && defs_[index].kind == kind; }
  /// Requires a function type.
  const FuncType& func(uint32_t index) const { return defs_[index].func; }

  /// Appends a rec group as a module declares it: references to it, and to types that do not exist, are by index.
  void add_group(std::vector<TypeDef> group);

  /// Finds or appends a rec group of `from`, whose references mean types that have the number `ids[index]` here.
  /// Appends the numbers of its types to `ids`. Requires a valid group, and ids of all types before it.
  void add_equal(const TypeSpace& from, uint32_t group_begin, std::vector<uint32_t>& ids);

  /// Two types are equal if and only if this is: iso-recursive equality of rec groups.
  uint32_t canonical(uint32_t index) const { return canonical_[index]; }

  /// Whether the first type is the second or a subtype of it. Defined types must exist.
  bool matches(ValType sub, ValType super) const;
  bool matches(uint32_t sub, uint32_t super) const;
  bool matches(const FuncType& sub, const FuncType& super) const;
  bool matches(const FieldType& sub, const FieldType& super) const;
  /// As lists of one length, each by each.
  bool matches(std::span<const ValType> sub, std::span<const ValType> super) const;

  /// The greatest type of a reference type's hierarchy, nullable: AnyRef, FuncRef, ExternRef, ExnRef. Others are
  /// themselves.
  ValType top(ValType type) const;
  std::vector<ValType> top(std::vector<ValType> types) const;
  FuncType top(FuncType type) const;
  /// The least type of a reference type's hierarchy, nullable.
  ValType bottom(ValType type) const;

  /// The type with every type index replaced by ids[index].
  static ValType renumber(ValType type, std::span<const uint32_t> ids);
  static FuncType renumber(const FuncType& type, std::span<const uint32_t> ids);

 private:
  /// A text that is equal for equal groups; types before the group are named by ids.
  static std::string key(std::span<const TypeDef> group, std::span<const uint32_t> ids);

  std::vector<TypeDef> defs_;
  std::vector<uint32_t> canonical_;
  std::unordered_map<std::string, uint32_t> groups_;  ///< key -> index of the first type of the first such group
};

}  // namespace chiwawa
