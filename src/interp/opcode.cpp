#include "interp/opcode.hpp"

#include <array>

namespace chiwawa {

namespace {

struct Traits {
  std::string_view name;
  Immediates immediates = Immediates::None;
};

// Rows 0 to 255 are the one-byte instructions, the others those behind the prefix 0xFC.
constexpr uint32_t kPrefixed = 256;
constexpr uint32_t kRows = kPrefixed + 32;

constexpr uint32_t row_of(uint32_t code) {
  if (code < 0x100) return code;
  return code >= 0xFC00 && code < 0xFC00 + kRows - kPrefixed ? code - 0xFC00 + kPrefixed : kRows;
}

constexpr std::array<Traits, kRows> kTraits = [] {
  std::array<Traits, kRows> table{};
#define OPCODE(code, id, text, immediates) table[row_of(code)] = {text, Immediates::immediates};
#include "interp/opcodes.def"
  return table;
}();

}  // namespace

bool is_known(uint32_t code) {
  const uint32_t row = row_of(code);
  return row < kRows && !kTraits[row].name.empty();
}

std::string_view name(Opcode opcode) { return kTraits[row_of(static_cast<uint32_t>(opcode))].name; }

Immediates immediates(Opcode opcode) { return kTraits[row_of(static_cast<uint32_t>(opcode))].immediates; }

}  // namespace chiwawa
