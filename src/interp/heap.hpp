// Heap: structs, arrays and exceptions, and the collector that finds those nobody can reach.
// https://webassembly.github.io/spec/core/exec/runtime.html#aggregate-instances
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "interp/linear_memory.hpp"
#include "interp/types.hpp"

namespace chiwawa {

/// Bytes that a value takes in a field. References take 8, whatever they refer to.
constexpr uint32_t field_bytes(ValType storage) {
  switch (storage) {
    case ValType::I8: return 1;
    case ValType::I16: return 2;
    case ValType::I32:
    case ValType::F32: return 4;
    case ValType::V128: return 16;
    default: return 8;
  }
}

/// Where the fields of a defined type's objects are. Offsets and sizes are in bytes, without the object's header. Each
/// field lies at a multiple of its size, or of 8; there is nothing between them that this does not ask for.
/// schema/FORMAT.md has the same rule.
struct ObjectLayout {
  TypeDef::Kind kind = TypeDef::Kind::Func;
  std::vector<FieldType> fields;      ///< a struct's; an array's one element
  std::vector<uint32_t> offsets;      ///< a struct's, by field
  std::vector<uint32_t> ref_offsets;  ///< of those fields that are references
  uint32_t bytes = 0;                 ///< of a struct's fields, or of one element

  ObjectLayout() = default;
  explicit ObjectLayout(const TypeDef& type);

  bool has_refs() const { return !ref_offsets.empty(); }
  uint64_t bytes_of(uint32_t length) const {
    return kind == TypeDef::Kind::Array ? uint64_t{bytes} * length : uint64_t{bytes};
  }
};

/// What stands before an object's fields. Twice 4 bytes.
struct ObjectHeader {
  uint32_t type = 0;    ///< in the store's types, or kExceptionType; and the collector's mark
  uint32_t length = 0;  ///< an array's; an exception's tag address; otherwise 0
};
static_assert(sizeof(ObjectHeader) == 8);

/// The object's type that says it is an exception: its values lie one after the other as slots.
constexpr uint32_t kExceptionType = 0x7FFF'FFFE;

/// Objects never move. References are kHeapRefBit plus the byte offset of the object in the heap, never 0.
class Heap {
 public:
  /// For tests: a collection is due before every new object, and what is free is overwritten.
  bool collect_always = false;

  ObjectHeader header(uint64_t ref) const {
    ObjectHeader header;
    std::memcpy(&header, at(ref), sizeof header);
    return header;
  }
  /// The fields of the object.
  uint8_t* fields(uint64_t ref) { return memory_.data() + offset(ref) + sizeof(ObjectHeader); }
  const uint8_t* fields(uint64_t ref) const { return at(ref) + sizeof(ObjectHeader); }

  /// A new object with so many bytes of fields, which are zero; or 0: a collection is due, or there is no memory.
  /// Pointers into the heap are invalid afterwards.
  /// The heap does not grow beyond `max_bytes`.
  uint64_t allocate(ObjectHeader header, uint64_t bytes, uint64_t max_bytes);
  /// The same, but without waiting for a collection: 0 only if there is no memory.
  uint64_t allocate_at_once(ObjectHeader header, uint64_t bytes, uint64_t max_bytes);

  /// How large an object is, without its header, is the owner's knowledge.
  using SizeOf = uint64_t (*)(const void* owner, ObjectHeader header);
  /// Calls Heap::mark for the references in an object's fields.
  using MarkFields = void (*)(const void* owner, Heap& heap, ObjectHeader header, const uint8_t* fields);

  /// Marks the object of a reference as reachable, if it is one in the heap.
  void mark(uint64_t ref) {
    if (!is_heap_ref(ref)) return;
    uint32_t type;
    std::memcpy(&type, at(ref), sizeof type);
    if ((type & kMark) != 0) return;
    type |= kMark;
    std::memcpy(memory_.data() + offset(ref), &type, sizeof type);
    pending_.push_back(offset(ref));
  }
  /// After all roots are marked: marks what can be reached from them, and frees the rest.
  void collect(const void* owner, SizeOf size_of, MarkFields mark_fields);

  /// Calls f(reference, header) for every object, by address.
  template <typename Size, typename F>
  void for_each(Size size_of, F f) const {
    for (uint64_t at = 8; at < top_;) {
      if (at == current_.begin) at = current_.end;
      if (at >= top_) break;
      const ObjectHeader object = header(kHeapRefBit | at);
      const bool is_free = object.type == kFree;
      if (!is_free) f(kHeapRefBit | at, object);
      at += is_free ? uint64_t{object.length} * 8 : sizeof object + (size_of(object) + 7) / 8 * 8;
    }
  }

  /// Bytes in use, headers included, as far as is known: objects that died since the last collection count.
  uint64_t used_bytes() const { return used_; }
  uint64_t collections() const { return collections_; }

 private:
  static constexpr uint32_t kMark = 0x8000'0000;
  /// A run of free bytes; the length is in units of 8 bytes.
  static constexpr uint32_t kFree = 0x7FFF'FFFF;
  static constexpr uint64_t kFirstCollection = 4u << 20;

  struct Run {
    uint64_t begin = 0, end = 0;
    uint64_t size() const { return end - begin; }
  };

  static uint64_t offset(uint64_t ref) { return ref & ~kRefKind; }
  const uint8_t* at(uint64_t ref) const { return memory_.data() + offset(ref); }

  /// Takes new space from the host only up to `limit` bytes in use and `max_bytes` in all.
  uint64_t place(ObjectHeader header, uint64_t bytes, uint64_t limit, uint64_t max_bytes);
  bool take_free_run(uint64_t size);
  bool extend(uint64_t size, uint64_t limit, uint64_t max_bytes);
  void write_header(uint64_t offset, ObjectHeader header);
  /// Marks a run as free, so that whoever goes over the heap knows its size.
  void write_free(Run run);

  LinearMemory memory_;
  uint64_t top_ = 8;       ///< objects and free runs are in [8, top_)
  Run current_;            ///< where the next object goes
  std::vector<Run> free_;  ///< found by the last collection
  size_t next_free_ = 0;
  uint64_t used_ = 0;
  uint64_t collect_at_ = kFirstCollection;  ///< bytes in use
  uint64_t collections_ = 0;
  bool just_collected_ = false;
  std::vector<uint64_t> pending_;  ///< marked, but not their fields
};

}  // namespace chiwawa
