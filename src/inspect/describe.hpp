// Parts of a snapshot in words, for everything that prints them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "inspect/custom_sections.hpp"
#include "inspect/text.hpp"
#include "interp/module.hpp"
#include "interp/text.hpp"
#include "interp/types.hpp"
#include "snapshot/records.hpp"

namespace chiwawa::inspect {

/// A global's value.
inline Value value_of(const GlobalInst& global) { return global.value(); }

/// A module of the snapshot that is at hand, and the names in it.
struct KnownModule {
  std::shared_ptr<const Module> module;  ///< null: not at hand
  DebugNames names;
};

/// Gives things the names that their modules have for them, where the modules are at hand. Everything is asked for by
/// address; with more than one instance a name is preceded by its instance: "1:main".
class Names {
 public:
  /// `modules`: one for each of records.modules, or none. Both must outlive it.
  explicit Names(const snapshot::Records& records, std::span<const KnownModule> modules = {});

  /// "luaV_execute", "func[12]", "env.wait".
  std::string function(uint32_t address) const;
  /// "global 3", "global 3 ($counter)".
  std::string global(uint32_t address) const { return item("global", address, globals_, ExternKind::Global); }
  std::string table(uint32_t address) const { return item("table", address, tables_, ExternKind::Table); }
  std::string memory(uint32_t address) const { return item("memory", address, memories_, ExternKind::Memory); }
  std::string elem(uint32_t address) const;
  std::string data(uint32_t address) const;
  /// The name of a local of the function at that address; empty if it has none.
  std::string local(uint32_t function, uint32_t index) const;
  /// The name alone; empty if it has none.
  std::string global_name(uint32_t address) const { return owned_name(address, globals_, ExternKind::Global); }

  /// The module of the function at that address, or null: not at hand, or a function of the host.
  const Module* module_of(uint32_t function) const;

  /// "i32 -7", "f64 nan:0x1", "funcref null", "funcref func[12]", "externref 5".
  std::string value(const Value& value) const;
  /// "-7": without the type.
  std::string plain(const Value& value) const;
  /// "func[12]" or "null".
  std::string reference(ValType type, uint64_t bits) const;
  /// An object of the heap, by its number.
  std::string object(uint64_t number) const;
  std::string global_value(const GlobalInst& global) const { return value(value_of(global)); }

 private:
  /// The first instance that has an address, and its index there.
  struct Owner {
    uint32_t instance = snapshot::kHostInstance;
    uint32_t index = 0;
  };
  using Owners = std::vector<Owner>;
  const KnownModule* known(uint32_t instance) const;
  std::string owned_name(uint32_t address, const Owners& owners, ExternKind kind) const;
  std::string item(const char* what, uint32_t address, const Owners& owners, ExternKind kind) const;
  std::string segment(const char* what, uint32_t address, const Owners& owners,
                      DebugNames::IndexNames DebugNames::* names) const;

  const snapshot::Records& records_;
  std::span<const KnownModule> modules_;
  Owners globals_;
  Owners tables_;
  Owners memories_;
  Owners elems_;
  Owners datas_;
};

/// A value's bits: "0x1f"; a vector's in full, its high half first.
std::string bits_text(const Value& value);

std::string grouped(uint64_t number);       ///< "1,234,567"
std::string size_in_words(uint64_t bytes);  ///< "12 bytes", "1.3 MiB"
/// "1 page", "12 pages".
std::string plural(uint64_t count, const char* one, const char* many);
/// "12 pages", "12 pages of 1 byte".
std::string pages_in_words(const snapshot::MemoryRecord& memory);
/// "at most 12", "no maximum".
std::string maximum(const Limits& limits);
/// "1.3 s", "250 ms".
std::string duration(uint64_t nanoseconds);

/// "2026-01-31 12:00:00 UTC", of nanoseconds since 1970.
std::string date(uint64_t nanoseconds);

/// "stdin", "preopen", …
const char* name(wasi::DescriptorKind kind);
/// "5 file /data log.txt, at 12 of 34 bytes".
std::string describe(const wasi::DescriptorRecord& descriptor);
/// "wait(i32 1, i64 2)".
template <typename Call>
std::string describe_call(const Call& call, const Names& names) {
  std::string text = names.function(raw(call.function)) + "(";
  for (size_t i = 0; i < call.args.size(); ++i) text += (i == 0 ? "" : ", ") + names.value(call.args[i]);
  return text + ")";
}

/// "00 01 02".
std::string hex_bytes(std::span<const uint8_t> bytes);
/// The bytes as text: what is not ASCII and printable is a dot.
std::string ascii(std::span<const uint8_t> bytes);

/// Lines of 16 bytes as hexdump -C prints them, runs of equal lines as one "*". `address` is of the first byte.
class HexDump {
 public:
  /// Appends to `out`.
  explicit HexDump(Text& out) : out_(out) {}
  void add(uint64_t address, std::span<const uint8_t> bytes);
  /// The address after the last byte.
  void finish(uint64_t address);
  /// Bytes that follow are not compared with those before.
  void restart() { last_.clear(), folding_ = false; }

 private:
  void line(uint64_t address, std::span<const uint8_t> bytes);

  Text& out_;
  std::vector<uint8_t> last_;
  bool folding_ = false;
};

/// One such line, without a line end: "00001230  68 69 00 …  |hi.…|".
std::string hex_line(uint64_t address, std::span<const uint8_t> bytes);

}  // namespace chiwawa::inspect
