// Builds binary modules by hand, for tests of what reads them: `wasm_module({section(1, vec({…})), …})`.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace chiwawa::test {

using Bytes = std::vector<uint8_t>;

inline Bytes& append(Bytes& to, const Bytes& more) {
  to.insert(to.end(), more.begin(), more.end());
  return to;
}

inline Bytes join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) append(all, part);
  return all;
}

inline Bytes repeat(const Bytes& part, size_t times) {
  Bytes all;
  all.reserve(part.size() * times);
  for (size_t i = 0; i < times; ++i) append(all, part);
  return all;
}

/// Unsigned LEB128.
inline Bytes leb(uint64_t value) {
  Bytes bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<uint8_t>(value | 0x80));
  bytes.push_back(static_cast<uint8_t>(value));
  return bytes;
}

/// Preceded by the size in bytes.
inline Bytes sized(const Bytes& contents) { return join({leb(contents.size()), contents}); }

inline Bytes text(std::string_view chars) { return sized(Bytes(chars.begin(), chars.end())); }

/// Preceded by the number of items.
inline Bytes vec(std::initializer_list<Bytes> items) { return join({leb(items.size()), join(items)}); }

inline Bytes section(uint8_t id, const Bytes& contents) { return join({{id}, sized(contents)}); }

inline Bytes wasm_module(std::initializer_list<Bytes> sections) {
  return join({{0, 'a', 's', 'm', 1, 0, 0, 0}, join(sections)});
}

inline Bytes func_type(const Bytes& params, const Bytes& results) {
  return join({{0x60}, sized(params), sized(results)});
}

/// A code entry; `locals` with their count, `code` without the final `end`.
inline Bytes body(const Bytes& code, const Bytes& locals = {0}) { return sized(join({locals, code, {0x0B}})); }

/// One function of the type, and whatever else stands before its code section.
inline Bytes function(const Bytes& type, const Bytes& code, const Bytes& locals = {0}, const Bytes& between = {}) {
  return wasm_module({section(1, vec({type})), section(3, {1, 0}), between, section(10, vec({body(code, locals)}))});
}

constexpr uint8_t kI32 = 0x7F;
constexpr uint8_t kI64 = 0x7E;
constexpr uint8_t kF32 = 0x7D;
constexpr uint8_t kF64 = 0x7C;
constexpr uint8_t kFuncRef = 0x70;
constexpr uint8_t kExternRef = 0x6F;
constexpr uint8_t kAnyRef = 0x6E;

}  // namespace chiwawa::test
