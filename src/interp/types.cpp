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

std::string name(const FuncType& type) {
  std::string text;
  append(text, type.params);
  text += " -> ";
  append(text, type.results);
  return text;
}

}  // namespace chiwawa
