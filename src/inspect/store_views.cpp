// globals, tables and segments.
#include "inspect/views.hpp"

namespace chiwawa::inspect {

void print_globals(Text& out, const Subject& subject) {
  const auto& globals = subject.records.globals;
  for (uint32_t i = 0; i < globals.size(); ++i) {
    out.put(Tone::Name, padded(subject.names.global(i), 12))
        << "  " << (globals[i].type.is_mutable ? "mut   " : "const ") << subject.names.global_value(globals[i]) << "\n";
  }
  if (globals.empty()) out << "There are no globals.\n";
}

namespace {

/// Elements from `first` on; runs of null are one line.
void print_elements(Text& out, ValType type, const std::vector<uint64_t>& elements, const Names& names) {
  for (size_t i = 0; i < elements.size();) {
    size_t end = i + 1;
    if (elements[i] == kNullRef) {
      while (end < elements.size() && elements[end] == kNullRef) ++end;
    }
    const std::string range = end - i > 1 ? std::to_string(i) + "…" + std::to_string(end - 1) : std::to_string(i);
    out << "  " << padded("[" + range + "]", 10) << " ";
    if (elements[i] == kNullRef) {
      out.put(Tone::Dim, "null") << "\n";
    } else {
      out.put(Tone::Name, names.reference(type, elements[i])) << "\n";
    }
    i = end;
  }
}

}  // namespace

void print_tables(Text& out, const Subject& subject) {
  const auto& tables = subject.records.tables;
  for (uint32_t i = 0; i < tables.size(); ++i) {
    out.put(Tone::Title, subject.names.table(i))
        << ": " << plural(tables[i].elements.size(), "element", "elements") << " of " << name(tables[i].type.element)
        << ", " << maximum(tables[i].type.limits) << "\n";
    print_elements(out, tables[i].type.element, tables[i].elements, subject.names);
  }
  if (tables.empty()) out << "There are no tables.\n";
}

void print_segments(Text& out, const Subject& subject) {
  const auto& elems = subject.records.elems;
  for (uint32_t i = 0; i < elems.size(); ++i) {
    out.put(Tone::Title, subject.names.elem(i)) << ": ";
    if (elems[i].dropped) {
      out.put(Tone::Dim, "dropped") << "\n";
      continue;
    }
    out << plural(elems[i].elements.size(), "element", "elements") << " of " << name(elems[i].type) << "\n";
    print_elements(out, elems[i].type, elems[i].elements, subject.names);
  }
  const auto& datas = subject.records.datas_dropped;
  for (uint32_t i = 0; i < datas.size(); ++i) {
    out.put(Tone::Title, subject.names.data(i)) << ": ";
    out.put(datas[i] != 0 ? Tone::Dim : Tone::Plain, datas[i] != 0 ? "dropped" : "there, its bytes are in the module")
        << "\n";
  }
  if (elems.empty() && datas.empty()) out << "There are no segments.\n";
}

}  // namespace chiwawa::inspect
