// Every check that a snapshot must pass before it is continued, one by one.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "inspect/text.hpp"
#include "inspect/views.hpp"

namespace chiwawa::inspect {

struct CheckResult {
  enum class Status : uint8_t { Passed, Failed, NotDone };
  std::string name;     ///< "header"
  std::string meaning;  ///< "the file begins as a snapshot does"
  Status status = Status::NotDone;
  std::string detail;  ///< what was found, what is wrong, or why it was not done
};

struct Verification {
  std::vector<CheckResult> checks;
  bool unsupported = false;  ///< failed because the file is of another version

  bool passed() const;  ///< whether nothing failed
};

/// Checks all of a file, given by `bytes` or, without them, by `path`; with modules (decoded; those of the snapshot are
/// looked for by their SHA-256, also among the embedded ones) also the state against them, by restoring it for trial.
/// `folder`: where bases are looked for. Never fails itself: what goes wrong is in the result.
Verification verify_snapshot(const std::vector<uint8_t>* bytes, const std::string& path, const std::string& folder,
                             std::span<const std::shared_ptr<const Module>> modules);

void print_verification(Text& out, const Verification& verification);
Json json_of_verification(const Verification& verification);

}  // namespace chiwawa::inspect
