// The JSON form of a snapshot. 64-bit numbers that a script could not hold exactly are strings.
#include "interp/utf8.hpp"
#include "snapshot/print.hpp"

namespace chiwawa::snapshot {

namespace {

class Json {
 public:
  void open(char bracket) {
    separate();
    text += bracket;
    first_ = true;
  }
  void close(char bracket) {
    text += bracket;
    first_ = false;
  }
  void key(const char* name) {
    separate();
    text += '"';
    text += name;
    text += "\":";
    first_ = true;
  }
  void number(uint64_t value) {
    separate();
    text += std::to_string(value);
  }
  void boolean(bool value) {
    separate();
    text += value ? "true" : "false";
  }
  void string(std::string_view value) {
    separate();
    const bool utf8 = is_utf8({reinterpret_cast<const uint8_t*>(value.data()), value.size()});
    text += '"';
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        text += '\\';
        text += c;
      } else if (byte < 0x20 || byte == 0x7F) {
        text += "\\u00" + hex(byte, 2).substr(2);
      } else if (byte >= 0x80 && !utf8) {
        text += "\\ufffd";
      } else {
        text += c;
      }
    }
    text += '"';
  }
  void member(const char* name, uint64_t value) {
    key(name);
    number(value);
  }
  void member(const char* name, bool value) {
    key(name);
    boolean(value);
  }
  void member(const char* name, std::string_view value) {
    key(name);
    string(value);
  }
  void member(const char* name, const char* value) { member(name, std::string_view(value)); }

  std::string text;

 private:
  void separate() {
    if (!first_) text += ',';
    first_ = false;
  }
  bool first_ = true;
};

std::string bits_text(const Value& value) { return is_vec(value.type) ? number(value) : hex(value.bits); }

void add(Json& json, const Value& value, const Names& names) {
  json.open('{');
  json.member("type", name(value.type));
  json.member("value", is_ref(value.type) ? names.reference(value.type, value.bits) : number(value));
  json.member("bits", bits_text(value));
  json.close('}');
}

void add(Json& json, const char* key, std::span<const Value> values, const Names& names) {
  json.key(key);
  json.open('[');
  for (const Value& value : values) add(json, value, names);
  json.close(']');
}

void add(Json& json, const char* key, const std::vector<std::string>& strings) {
  json.key(key);
  json.open('[');
  for (const std::string& string : strings) json.string(string);
  json.close(']');
}

void add(Json& json, const Limits& limits) {
  json.member("min", limits.min);
  if (limits.max) json.member("max", *limits.max);
}

template <typename Call>
void add_call(Json& json, const char* key, const Call& call, const Names& names) {
  json.key(key);
  json.open('{');
  json.member("function", names.function(raw(call.function)));
  json.member("address", uint64_t{raw(call.function)});
  add(json, "args", call.args, names);
  json.close('}');
}

void add(Json& json, const MachineImage& machine, const Names& names) {
  json.open('{');
  json.member("entry", names.function(raw(machine.entry)));
  if (machine.steps) json.member("steps", *machine.steps);
  if (machine.pending) add_call(json, "pending", *machine.pending, names);
  if (machine.next) add_call(json, "next", *machine.next, names);
  json.key("frames");
  json.open('[');
  size_t at = 0;
  for (const FrameImage& frame : machine.frames) {
    json.open('{');
    json.member("function", names.function(raw(frame.function)));
    json.member("address", uint64_t{raw(frame.function)});
    json.member("position", uint64_t{frame.position});
    const auto values = std::span(machine.values).subspan(at, frame.local_count + frame.operand_count);
    add(json, "locals", values.first(frame.local_count), names);
    add(json, "operands", values.subspan(frame.local_count), names);
    at += values.size();
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

void add(Json& json, const wasi::State& wasi) {
  json.open('{');
  add(json, "args", wasi.args);
  add(json, "environ", wasi.environ);
  json.member("monotonic", std::to_string(wasi.monotonic));
  if (wasi.sleep) json.member("sleep_elapsed", std::to_string(wasi.sleep->elapsed));
  json.key("descriptors");
  json.open('[');
  for (const wasi::DescriptorRecord& d : wasi.descriptors) {
    json.open('{');
    json.member("number", uint64_t{d.number});
    json.member("kind", name(d.kind));
    json.member("rights_base", hex(d.rights_base));
    json.member("rights_inheriting", hex(d.rights_inheriting));
    json.member("fdflags", uint64_t{d.fdflags});
    if (!d.preopen.empty()) json.member("preopen", d.preopen);
    if (!d.path.empty()) json.member("path", d.path);
    if (d.removed_file) json.member("removed_file", uint64_t{*d.removed_file});
    if (d.elsewhere) json.member("elsewhere", true);
    if (d.kind == wasi::DescriptorKind::Listener) {
      json.member("listener", uint64_t{d.listener});
      json.member("address", d.address);
    }
    if (d.kind == wasi::DescriptorKind::File) {
      json.member("offset", std::to_string(d.offset));
      json.member("size", std::to_string(d.size));
      json.member("mtime", std::to_string(d.mtime));
    }
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

void add_store(Json& json, const Records& records, const Names& names) {
  json.key("memories");
  json.open('[');
  for (uint32_t m = 0; m < records.memories.size(); ++m) {
    json.open('{');
    add(json, records.memories[m].type.limits);
    json.member("pages", records.memories[m].pages);
    json.member("blocks", records.memories[m].listed_blocks);
    json.close('}');
  }
  json.close(']');
  json.key("tables");
  json.open('[');
  for (const TableRecord& table : records.tables) {
    json.open('{');
    json.member("type", name(table.type.element));
    add(json, table.type.limits);
    json.key("elements");
    json.open('[');
    for (const uint64_t ref : table.elements) json.string(names.reference(table.type.element, ref));
    json.close(']');
    json.close('}');
  }
  json.close(']');
  json.key("globals");
  json.open('[');
  for (const GlobalInst& global : records.globals) {
    json.open('{');
    json.member("type", name(global.type.type));
    json.member("mutable", global.type.is_mutable);
    const Value value = global.value();
    json.member("value", is_ref(value.type) ? names.reference(value.type, value.bits) : number(value));
    json.member("bits", bits_text(value));
    json.close('}');
  }
  json.close(']');
  json.key("elems_dropped");
  json.open('[');
  for (const ElemRecord& elem : records.elems) json.boolean(elem.dropped);
  json.close(']');
  json.key("datas_dropped");
  json.open('[');
  for (const uint8_t dropped : records.datas_dropped) json.boolean(dropped != 0);
  json.close(']');
}

}  // namespace

std::string print_json(const FileFacts& file, const Records& records, const Names& names) {
  Json json;
  json.open('{');
  json.member("file", file.name);
  json.member("size", file.size);
  json.member("format", std::to_string(file.header.major) + "." + std::to_string(file.header.minor));
  json.member("writer", file.header.writer);
  json.member("state_sha256", to_hex(file.state_digest));
  json.key("modules");
  json.open('[');
  for (const ModuleRecord& module : records.modules) {
    json.open('{');
    if (!module.name.empty()) json.member("name", module.name);
    json.member("sha256", to_hex(module.sha256));
    json.member("size", module.size);
    json.close('}');
  }
  json.close(']');
  json.member("instances", uint64_t{records.instances.size()});
  json.member("functions", uint64_t{records.funcs.size()});
  json.key("machine");
  add(json, records.machine, names);
  add_store(json, records, names);
  if (records.wasi) {
    json.key("wasi");
    add(json, *records.wasi);
  }
  json.close('}');
  return json.text + "\n";
}

}  // namespace chiwawa::snapshot
