// Parts of a snapshot in words, for everything that prints them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "interp/module.hpp"
#include "interp/text.hpp"
#include "interp/types.hpp"
#include "snapshot/records.hpp"

namespace chiwawa::snapshot {

/// Gives functions names: those of their modules where they are at hand.
class Names {
 public:
  /// `modules` as match_modules() returns them, or none. Both must outlive it.
  explicit Names(const Records& records, std::span<const std::shared_ptr<const Module>> modules = {})
      : records_(records), modules_(modules) {}

  /// "luaV_execute", "func[12]", "env.wait"; with more than one instance "0:func[12]". By address.
  std::string function(uint32_t address) const;
  /// "i32 -7", "f64 nan:0x1", "funcref null", "funcref func[12]", "externref 5".
  std::string value(const Value& value) const;
  /// "func[12]" or "null".
  std::string reference(ValType type, uint64_t bits) const;
  std::string global(const GlobalInst& global) const { return value(global.value()); }

 private:
  const Records& records_;
  std::span<const std::shared_ptr<const Module>> modules_;
};

std::string grouped(uint64_t number);       ///< "1,234,567"
std::string size_in_words(uint64_t bytes);  ///< "12 bytes", "1.3 MiB"

/// "stdin", "preopen", …
const char* name(wasi::DescriptorKind kind);
/// "5 file /data log.txt, at 12 of 34 bytes".
std::string describe(const wasi::DescriptorRecord& descriptor);

/// "00 01 02".
std::string hex_bytes(std::span<const uint8_t> bytes);

/// Lines of 16 bytes as hexdump -C prints them, runs of equal lines as one "*". `address` is of the first byte.
class HexDump {
 public:
  /// Appends to `out`.
  explicit HexDump(std::string& out) : out_(out) {}
  void add(uint64_t address, std::span<const uint8_t> bytes);
  /// The address after the last byte.
  void finish(uint64_t address);

 private:
  void line(uint64_t address, std::span<const uint8_t> bytes);

  std::string& out_;
  std::vector<uint8_t> last_;
  bool folding_ = false;
};

}  // namespace chiwawa::snapshot
