#include "snapshot/objects.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "snapshot/container.hpp"
#include "snapshot/format.hpp"

namespace chiwawa::snapshot {

namespace {

/// Calls f(reference) for every one that a record outside of the heap has, in the order that numbers the objects.
template <typename F>
void for_each_root(Records& records, F f) {
  const auto values = [&](std::vector<Value>& list) {
    for (Value& value : list) {
      if (is_ref(value.type)) f(value.bits);
    }
  };
  for (GlobalInst& global : records.globals) {
    if (is_ref(global.type.type)) f(global.bits[0]);
  }
  for (TableRecord& table : records.tables) {
    for (uint64_t& ref : table.elements) f(ref);
  }
  for (ElemRecord& elem : records.elems) {
    for (uint64_t& ref : elem.elements) f(ref);
  }
  values(records.machine.values);
  if (records.machine.pending) values(records.machine.pending->args);
  if (records.machine.next) values(records.machine.next->args);
}

uint64_t load_ref(const uint8_t* at) {
  uint64_t ref;
  std::memcpy(&ref, at, sizeof ref);
  return ref;
}

void store_ref(uint8_t* at, uint64_t ref) { std::memcpy(at, &ref, sizeof ref); }

constexpr uint64_t padded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

class Collector {
 public:
  Collector(const Store& store, Records& records) : store_(store), heap_(records.heap) {
    // For every type of the store, where a module declares it first.
    for (const auto& instance : store.instances) {
      for (uint32_t i = 0; i < instance->type_ids.size(); ++i) {
        declared_.try_emplace(instance->type_ids[i], TypeRecord{instance->number, i});
      }
    }
  }

  /// The reference as records have it. An object that was not seen before gets the next number.
  uint64_t number(uint64_t ref) {
    if (!is_heap_ref(ref)) return ref;
    const auto unit = static_cast<size_t>((ref & ~kRefKind) / 8);
    if (numbers_.size() <= unit) numbers_.resize(std::max(unit + 1, numbers_.size() * 2));
    if (numbers_[unit] == 0) {
      objects_.push_back(ref);
      numbers_[unit] = static_cast<uint32_t>(objects_.size());
    }
    return kHeapRefBit | (numbers_[unit] - 1);
  }

  /// Writes the fields of all objects that have a number, which gives numbers to more.
  void write_objects() {
    for (size_t next = 0; next < objects_.size();) {  // it grows meanwhile
      const uint64_t object = objects_[next++];
      const ObjectHeader header = store_.heap.header(object);
      const uint64_t bytes = store_.object_bytes(header);
      heap_.objects.push_back({type_number(header.type), header.length});
      const size_t begin = heap_.bytes.size();
      heap_.bytes.resize(begin + static_cast<size_t>(padded(bytes)));
      uint8_t* const fields = heap_.bytes.data() + begin;
      if (bytes != 0) std::memcpy(fields, store_.heap.fields(object), static_cast<size_t>(bytes));
      store_.for_each_ref(header,
                          [&](uint64_t offset) { store_ref(fields + offset, number(load_ref(fields + offset))); });
    }
  }

 private:
  uint32_t type_number(uint32_t type_id) {
    if (type_id == kExceptionType) return kExceptionObject;
    const auto [found, is_new] = type_numbers_.try_emplace(type_id, static_cast<uint32_t>(heap_.types.size()));
    if (is_new) heap_.types.push_back(declared_.at(type_id));
    return found->second;
  }

