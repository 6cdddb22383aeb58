#include "interp/type_space.hpp"

#include <utility>

namespace chiwawa {

namespace {

void append(std::string& text, uint32_t number) {
  for (uint32_t shift = 0; shift < 32; shift += 8) text.push_back(static_cast<char>(number >> shift));
}

}  // namespace

std::string TypeSpace::key(std::span<const TypeDef> group, std::span<const uint32_t> ids) {
  // Every reference to a type is preceded by what it is relative to: the group, the types before, or nothing.
  const uint32_t begin = group.empty() ? 0 : group[0].group_begin;
  std::string text;
  const auto index = [&](uint32_t type) {
    if (type >= begin && type - begin < group.size()) {
      text.push_back('r');
      append(text, type - begin);
    } else {
      text.push_back(type < ids.size() ? 'i' : 'u');
      append(text, type < ids.size() ? ids[type] : type);
    }
  };
  const auto value = [&](ValType type) {
    text.push_back(static_cast<char>(static_cast<uint32_t>(type) & 0xFF));
    if (is_defined(type)) index(type_index(type));
  };
  const auto values = [&](const std::vector<ValType>& types) {
    append(text, static_cast<uint32_t>(types.size()));
    for (const ValType type : types) value(type);
  };
  for (const TypeDef& def : group) {
    text.push_back(static_cast<char>(def.kind));
    text.push_back(def.is_final ? 'f' : 'o');
    append(text, static_cast<uint32_t>(def.supers.size()));
    for (const uint32_t super : def.supers) index(super);
    values(def.func.params);
    values(def.func.results);
    append(text, static_cast<uint32_t>(def.fields.size()));
    for (const FieldType& field : def.fields) {
      value(field.storage);
      text.push_back(field.is_mutable ? 'm' : 'c');
    }
  }
  return text;
}

void TypeSpace::add_group(std::vector<TypeDef> group) {
  const auto begin = static_cast<uint32_t>(size());
  const auto count = static_cast<uint32_t>(group.size());
  for (TypeDef& def : group) {
    def.group_begin = begin;
    def.group_end = begin + count;
  }
  // An empty group has no types that could be equal to others.
  const uint32_t first = count == 0 ? begin : groups_.try_emplace(key(group, canonical_), begin).first->second;
  for (uint32_t i = 0; i < count; ++i) {
    canonical_.push_back(first + i);
    defs_.push_back(std::move(group[i]));
  }
}

void TypeSpace::add_equal(const TypeSpace& from, uint32_t group_begin, std::vector<uint32_t>& ids) {
  const uint32_t count = from[group_begin].group_end - group_begin;
  const std::span<const TypeDef> group(&from.defs_[group_begin], count);
  const auto begin = static_cast<uint32_t>(size());
  const auto [found, is_new] = groups_.try_emplace(key(group, ids), begin);
  for (uint32_t i = 0; i < count; ++i) ids.push_back(found->second + i);
  if (!is_new) return;
  for (const TypeDef& def : group) {
    TypeDef own = def;
    own.group_begin = begin;
    own.group_end = begin + count;
    for (uint32_t& super : own.supers) super = ids[super];
    own.func = renumber(def.func, ids);
    for (FieldType& field : own.fields) field.storage = renumber(field.storage, ids);
    canonical_.push_back(static_cast<uint32_t>(defs_.size()));
    defs_.push_back(std::move(own));
  }
}

ValType TypeSpace::renumber(ValType type, std::span<const uint32_t> ids) {
  return is_defined(type) ? defined_ref(ids[type_index(type)], is_nullable(type)) : type;
}

FuncType TypeSpace::renumber(const FuncType& type, std::span<const uint32_t> ids) {
  FuncType result = type;
  for (ValType& param : result.params) param = renumber(param, ids);
  for (ValType& value : result.results) value = renumber(value, ids);
  return result;
}

ValType TypeSpace::top(ValType type) const {
  if (!is_ref(type)) return type;
  if (is_defined(type)) return is(type_index(type), TypeDef::Kind::Func) ? ValType::FuncRef : ValType::AnyRef;
  switch (nullable(type)) {
    case ValType::FuncRef:
    case ValType::NoFuncRef: return ValType::FuncRef;
    case ValType::ExternRef:
    case ValType::NoExternRef: return ValType::ExternRef;
    case ValType::ExnRef:
    case ValType::NoExnRef: return ValType::ExnRef;
    default: return ValType::AnyRef;
  }
}

std::vector<ValType> TypeSpace::top(std::vector<ValType> types) const {
  for (ValType& type : types) type = top(type);
  return types;
}

FuncType TypeSpace::top(FuncType type) const { return {top(std::move(type.params)), top(std::move(type.results))}; }

ValType TypeSpace::bottom(ValType type) const {
  switch (top(type)) {
    case ValType::FuncRef: return ValType::NoFuncRef;
    case ValType::ExternRef: return ValType::NoExternRef;
    case ValType::ExnRef: return ValType::NoExnRef;
    case ValType::AnyRef: return ValType::NoneRef;
    default: return type;
  }
}

bool TypeSpace::matches(uint32_t sub, uint32_t super) const {
  // Supertypes come before their subtypes, and the depth is bounded.
  while (canonical_[sub] != canonical_[super]) {
    if (defs_[sub].supers.empty()) return false;
    sub = defs_[sub].supers[0];
  }
  return true;
}

bool TypeSpace::matches(ValType sub, ValType super) const {
  if (sub == super) return true;
  if (!is_ref(sub) || !is_ref(super)) return false;
  if (is_nullable(sub) && !is_nullable(super)) return false;
  if (sub == kBottomRef) return true;
  if (super == kBottomRef) return false;
  const ValType heap = nullable(sub);
  const ValType wanted = nullable(super);
  if (heap == wanted) return true;
  if (is_defined(heap) && is_defined(wanted)) return matches(type_index(heap), type_index(wanted));
  if (top(heap) != top(wanted)) return false;
  if (heap == bottom(heap)) return true;
  if (wanted == top(wanted)) return true;
  // What is left is within the hierarchy of `any`, or below a defined type, of which only the bottom is.
  if (wanted == ValType::EqRef) return heap != ValType::AnyRef;
  if (wanted == ValType::StructRef) return is_defined(heap) && is(type_index(heap), TypeDef::Kind::Struct);
  if (wanted == ValType::ArrayRef) return is_defined(heap) && is(type_index(heap), TypeDef::Kind::Array);
  return false;
}

bool TypeSpace::matches(std::span<const ValType> sub, std::span<const ValType> super) const {
  if (sub.size() != super.size()) return false;
  for (size_t i = 0; i < sub.size(); ++i) {
    if (!matches(sub[i], super[i])) return false;
  }
  return true;
}

bool TypeSpace::matches(const FuncType& sub, const FuncType& super) const {
  return matches(std::span<const ValType>(super.params), sub.params) &&
         matches(std::span<const ValType>(sub.results), super.results);
}

bool TypeSpace::matches(const FieldType& sub, const FieldType& super) const {
  if (sub.is_mutable != super.is_mutable || !matches(sub.storage, super.storage)) return false;
  return !sub.is_mutable || matches(super.storage, sub.storage);
}

}  // namespace chiwawa
