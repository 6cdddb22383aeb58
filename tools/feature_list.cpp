#include "feature_list.hpp"

#include <algorithm>
#include <cstdio>

namespace chiwawa::tools {

namespace {

struct Base {
  std::string_view name;
  FeatureSet features;
};

constexpr Base kBases[] = {
    {"mvp", FeatureSet()},
    {"wasm1", FeatureSet::up_to(Standard::Wasm1)},
    {"wasm2", FeatureSet::up_to(Standard::Wasm2)},
    {"wasm3", FeatureSet::up_to(Standard::Wasm3)},
    {"all", FeatureSet::all()},
};

std::string all_names() {
  std::string names;
  for (const Base& base : kBases) (names += base.name) += ", ";
  names += "list";
  for (const FeatureInfo& info : kFeatures) (names += ", ") += info.name;
  return names;
}

/// Whether the word is known.
bool apply(std::string_view word, FeatureList& list) {
  if (word == "list" || word == "help") {
    list.show = true;
    return true;
  }
  for (const Base& base : kBases) {
    if (word != base.name) continue;
    list.enabled = base.features;
    return true;
  }
  const bool off = word.starts_with('-');
  if (off || word.starts_with('+')) word.remove_prefix(1);
  const FeatureInfo* const info = find_feature(word);
  if (info == nullptr) return false;
  list.enabled = off ? list.enabled.without(info->feature) : list.enabled.with(info->feature);
  return true;
}

const char* text_of(Standard standard) {
  switch (standard) {
    case Standard::Wasm1: return "1.0";
    case Standard::Wasm2: return "2.0";
    case Standard::Wasm3: return "3.0";
    case Standard::Beyond: return "-";
  }
  return "?";
}

}  // namespace

std::string parse_feature_list(std::string_view text, FeatureList& list) {
  list = {};
  for (;;) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view word = text.substr(0, comma);
    if (!apply(word, list)) return "unknown feature \"" + std::string(word) + "\"; there are " + all_names();
    if (comma == text.size()) return "";
    text.remove_prefix(comma + 1);
  }
}

std::string feature_table(FeatureSet enabled) {
  std::string table;
  const auto row = [&](std::string_view name, const char* standard, const char* on, std::string_view description) {
    char line[160];
    std::snprintf(line, sizeof line, "%-24s %-9s %-4s ", std::string(name).c_str(), standard, on);
    ((table += line) += description) += '\n';
  };
  row("feature", "standard", "on", "what it is");
  for (const FeatureInfo& info : kFeatures) {
    row(info.name, text_of(info.standard), enabled.has(info.feature) ? "yes" : "no", info.description);
  }
  return table;
}

}  // namespace chiwawa::tools