  const Store& store_;
  HeapRecord& heap_;
  std::map<uint32_t, TypeRecord> declared_;    // by type in the store
  std::map<uint32_t, uint32_t> type_numbers_;  // the same -> position in heap_.types
  std::vector<uint64_t> objects_;              // by number
  std::vector<uint32_t> numbers_;              // by place in the heap, in units of 8 bytes: number + 1, or 0
};

std::string object_name(size_t i) { return "objects[" + std::to_string(i) + "]"; }

}  // namespace

void collect_objects(const Store& store, Records& records) {
  Collector collector(store, records);
  for_each_root(records, [&](uint64_t& ref) { ref = collector.number(ref); });
  collector.write_objects();
}

Result<void> restore_objects(Records& records, Store& store) {
  const HeapRecord& heap = records.heap;
  std::vector<uint32_t> types;
  for (const TypeRecord& type : heap.types) {
    if (type.instance >= store.instances.size() || type.index >= store.instances[type.instance]->type_ids.size()) {
      return damaged("an object has a type that no module defines");
    }
    types.push_back(store.instances[type.instance]->type_ids[type.index]);
    if (store.types.is(types.back(), TypeDef::Kind::Func)) return damaged("an object has a function's type");
  }
  std::vector<uint64_t> refs;
  refs.reserve(heap.objects.size());
  uint64_t left = heap.bytes.size();
  for (size_t i = 0; i < heap.objects.size(); ++i) {
    const ObjectRecord& object = heap.objects[i];
    ObjectHeader header{kExceptionType, object.length};
    if (object.type != kExceptionObject) {
      if (object.type >= types.size()) return damaged(object_name(i) + " has an unknown type");
      header.type = types[object.type];
      if (object.length != 0 && !store.types.is(header.type, TypeDef::Kind::Array)) {
        return damaged(object_name(i) + " is a struct with a length");
      }
    } else if (object.length >= store.tags.size()) {
      return damaged(object_name(i) + " is an exception with an unknown tag");
    }
    const uint64_t bytes = store.object_bytes(header);
    if (padded(bytes) > left) return damaged("the heap has fewer bytes than its objects");
    const uint64_t ref = store.new_object_at_once(header);
    if (ref == 0) return Error{Phase::Instantiate, "no memory for the heap's objects", Error::kNoOffset};
    const uint8_t* const source = heap.bytes.data() + (heap.bytes.size() - left);
    if (bytes != 0) std::memcpy(store.heap.fields(ref), source, static_cast<size_t>(bytes));
    for (uint64_t at = bytes; at < padded(bytes); ++at) {
      if (source[at] != 0) return damaged(object_name(i) + " has something behind its fields");
    }
    left -= padded(bytes);
    refs.push_back(ref);
  }
  if (left != 0) return damaged("the heap has more bytes than its objects");

  bool good = true;
  const auto live = [&](uint64_t ref) {
    if (!is_heap_ref(ref)) return ref;
    const uint64_t number = ref & ~kRefKind;
    if (number < refs.size()) return refs[static_cast<size_t>(number)];
    good = false;
    return kNullRef;
  };
  for (const uint64_t ref : refs) {
    uint8_t* const fields = store.heap.fields(ref);
    store.for_each_ref(store.heap.header(ref),
                       [&](uint64_t offset) { store_ref(fields + offset, live(load_ref(fields + offset))); });
  }
  for_each_root(records, [&](uint64_t& ref) { ref = live(ref); });
  return good ? Result<void>() : damaged("a reference to an object that does not exist");
}

Result<void> check_references(const Store& store) {
  RefChecker refs(store);
  for (size_t i = 0; i < store.globals.size(); ++i) {
    const GlobalInst& global = *store.globals[i];
    if (is_ref(global.type.type) && !refs.is_valid(global.bits[0], global.type.type)) {
      return damaged("globals[" + std::to_string(i) + "] is no " + name(global.type.type));
    }
  }
  for (size_t i = 0; i < store.tables.size(); ++i) {
    const TableInst& table = *store.tables[i];
    for (const uint64_t ref : table.elements) {
      if (!refs.is_valid(ref, table.type.element)) {
        return damaged("tables[" + std::to_string(i) + "] has an element that is no " + name(table.type.element));
      }
    }
  }
  for (size_t i = 0; i < store.elems.size(); ++i) {
    const ElemInst& elem = *store.elems[i];
    for (const uint64_t ref : elem.elements) {
      if (!refs.is_valid(ref, elem.type)) {
        return damaged("elems[" + std::to_string(i) + "] has an element that is no " + name(elem.type));
      }
    }
  }
  Result<void> result;
  const auto field = [&](const uint8_t* at, ValType type) {
    if (is_ref(type) && !refs.is_valid(load_ref(at), type)) {
      result = damaged("an object has a field that is no " + name(type));
    }
  };
  const auto slot_value = [&](const uint8_t* at, ValType type) {
    // Elsewhere a field has just the bytes of its type.
    if ((type == ValType::I32 || type == ValType::F32) && load_ref(at) > UINT32_MAX) {
      result = damaged("an exception has a value with more bits than " + name(type));
    }
    field(at, type);
  };
  store.for_each_object([&](uint64_t ref, ObjectHeader header) {
    const uint8_t* const fields = store.heap.fields(ref);
    if (header.type == kExceptionType) {
      uint32_t slot = 0;
      for (const ValType type : store.tags[header.length]->type.params) {
        slot_value(fields + slot * size_t{8}, type);
        slot += slots_of(type);
      }
      return;
    }
    const ObjectLayout& layout = store.layouts[header.type];
    if (!layout.has_refs()) return;
    if (layout.kind == TypeDef::Kind::Array) {
      for (uint32_t i = 0; i < header.length; ++i) field(fields + size_t{i} * 8, layout.fields[0].storage);
    } else {
      for (size_t i = 0; i < layout.fields.size(); ++i) field(fields + layout.offsets[i], layout.fields[i].storage);
    }
  });
  return result;
}

}  // namespace chiwawa::snapshot
