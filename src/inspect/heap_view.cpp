#include "inspect/heap_view.hpp"

#include <algorithm>
#include <cstring>

namespace chiwawa::inspect {

namespace {

/// Of one object, in a line.
constexpr size_t kFields = 16;
/// What one document has at most, objects and fields together: a small file can stand for a gigabyte of text.
constexpr size_t kMaxItems = 1'000'000;

ObjectLayout layout_of(const FuncType& exception) {
  ObjectLayout layout;
  layout.kind = TypeDef::Kind::Struct;
  for (const ValType type : exception.params) {
    layout.fields.push_back({type, false});
    layout.offsets.push_back(layout.bytes);
    layout.bytes += slots_of(type) * 8;
  }
  return layout;
}

}  // namespace

HeapWalk::HeapWalk(const snapshot::Records& records, std::span<const KnownModule> modules)
    : records_(records), modules_(modules) {
  for (uint32_t type = 0; type < records.heap.types.size(); ++type) {
    const TypeDef* const def = defined(type);
    layouts_.push_back(def != nullptr ? ObjectLayout(*def) : ObjectLayout());
  }
}

const TypeSpace* HeapWalk::types_of(uint32_t instance) const {
  if (instance >= records_.instances.size()) return nullptr;
  const uint32_t module = records_.instances[instance].module;
  if (module >= modules_.size() || modules_[module].module == nullptr) return nullptr;
  return &modules_[module].module->types;
}

const TypeDef* HeapWalk::defined(uint32_t type) const {
  const snapshot::TypeRecord& record = records_.heap.types[type];
  const TypeSpace* const types = types_of(record.instance);
  if (types == nullptr || record.index >= types->size()) return nullptr;
  const TypeDef& def = (*types)[record.index];
  return def.kind == TypeDef::Kind::Func ? nullptr : &def;
}

const FuncType* HeapWalk::tag_type(uint32_t tag, const TypeSpace*& types) const {
  for (uint32_t instance = 0; instance < records_.instances.size(); ++instance) {
    const std::vector<uint32_t>& tags = records_.instances[instance].tags;
    const auto index = static_cast<size_t>(std::find(tags.begin(), tags.end(), tag) - tags.begin());
    types = types_of(instance);
    if (index == tags.size() || types == nullptr) continue;
    const Module& module = *modules_[records_.instances[instance].module].module;
    // A forged snapshot has instances with other lists than their modules have.
    if (index >= module.tags.size() || !types->is(module.tags[index].type_index, TypeDef::Kind::Func)) continue;
    return &types->func(module.tags[index].type_index);
  }
  return nullptr;
}

void HeapWalk::take(Object& object, uint64_t bytes) {
  const std::vector<uint8_t>& all = records_.heap.bytes;
  const uint64_t with_padding = (bytes + 7) / 8 * 8;
  if (lost_ || !within(at_, with_padding, all.size())) {
    lost_ = true;
    return;
  }
  object.bytes = std::span(all).subspan(static_cast<size_t>(at_), static_cast<size_t>(bytes));
  object.known = true;
  at_ += with_padding;
}

std::optional<HeapWalk::Object> HeapWalk::next() {
  if (next_ >= records_.heap.objects.size()) return std::nullopt;
  const snapshot::ObjectRecord& record = records_.heap.objects[next_];
  Object object;
  object.number = next_++;
  if (record.type == snapshot::kExceptionObject) {
    object.kind = "exception";
    object.type = "tag " + std::to_string(record.length);
    if (const FuncType* const type = tag_type(record.length, object.types)) {
      const ObjectLayout layout = layout_of(*type);
      object.fields = layout.fields;
      take(object, layout.bytes);
    } else {
      lost_ = true;
    }
    return object;
  }
  if (record.type >= layouts_.size()) {
    object.type = "an unknown type";
    lost_ = true;
    return object;
  }
  const snapshot::TypeRecord& type = records_.heap.types[record.type];
  object.type =
      (records_.instances.size() > 1 ? std::to_string(type.instance) + ":" : "") + "type " + std::to_string(type.index);
  const ObjectLayout& layout = layouts_[record.type];
  if (layout.kind == TypeDef::Kind::Func) {
    lost_ = true;
    return object;
  }
  object.types = types_of(type.instance);
  object.fields = layout.fields;
  object.kind = layout.kind == TypeDef::Kind::Array ? "array" : "struct";
  if (layout.kind == TypeDef::Kind::Array) object.length = record.length;
  take(object, layout.bytes_of(record.length));
  return object;
}

Value HeapWalk::field(const Object& object, size_t index) const {
  const bool is_exception = object.kind[0] == 'e';
  ValType storage = ValType::I32;
  uint64_t offset = 0;
  if (object.length) {
    storage = object.fields[0].storage;
    offset = uint64_t{field_bytes(storage)} * index;
  } else {
    // Fields are few: those before say where it is.
    for (size_t i = 0; i <= index; ++i) {
      if (i != 0) offset += is_exception ? slots_of(storage) * uint64_t{8} : field_bytes(storage);
      storage = object.fields[i].storage;
      const uint64_t unit = is_exception ? 8 : std::min(field_bytes(storage), 8u);
      offset = (offset + unit - 1) / unit * unit;
    }
  }
  Value value;
  uint8_t raw[16] = {};
  const size_t size = is_exception ? slots_of(storage) * size_t{8} : field_bytes(storage);
  std::memcpy(raw, object.bytes.data() + offset, size);
  std::memcpy(&value.bits, raw, 8);
  std::memcpy(&value.high, raw + 8, 8);
  value.type = unpacked(storage);
  // As everywhere in a snapshot: the greatest of its hierarchy.
  if (is_ref(storage)) value.type = object.types->top(storage);
  return value;
}

std::string describe_object(const HeapWalk& walk, const HeapWalk::Object& object, const Names& names,
                            size_t most_fields) {
  std::string text = std::string(object.kind) + (object.kind[0] == 'e' ? " with " : " of ") + object.type;
  if (object.length) text += ", " + plural(*object.length, "element", "elements");
  if (!object.known) return text;
  text += " {";
  const size_t count = object.field_count();
  for (size_t i = 0; i < std::min(count, most_fields); ++i) {
    const ValType storage = object.fields[object.length ? 0 : i].storage;
    const Value value = walk.field(object, i);
    text += i == 0 ? "" : ", ";
    if (!object.length) text += (is_packed(storage) ? name(storage) : std::string(name(value.type))) + " ";
    text += names.plain(value);
  }
  if (count > most_fields) text += ", … " + grouped(count - most_fields) + " more";
  return text + "}";
}

std::string heap_in_words(const snapshot::HeapRecord& heap) {
  return plural(heap.objects.size(), "object", "objects") + ", " + size_in_words(heap.bytes.size());
}

void print_heap(Text& out, const Subject& subject) {
  HeapWalk walk(subject.records, subject.modules);
  bool all_known = true;
  while (const auto object = walk.next()) {
    out.put(Tone::Name, padded("#" + std::to_string(object->number), 6))
        << " " << describe_object(walk, *object, subject.names, kFields) << "\n";
    all_known = all_known && object->known;
  }
  if (subject.records.heap.objects.empty()) {
    out << "There are no objects.\n";
  } else if (!all_known) {
    out.put(Tone::Dim, "The fields of some are not shown: a module that defines their types is not at hand.") << "\n";
  }
}

Json json_of_heap(const Subject& subject) {
  const snapshot::HeapRecord& heap = subject.records.heap;
  HeapWalk walk(subject.records, subject.modules);
  Json objects = Json::array();
  size_t left = kMaxItems;
  for (std::optional<HeapWalk::Object> object; left != 0 && (object = walk.next()).has_value();) {
    --left;
    Json json = {{"number", object->number}, {"kind", object->kind}, {"type", object->type}};
    if (object->length) json["length"] = *object->length;
    if (object->known) {
      const size_t shown = std::min(left, object->field_count());
      Json fields = Json::array();
      for (size_t i = 0; i < shown; ++i) fields.push_back(json_of_value(walk.field(*object, i), subject.names));
      left -= shown;
      json["fields"] = std::move(fields);
    }
    objects.push_back(std::move(json));
  }
  return {{"count", heap.objects.size()}, {"bytes", json_number(heap.bytes.size())}, {"objects", std::move(objects)}};
}

}  // namespace chiwawa::inspect
