// Executes the commands of one file of vectors.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "interp/outcome.hpp"
#include "interp/result.hpp"
#include "spec/spectest.hpp"
#include "spec/values.hpp"
#include "spec/world.hpp"

namespace chiwawa::spec {

/// How the commands of a file, or of several, ended.
struct Tally {
  uint64_t passed = 0;
  std::vector<std::string> failures;
  std::map<std::string, uint64_t> skipped;  ///< by reason

  uint64_t skipped_total() const;
  void add(const Tally& other);
};

class FileRunner {
 public:
  /// `id` is "group/name"; the commands are in vectors/group/name/name.json.
  FileRunner(std::filesystem::path vectors, std::string id, const Mode& mode);

  Tally run();
  const World& world() const { return world_; }

 private:
  /// A module instance that commands speak of, or why there is none.
  struct Target {
    std::optional<uint32_t> instance;  // its number in the store
    std::string skipped;
  };
  /// How one command ended.
  struct Verdict {
    enum class Kind { Passed, Failed, Skipped } kind = Kind::Passed;
    std::string why;
  };
  static Verdict passed() { return {}; }
  static Verdict failed(std::string why) { return {Verdict::Kind::Failed, std::move(why)}; }
  static Verdict skipped(std::string why) { return {Verdict::Kind::Skipped, std::move(why)}; }

  using ModulePtr = std::shared_ptr<const Module>;

  Verdict execute(const Json& command);
  Verdict execute_module(const Json& command);
  Verdict execute_definition(const Json& command);
  Verdict execute_module_instance(const Json& command);
  Verdict execute_register(const Json& command);
  Verdict execute_action(const Json& command);
  Verdict expect_rejected(const Json& command, Phase phase);
  Verdict expect_not_instantiated(const Json& command, bool by_trap);

  /// Instantiates and makes it the current module, also under `name` if that is not empty.
  Verdict make_current(const std::string& file, const std::string& name);

  /// Decoded and validated.
  Result<ModulePtr> load(const std::string& file) const;
  /// "skipped" is set when a module it imports from is.
  Result<std::vector<Extern>> find_imports(const Module& module, std::string& skipped);
  /// Instantiates and runs the start function. Finished with no values when all went well.
  struct Made {
    Outcome outcome;
    uint32_t instance = 0;
  };
  Result<Made> instantiate_module(const ModulePtr& module, std::string& skipped);

  const Target& find_target(const std::string& name) const;
  /// Performs "action"; a `get` is Finished with the global's value.
  Result<Outcome> perform(const Json& action, std::string& skipped);

  std::filesystem::path vectors_;
  std::string id_;
  World world_;
  HostModule spectest_;
  Target current_;
  std::map<std::string, Target, std::less<>> named_;
  std::map<std::string, Target, std::less<>> registered_;
  std::map<std::string, std::string, std::less<>> definitions_;  // name -> file
};

}  // namespace chiwawa::spec
