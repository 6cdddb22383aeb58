#include "hostile/tally.hpp"

#include <algorithm>
#include <filesystem>

#include "interp/decode.hpp"
#include "interp/validate.hpp"
#include "spec/files.hpp"
#include "stub_imports.hpp"

namespace chiwawa::hostile {
namespace {

constexpr uint32_t kMaxDepth = 500;

HostResult return_zeros(HostCall& call, void* context) {
  const auto results = reinterpret_cast<uintptr_t>(context);
  for (size_t i = 0; i < results; ++i) call.result(i, 0);
  return HostResult::done();
}

/// Bytes. What is larger takes long and tells little more.
constexpr size_t kLargest = 50'000;

void collect(const std::filesystem::path& path, Corpus& corpus) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    std::vector<std::filesystem::path> inside;
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) inside.push_back(entry.path());
    std::sort(inside.begin(), inside.end());
    for (const std::filesystem::path& each : inside) collect(each, corpus);
  } else if (path.extension() == ".wasm") {
    auto bytes = spec::read_file(path);
    if (bytes && bytes->size() <= kLargest) corpus.push_back({path.filename().string(), std::move(*bytes)});
  }
}

}  // namespace

Corpus collect_corpus(std::span<const std::string> paths) {
  Corpus corpus;
  for (const std::string& path : paths) collect(path, corpus);
  return corpus;
}

void Tally::refused(const Error& error, size_t input_size, const std::string& input) {
  ++ends[std::string("refused: ") + name(error.phase)];
  if (error.cause.empty()) problems.push_back(input + ": an error without a cause");
  if (error.offset != Error::kNoOffset && error.offset > input_size) {
    problems.push_back(input + ": " + describe(error) + ", but there are only " + std::to_string(input_size) +
                       " bytes");
  }
}

Result<std::shared_ptr<const Module>> load(Bytes bytes) {
  Result<Module> module = decode(std::move(bytes));
  if (!module) return module.error();
  CHIWAWA_TRY(validate(*module));
  return std::shared_ptr<const Module>(std::make_shared<const Module>(std::move(*module)));
}

HostFunction stub_function(std::string module, std::string name, FuncType type) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a number, in place of something that would have to outlive the store
  void* const results = reinterpret_cast<void*>(static_cast<uintptr_t>(type.results.size()));
  return {std::move(module), std::move(name), std::move(type), return_zeros, results};
}

Result<World> make_world(std::shared_ptr<const Module> module) {
  World world;
  world.module = std::move(module);
  world.store = std::make_unique<Store>();
  world.store->limits = kHostileLimits;
  world.store->compile_options = kHostileCode;
  std::vector<Extern> imports;
  for (const Import& import : world.module->imports) {
    const Result<Extern> item = test::add_stub_import(
        *world.store, *world.module, import,
        [](const Import& named, const FuncType& type) { return stub_function(named.module, named.name, type); },
        [](ValType) { return uint64_t{0}; });
    if (!item) return item.error();
    imports.push_back(*item);
  }
  const Result<Instantiation> made = instantiate(*world.store, world.module, imports);
  if (!made) return made.error();
  world.instance = made->instance;
  return world;
}

std::unique_ptr<Machine> make_machine(Store& store, Random& random) {
  MachineLimits limits;
  limits.max_call_depth = kMaxDepth;
  const bool tail = has_dispatch(Dispatch::Tail) && (!has_dispatch(Dispatch::Loop) || random.below(2) == 0);
  return std::make_unique<Machine>(store, limits, tail ? Dispatch::Tail : Dispatch::Loop);
}

}  // namespace chiwawa::hostile
