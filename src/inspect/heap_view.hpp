// The objects of a snapshot's heap with their fields, as far as the modules that define their types are at hand.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "inspect/describe.hpp"
#include "inspect/text.hpp"
#include "inspect/views.hpp"
#include "interp/heap.hpp"

namespace chiwawa::inspect {

/// Goes over the objects in the order of their numbers. Refers to its arguments.
class HeapWalk {
 public:
  HeapWalk(const snapshot::Records& records, std::span<const KnownModule> modules);

  struct Object {
    uint64_t number = 0;
    const char* kind = "object";       ///< "struct", "array", "exception"; "object" if its type is not at hand
    std::string type;                  ///< "type 3", "tag 0"; with several instances "1:type 3"
    std::optional<uint32_t> length;    ///< an array's
    std::vector<FieldType> fields;     ///< a struct's, an exception's; an array's one element
    std::span<const uint8_t> bytes;    ///< of its fields; empty if it is not known which they are
    const TypeSpace* types = nullptr;  ///< of the module that defines its type
    bool known = false;                ///< whether fields and bytes are

    size_t field_count() const { return length ? size_t{*length} : fields.size(); }
  };
  /// The next object, or nothing behind the last one.
  std::optional<Object> next();
  /// The value of a field or element. Requires a known object. That of a packed field is an i32.
  Value field(const Object& object, size_t index) const;

 private:
  const TypeDef* defined(uint32_t type) const;
  /// The parameters of a tag, and the types of the module that has it.
  const FuncType* tag_type(uint32_t tag, const TypeSpace*& types) const;
  const TypeSpace* types_of(uint32_t instance) const;
  void take(Object& object, uint64_t bytes);

  const snapshot::Records& records_;
  std::span<const KnownModule> modules_;
  std::vector<ObjectLayout> layouts_;  ///< by position in the heap's types
  size_t next_ = 0;
  uint64_t at_ = 0;    ///< of the next object's bytes
  bool lost_ = false;  ///< an object's size is not known, and so where the next ones are
};

/// One line for each object, with its first fields.
void print_heap(Text& out, const Subject& subject);
/// "12 objects, 345 bytes".
std::string heap_in_words(const snapshot::HeapRecord& heap);
Json json_of_heap(const Subject& subject);

/// A text that says what the object is, for comparisons and lists: "struct of type 3 {i8 1, anyref null}".
std::string describe_object(const HeapWalk& walk, const HeapWalk::Object& object, const Names& names,
                            size_t most_fields);

}  // namespace chiwawa::inspect
