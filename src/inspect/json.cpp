// JSON of the views without memory contents.
#include <algorithm>

#include "inspect/memory_walk.hpp"
#include "inspect/views.hpp"

namespace chiwawa::inspect {

namespace {

/// What one document has at most: a small file can stand for a gigabyte of text.
constexpr size_t kMaxValues = 1'000'000;
constexpr size_t kMaxElements = 1'000'000;

/// Numbers up to here are exact in a double.
constexpr uint64_t kMaxExact = uint64_t{1} << 53;

Json of_values(std::span<const Value> values, const Names& names) {
  Json list = Json::array();
  for (const Value& value : values) list.push_back(json_of_value(value, names));
  return list;
}

void add_limits(Json& json, const Limits& limits) {
  json["min"] = json_number(limits.min);
  if (limits.max) json["max"] = json_number(*limits.max);
}

template <typename Call>
Json of_call(const Call& call, const Names& names) {
  return {{"function", names.function(raw(call.function))},
          {"address", raw(call.function)},
          {"args", of_values(call.args, names)}};
}

/// Adds "size" and as many "elements" as are left to be shown.
void add_elements(Json& json, ValType type, const std::vector<uint64_t>& elements, const Names& names, size_t& left) {
  Json list = Json::array();
  const size_t shown = std::min(left, elements.size());
  for (size_t i = 0; i < shown; ++i) list.push_back(names.reference(type, elements[i]));
  left -= shown;
  json["size"] = elements.size();
  json["elements"] = std::move(list);
}

Json of_descriptor(const wasi::DescriptorRecord& d) {
  Json json = {{"number", d.number},
               {"kind", name(d.kind)},
               {"rights_base", hex(d.rights_base)},
               {"rights_inheriting", hex(d.rights_inheriting)},
               {"fdflags", d.fdflags}};
  if (!d.preopen.empty()) json["preopen"] = d.preopen;
  if (!d.path.empty()) json["path"] = d.path;
  if (d.removed_file) json["removed_file"] = *d.removed_file;
  if (d.elsewhere) json["elsewhere"] = true;
  if (d.kind == wasi::DescriptorKind::Listener) {
    json["listener"] = d.listener;
    json["address"] = d.address;
  }
  if (d.kind == wasi::DescriptorKind::File) {
    json["offset"] = json_number(d.offset);
    json["size"] = json_number(d.size);
    json["mtime"] = std::to_string(d.mtime);
  }
  return json;
}

}  // namespace

Json json_number(uint64_t number) {
  if (number <= kMaxExact) return number;
  return std::to_string(number);
}

std::string json_text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json json_document(const char* tool, const char* view) { return {{"tool", tool}, {"schema", 1}, {"view", view}}; }

Json json_of_value(const Value& value, const Names& names) {
  return {{"type", name(value.type)}, {"value", names.plain(value)}, {"bits", bits_text(value)}};
}

Json json_of_file(const Subject& subject) {
  const FileFacts& file = subject.file;
  Json json = {{"file", file.name},
               {"size", json_number(file.size)},
               {"format", std::to_string(file.header.major) + "." + std::to_string(file.header.minor)},
               {"writer", file.header.writer}};
  if (file.header.time != 0) json["time"] = std::to_string(file.header.time);
  json["state_sha256"] = snapshot::to_hex(file.state_digest);
  return json;
}

Json json_of_program(const Subject& subject) {
  Json modules = Json::array();
  for (size_t i = 0; i < subject.records.modules.size(); ++i) {
    const snapshot::ModuleRecord& module = subject.records.modules[i];
    Json json;
    if (!module.name.empty()) json["name"] = module.name;
    json["sha256"] = snapshot::to_hex(module.sha256);
    json["size"] = json_number(module.size);
    json["embedded"] = module.embedded;
    json["at_hand"] = i < subject.modules.size() && subject.modules[i].module != nullptr;
    modules.push_back(std::move(json));
  }
  Json json = {{"modules", std::move(modules)},
               {"instances", subject.records.instances.size()},
               {"functions", subject.records.funcs.size()},
               {"deterministic", subject.records.deterministic}};
  if (const auto& base = subject.records.base) {
    json["base"] = {{"name", base->name}, {"state_sha256", snapshot::to_hex(base->digest)}};
  }
  return json;
}

Json json_of_machine(const Subject& subject, FrameParts parts, bool sources) {
  const MachineImage& machine = subject.records.machine;
  const Stack stack = stack_of(subject, sources);
  Json json = {{"entry", subject.names.function(raw(machine.entry))}};
  if (machine.steps) json["steps"] = json_number(*machine.steps);
  if (machine.pending) json["pending"] = of_call(*machine.pending, subject.names);
  if (machine.waited) json["waited"] = std::to_string(*machine.waited);
  if (machine.next) json["next"] = of_call(*machine.next, subject.names);
  if (stack.omitted != 0) json["frames_omitted"] = stack.omitted;
  Json frames = Json::array();
  size_t left = kMaxValues;
  for (const FrameView& view : stack.frames) {
    Json frame = {{"function", view.name}, {"address", view.function}, {"position", view.position}};
    if (!view.instruction.empty()) frame["instruction"] = view.instruction;
    if (view.source) {
      frame["source"] = {{"file", view.source->file}, {"line", view.source->line}, {"column", view.source->column}};
    }
    const size_t values = (parts.locals ? view.locals.size() : 0) + (parts.operands ? view.operands.size() : 0);
    if (values > left) {
      json["values_omitted"] = true;
      frames.push_back(std::move(frame));
      continue;
    }
    left -= values;
    if (parts.locals) {
      Json locals = of_values(view.locals, subject.names);
      for (size_t i = 0; i < view.locals.size(); ++i) {
        const std::string local = subject.names.local(view.function, static_cast<uint32_t>(i));
        if (!local.empty()) locals[i]["name"] = local;
      }
      frame["locals"] = std::move(locals);
    }
    if (parts.operands) frame["operands"] = of_values(view.operands, subject.names);
    frames.push_back(std::move(frame));
  }
  json["frames"] = std::move(frames);
  return json;
}

Json json_of_memories(const Subject& subject) {
  Json list = Json::array();
  for (uint32_t i = 0; i < subject.records.memories.size(); ++i) {
    Json json;
    add_limits(json, subject.records.memories[i].type.limits);
    json["pages"] = json_number(subject.records.memories[i].pages);
    json["page_bytes"] = json_number(uint64_t{1} << subject.records.memories[i].type.page_exponent);
    json["blocks"] = json_number(used_blocks(subject, i));
    list.push_back(std::move(json));
  }
  return list;
}

Json json_of_tables(const Subject& subject) {
  Json list = Json::array();
  size_t left = kMaxElements;
  for (const snapshot::TableRecord& table : subject.records.tables) {
    Json json = {{"type", name(table.type.element)}};
    add_limits(json, table.type.limits);
    add_elements(json, table.type.element, table.elements, subject.names, left);
    list.push_back(std::move(json));
  }
  return list;
}

Json json_of_globals(const Subject& subject) {
  Json list = Json::array();
  for (uint32_t i = 0; i < subject.records.globals.size(); ++i) {
    const GlobalInst& global = subject.records.globals[i];
    Json json = json_of_value(value_of(global), subject.names);
    json["mutable"] = global.type.is_mutable;
    if (const std::string name = subject.names.global_name(i); !name.empty()) json["name"] = name;
    list.push_back(std::move(json));
  }
  return list;
}

Json json_of_segments(const Subject& subject) {
  Json elems = Json::array();
  size_t left = kMaxElements;
  for (const snapshot::ElemRecord& elem : subject.records.elems) {
    Json json = {{"type", name(elem.type)}, {"dropped", elem.dropped}};
    add_elements(json, elem.type, elem.elements, subject.names, left);
    elems.push_back(std::move(json));
  }
  Json datas = Json::array();
  for (const uint8_t dropped : subject.records.datas_dropped) datas.push_back({{"dropped", dropped != 0}});
  return {{"elems", std::move(elems)}, {"datas", std::move(datas)}};
}

Json json_of_wasi(const Subject& subject) {
  if (!subject.records.wasi) return nullptr;
  const wasi::State& wasi = *subject.records.wasi;
  Json json = {{"args", wasi.args}, {"environ", wasi.environ}, {"monotonic", std::to_string(wasi.monotonic)}};
  if (wasi.random) json["random"] = hex(*wasi.random);
  if (wasi.sleep) json["sleep_elapsed"] = std::to_string(wasi.sleep->elapsed);
  Json descriptors = Json::array();
  for (const wasi::DescriptorRecord& d : wasi.descriptors) descriptors.push_back(of_descriptor(d));
  json["descriptors"] = std::move(descriptors);
  Json removed = Json::array();
  for (const std::vector<uint8_t>& file : wasi.removed_files) removed.push_back({{"size", file.size()}});
  json["removed_files"] = std::move(removed);
  return json;
}

}  // namespace chiwawa::inspect
