#include "interp/opcode.hpp"

#include <array>

namespace chiwawa {

namespace {

struct Traits {
  std::string_view name;
  Immediates immediates = Immediates::None;
};

constexpr std::array<Traits, kOpcodeRows> kTraits = [] {
  std::array<Traits, kOpcodeRows> table{};
#define OPCODE(code, id, text, immediates) table[row_of(code)] = {text, Immediates::immediates};
#include "interp/opcodes.def"
  return table;
}();

}  // namespace

bool is_known(uint32_t code) {
  const uint32_t row = row_of(code);
  return row < kOpcodeRows && !kTraits[row].name.empty();
}

std::string_view name(Opcode opcode) { return kTraits[row_of(opcode)].name; }

Immediates immediates(Opcode opcode) { return kTraits[row_of(opcode)].immediates; }

}  // namespace chiwawa
