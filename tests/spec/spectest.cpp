#include "spec/spectest.hpp"

#include <bit>
#include <cassert>

namespace chiwawa::spec {
namespace {

struct Signature {
  const char* name;
  std::vector<ValType> params;
};

const std::vector<Signature>& signatures() {
  static const std::vector<Signature> list = {
      {"print", {}},
      {"print_i32", {ValType::I32}},
      {"print_i64", {ValType::I64}},
      {"print_f32", {ValType::F32}},
      {"print_f64", {ValType::F64}},
      {"print_i32_f32", {ValType::I32, ValType::F32}},
      {"print_f64_f64", {ValType::F64, ValType::F64}},
  };
  return list;
}

HostResult print_nothing(HostCall&, void*) { return HostResult::done(); }

HostFunction make_function(const Signature& signature) {
  return {"spectest", signature.name, {signature.params, {}}, print_nothing, nullptr};
}

}  // namespace

HostModule add_spectest(Store& store) {
  HostModule result;
  for (const Signature& signature : signatures()) {
    result[signature.name] = {ExternKind::Func, raw(store.add_host_function(make_function(signature)))};
  }
  const auto global = [&](const char* name, ValType type, uint64_t bits) {
    result[name] = {ExternKind::Global, raw(store.add_global({type, false}, bits))};
  };
  global("global_i32", ValType::I32, 666);
  global("global_i64", ValType::I64, 666);
  global("global_f32", ValType::F32, std::bit_cast<uint32_t>(666.6f));
  global("global_f64", ValType::F64, std::bit_cast<uint64_t>(666.6));

  const Result<TableAddr> table = store.add_table({ValType::FuncRef, {10, 20}}, kNullRef);
  const Result<MemAddr> memory = store.add_memory({{1, 2}});
  const Result<MemAddr> shared_memory = store.add_memory({{1, 2}, ValType::I32, kPageSizeExponent, true});
  assert(table && memory && shared_memory);
  const Result<TableAddr> table64 = store.add_table({ValType::FuncRef, {10, 20}, ValType::I64}, kNullRef);
  assert(table64);
  result["table64"] = {ExternKind::Table, raw(*table64)};
  result["table"] = {ExternKind::Table, raw(*table)};
  result["shared_memory"] = {ExternKind::Memory, raw(*shared_memory)};
  result["memory"] = {ExternKind::Memory, raw(*memory)};
  return result;
}

std::optional<HostFunction> spectest_function(std::string_view module, std::string_view name) {
  if (module != "spectest") return std::nullopt;
  for (const Signature& signature : signatures()) {
    if (name == signature.name) return make_function(signature);
  }
  return std::nullopt;
}

}  // namespace chiwawa::spec
