#include "spec/needs.hpp"

#include <algorithm>

#include "interp/decode.hpp"
#include "interp/validate.hpp"
#include "spec/files.hpp"

namespace chiwawa::spec {

namespace {

std::optional<Json> read_json(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  if (!bytes) return std::nullopt;
  Json json = Json::parse(bytes->begin(), bytes->end(), nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

std::string group_of(const std::string& id) { return id.substr(0, id.find('/')); }

/// The feature that the error names, or "".
std::string named_feature(const Error& error) {
  constexpr std::string_view kBefore = "the feature ", kAfter = " is off";
  const std::string& cause = error.cause;
  if (error.phase != Phase::Validate || !cause.starts_with(kBefore) || !cause.ends_with(kAfter)) return "";
  return cause.substr(kBefore.size(), cause.size() - kBefore.size() - kAfter.size());
}

std::string list(const std::vector<FeatureInfo>& features) {
  std::string text;
  for (const FeatureInfo& info : features) (text += text.empty() ? "" : " ") += info.name;
  return "[" + text + "]";
}

bool builds_on(const FeatureInfo& info, Feature base) {
  if (info.feature == base) return true;
  const FeatureInfo* const next = find_feature(name(info.base));
  return next != nullptr && builds_on(*next, base);
}

/// Why a module may be refused though all is on that the table says: where the table, which was made with another
/// validator, knowingly says too little. Otherwise "".
std::string known_difference(const Module& module, const std::string& named, uint64_t offset, bool needs_nothing) {
  if (named == "mutable-global" && needs_nothing) {
    return "needs.json leaves out modules that need mutable-global and nothing else";
  }
  if (named == "bulk-memory" && offset == module.section_offsets[12]) {
    return "needs.json counts the data count section as the MVP's";
  }
  const auto segment = std::find_if(module.elems.begin(), module.elems.end(),
                                    [&](const ElemSegment& candidate) { return candidate.position == offset; });
  if (segment == module.elems.end()) return "";
  if (named == "bulk-memory" && segment->mode == SegmentMode::Active && module.bytes[segment->position] != 0) {
    return "needs.json counts active element segments with flags as the MVP's, where these were a table index";
  }
  if (named == "reference-types" && segment->mode == SegmentMode::Declarative) {
    return "needs.json counts declarative element segments to bulk-memory";
  }
  return "";
}

}  // namespace

std::optional<NeedsChecker> NeedsChecker::open(const std::filesystem::path& vectors) {
  std::optional<Json> needs = read_json(vectors / "needs.json");
  if (!needs) return std::nullopt;
  NeedsChecker checker;
  checker.vectors_ = vectors;
  checker.needs_ = std::move(*needs);
  for (const auto& [file, features] : checker.needs_.items()) checker.groups_.insert(group_of(file));
  return checker;
}

Tally NeedsChecker::run(const std::string& id) const {
  Tally tally;
  const std::optional<Json> script = read_json(vectors_ / id / (id.substr(id.find('/') + 1) + ".json"));
  if (!script || !script->contains("commands")) {
    tally.failures.push_back(id + ": the JSON file is missing or broken");
    return tally;
  }
  for (const Json& command : (*script)["commands"]) {
    if (text(command, "type") != "module" || text(command, "module_type") == "text") continue;
    if (!groups_.contains(group_of(id))) {
      ++tally.skipped["needs.json has nothing about the group " + group_of(id)];
      continue;
    }
    const std::string file = id + "/" + text(command, "filename");
    auto bytes = read_file(vectors_ / file);
    const Result<Module> module = bytes ? decode(std::move(*bytes)) : Error{Phase::Io, "cannot read the module"};
    if (module) {
      check(file, *module, tally);
    } else {
      tally.failures.push_back(file + ": " + describe(module.error()));
    }
  }
  return tally;
}

void NeedsChecker::check(const std::string& file, const Module& module, Tally& tally) const {
  std::vector<FeatureInfo> needed;
  for (const Json& name : needs_.value(file, Json::array())) {
    const FeatureInfo* const info = find_feature(name.get<std::string>());
    if (info == nullptr) {
      tally.failures.push_back(file + ": needs.json names an unknown feature: " + name.dump());
      return;
    }
    needed.push_back(*info);
  }
  const auto expect = [&](bool good, const std::string& failure) {
    if (good) {
      ++tally.passed;
    } else {
      tally.failures.push_back(file + ": " + failure);
    }
  };

  FeatureSet enough;
  FeatureSet others = FeatureSet::all();
  for (const FeatureInfo& info : needed) {
    enough = enough.with(info.feature);
    others = others.without(info.feature);
  }
  for (;;) {
    const Result<void> accepted = validate(module, enough);
    const std::string missing = accepted ? "" : named_feature(accepted.error());
    const std::string reason =
        missing.empty() ? "" : known_difference(module, missing, accepted.error().offset, needed.empty());
    if (reason.empty()) {
      expect(bool(accepted),
             "with what it needs, " + list(needed) + ": " + (accepted ? "" : describe(accepted.error())));
      break;
    }
    // It must be accepted with that, then.
    ++tally.skipped[reason];
    enough = enough.with(find_feature(missing)->feature);
  }
  if (needed.empty()) return;
  const Result<void> refused = validate(module, others);
  const std::string named = refused ? "" : named_feature(refused.error());
  expect(std::any_of(needed.begin(), needed.end(), [&](const FeatureInfo& info) { return info.name == named; }),
         "without " + list(needed) + ": " + (refused ? "accepted" : describe(refused.error())));
  for (const FeatureInfo& info : needed) {
    const Result<void> result = validate(module, FeatureSet::all().without(info.feature));
    const FeatureInfo* const culprit = result ? nullptr : find_feature(named_feature(result.error()));
    expect(culprit != nullptr && builds_on(*culprit, info.feature),
           "without " + std::string(info.name) + ": " + (result ? "accepted" : describe(result.error())));
  }
}

}  // namespace chiwawa::spec
