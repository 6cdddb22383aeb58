// What the vectors' table needs.json says about the features of each module, compared with what validate() says.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "spec/file_runner.hpp"

namespace chiwawa::spec {

class NeedsChecker {
 public:
  /// Empty if the table is missing or broken.
  static std::optional<NeedsChecker> open(const std::filesystem::path& vectors);

  /// For each valid module of a file, "group/name": it is accepted with the features of its list and the first
  /// version's; refused when all of its list are off, with the name of one of them; and for each feature of its list it
  /// is refused when that and what builds on it is off, with such a name. Every such comparison counts as passed or
  /// failed; a feature that the table should name but does not, for a known reason, as skipped.
  Tally run(const std::string& id) const;

 private:
  NeedsChecker() = default;
  void check(const std::string& file, const Module& module, Tally& tally) const;

  std::filesystem::path vectors_;
  Json needs_;
  std::set<std::string> groups_;  ///< that the table knows
};

}  // namespace chiwawa::spec
