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
  const Result<void> accepted = validate(module, enough);
  expect(bool(accepted),
         "refused with all that it needs, " + list(needed) + ": " + (accepted ? "" : describe(accepted.error())));
  if (needed.empty()) return;
  const Result<void> refused = validate(module, others);
  const std::string named = refused ? "" : named_feature(refused.error());
  expect(std::any_of(needed.begin(), needed.end(), [&](const FeatureInfo& info) { return info.name == named; }),
         "without " + list(needed) + ": " + (refused ? "accepted" : describe(refused.error())));
  for (const FeatureInfo& info : needed) {
    const Result<void> result = validate(module, FeatureSet::all().without(info.feature));
    expect(!result && named_feature(result.error()) == info.name,
           "without " + std::string(info.name) + ": " + (result ? "accepted" : describe(result.error())));
  }
}

}  // namespace chiwawa::spec
