#include "interp/types.hpp"

namespace chiwawa {

namespace {

void append(std::string& text, const std::vector<ValType>& types) {
  text += '[';
  for (size_t i = 0; i < types.size(); ++i) {
    if (i != 0) text += ' ';
    text += name(types[i]);
  }
  text += ']';
}

}  // namespace

std::string name(ValType t) {
  if (t == kBottomRef) return "(ref bot)";
  if (is_defined(t)) {
    return (is_nullable(t) ? "(ref null " : "(ref ") + std::to_string(type_index(t)) + ")";
  }
  struct Name {
    const char* nullable;
    const char* heap;  ///< the heap type, for references that are not nullable
  };
  const auto names = [t]() -> Name {
    switch (nullable(t)) {
      case ValType::I32: return {"i32", ""};
      case ValType::I64: return {"i64", ""};
      case ValType::F32: return {"f32", ""};
      case ValType::F64: return {"f64", ""};
      case ValType::V128: return {"v128", ""};
      case ValType::I8: return {"i8", ""};
      case ValType::I16: return {"i16", ""};
      case ValType::NoExnRef: return {"nullexnref", "noexn"};
      case ValType::NoFuncRef: return {"nullfuncref", "nofunc"};
      case ValType::NoExternRef: return {"nullexternref", "noextern"};
      case ValType::NoneRef: return {"nullref", "none"};
      case ValType::FuncRef: return {"funcref", "func"};
      case ValType::ExternRef: return {"externref", "extern"};
      case ValType::AnyRef: return {"anyref", "any"};
      case ValType::EqRef: return {"eqref", "eq"};
      case ValType::I31Ref: return {"i31ref", "i31"};
      case ValType::StructRef: return {"structref", "struct"};
      case ValType::ArrayRef: return {"arrayref", "array"};
      case ValType::ExnRef: return {"exnref", "exn"};
    }
    return {"?", "?"};
  }();
  return is_nullable(t) ? names.nullable : "(ref " + std::string(names.heap) + ")";
}

std::string name(const FuncType& type) {
  std::string text;
  append(text, type.params);
  text += " -> ";
  append(text, type.results);
  return text;
}

}  // namespace chiwawa
