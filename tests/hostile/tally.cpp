#include "hostile/tally.hpp"

#include <algorithm>
#include <filesystem>

#include "interp/decode.hpp"
#include "interp/validate.hpp"
#include "spec/files.hpp"

namespace chiwawa::hostile {
namespace {

constexpr uint32_t kMaxDepth = 500;

HostResult return_zeros(HostCall& call, void* context) {
  const auto results = reinterpret_cast<uintptr_t>(context);
  for (size_t i = 0; i < results; ++i) call.result(i, 0);
  return HostResult::done();
}

/// What the import of that number asks for. A limit that is too large fails as in real life.
Result<Extern> make_extern(Store& store, const Module& module, const Import& import) {
  const std::vector<uint32_t> ids = store.add_types(module);
  switch (import.kind) {
    case ExternKind::Func: {
      const FuncType type = TypeSpace::renumber(module.function_type(import.index), ids);
      return Extern{ExternKind::Func, raw(store.add_host_function(stub_function(import.module, import.name, type)))};
    }
    case ExternKind::Table: {
      TableType type = module.tables[import.index].type;
      type.element = TypeSpace::renumber(type.element, ids);
      const Result<TableAddr> table = store.add_table(type, kNullRef);
      if (!table) return table.error();
      return Extern{ExternKind::Table, raw(*table)};
    }
    case ExternKind::Memory: {
      const Result<MemAddr> memory = store.add_memory(module.memories[import.index]);
      if (!memory) return memory.error();
      return Extern{ExternKind::Memory, raw(*memory)};
    }
    case ExternKind::Global: {
      GlobalType type = module.globals[import.index].type;
      type.type = TypeSpace::renumber(type.type, ids);
      return Extern{ExternKind::Global, raw(store.add_global(type, 0))};
    }
    case ExternKind::Tag: return Extern{ExternKind::Tag, raw(store.add_tag(ids[module.tags[import.index].type_index]))};
  }
  return Error{Phase::Link, "unknown kind of import"};
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
    const Result<Extern> item = make_extern(*world.store, *world.module, import);
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
