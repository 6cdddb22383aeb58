#include "snapshot_tool.hpp"

#include <algorithm>
#include <cstdio>

#include "interp/decode.hpp"
#include "snapshot/hash.hpp"

namespace chiwawa::tools {

namespace {

Result<std::shared_ptr<const Module>> read_module(const std::string& path) {
  Result<std::vector<uint8_t>> bytes = snapshot::read_file(path);
  if (!bytes) return bytes.error();
  Result<Module> module = decode(std::move(*bytes));
  if (!module) return module.error();
  return std::make_shared<const Module>(std::move(*module));
}

}  // namespace

Result<void> SnapshotFile::open() {
  if (path == "-") {
    source.use(0, "standard input");
  } else {
    CHIWAWA_TRY(source.open(path));
  }
  CHIWAWA_TRY(reader.open());
  modules.resize(reader.records().modules.size());
  return {};
}

void SnapshotFile::take_modules(const std::vector<std::shared_ptr<const Module>>& candidates) {
  for (const auto& candidate : candidates) {
    const snapshot::Sha256 hash = snapshot::sha256(candidate->bytes);
    for (size_t i = 0; i < modules.size(); ++i) {
      if (reader.records().modules[i].sha256 == hash) modules[i] = candidate;
    }
  }
}

std::optional<std::vector<std::shared_ptr<const Module>>> read_modules(std::string_view program,
                                                                       const std::vector<std::string>& paths) {
  std::vector<std::shared_ptr<const Module>> modules;
  for (const std::string& path : paths) {
    auto module = read_module(path);
    if (!module) {
      print_problem(program, path, module.error());
      return std::nullopt;
    }
    modules.push_back(std::move(*module));
  }
  return modules;
}

void print_problem(std::string_view program, const std::string& file, const Error& error) {
  std::fprintf(stderr, "%.*s: %s: %s\n", static_cast<int>(program.size()), program.data(), printable(file).c_str(),
               printable(describe(error)).c_str());
}

bool print_text(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

}  // namespace chiwawa::tools
