// One run of a subject, written down.
#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

#include "differential/lines.hpp"
#include "differential/subject.hpp"
#include "hostile/mutate.hpp"
#include "interp/instantiate.hpp"
#include "snapshot/hash.hpp"
#include "stub_imports.hpp"
#include "wasi/host_os_memory.hpp"
#include "wasi/wasi.hpp"

namespace chiwawa::differential {
namespace {

/// Bytes. Growing beyond it fails on every machine.
constexpr uint64_t kMostMemory = uint64_t{64} << 20;
/// Of the hosts that wasm programs run in.
constexpr uint64_t kHostNumber = 6;
/// How often each function is called whose arguments are not the same every time.
constexpr int kRounds = 3;

std::string json_text(const std::string& text) {
  using Json = nlohmann::json;
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

class Recorder {
 public:
  Recorder(const Subject& subject, const spec::Mode& mode)
      : subject_(subject),
        module_(*subject.module),
        world_(mode, [this](std::string_view module, std::string_view name) { return host_function(module, name); }) {}

  Result<Transcript> run() {
    CHIWAWA_TRY(make_wasi());
    Store& store = world_.store();
    store.limits.max_memory = kMostMemory;
    std::vector<Extern> imports;
    for (const Import& import : module_.imports) {
      const Result<Extern> item = add_import(import);
      if (!item) return item.error();
      imports.push_back(*item);
    }
    for (const Export& item : module_.exports) {
      if (item.kind == ExternKind::Func) {
        note("export func " + item.name + " " + name(module_.function_type(item.index)));
      }
    }
    const Result<Instantiation> made = instantiate(store, subject_.module, imports);
    if (!made) return made.error();
    Outcome started;
    if (made->trap != TrapKind::None) {
      started.kind = Outcome::Kind::Trapped;
      started.trap.kind = made->trap;
      note("instantiate " + text(started));
    } else {
      CHIWAWA_TRY(call_exports());
    }
    note_state();
    transcript_.steps = world_.steps();
    transcript_.stops = world_.stops();
    return std::move(transcript_);
  }

 private:
  void note(std::string line) { transcript_.lines.push_back(std::move(line)); }

  Result<void> make_wasi() {
    const bool wanted = std::any_of(module_.imports.begin(), module_.imports.end(),
                                    [](const Import& import) { return import.module.starts_with("wasi_"); });
    if (!wanted) return {};
    host_ = std::make_shared<wasi::MemoryHost>();
    host_->input = subject_.input;
    wasi::Config config;
    config.args = subject_.args;
    config.preopens = {{"/", ".", false}};
    config.host = host_;
    Result<std::unique_ptr<wasi::Wasi>> made = wasi::Wasi::create(std::move(config));
    if (!made) return made.error();
    wasi_ = std::move(*made);
    return {};
  }

  // --- what the module imports ---------------------------------------------------------------------------------------

  Result<Extern> add_import(const Import& import) {
    return test::add_stub_import(
        world_.store(), module_, import,
        [this](const Import& named, const FuncType& type) {
          note("import func " + named.module + " " + named.name + " " + name(type));
          if (wasi_) {
            if (auto function = wasi_->function(named.module, named.name)) return std::move(*function);
          }
          return remember(named.module, named.name, type);
        },
        [&](ValType type) {
          const Value value{type, is_ref(type) ? (is_nullable(type) ? kNullRef : kHostNumber + 1) : 42};
          note("import global " + import.module + " " + import.name + text(std::span(&value, 1)));
          return value.bits;
        });
  }

  /// A function that notes its arguments (`log-…`), traps (`throw`, and what would have to return a reference that is
  /// not null) or returns zeros.
  struct Stub {
    Recorder* recorder;
    std::string name;
    FuncType type;
  };

  HostFunction remember(const std::string& module, const std::string& name, const FuncType& type) {
    stubs_.push_back(std::make_unique<Stub>(Stub{this, name, type}));
    return {module, name, type, call_stub, stubs_.back().get()};
  }

  static HostResult call_stub(HostCall& call, void* context) {
    const Stub& stub = *static_cast<Stub*>(context);
    std::vector<Value> values;
    size_t slot = 0;
    for (const ValType type : stub.type.params) {
      // A reference's type is shown by the greatest one.
      const bool is_function = is_ref(type) && call.store.types.top(type) == ValType::FuncRef;
      values.push_back(
          {is_function ? ValType::FuncRef : type, call.slots[slot], is_vec(type) ? call.slots[slot + 1] : 0});
      slot += slots_of(type);
    }
    stub.recorder->note("called " + stub.name + text(values));
    const bool possible = std::all_of(stub.type.results.begin(), stub.type.results.end(), is_defaultable);
    if (stub.name == "throw" || !possible) return HostResult::trap("refused");
    for (size_t i = 0; i < slots_of(stub.type.results); ++i) call.result(i, 0);
    return HostResult::done();
  }

  std::optional<HostFunction> host_function(std::string_view module, std::string_view name) {
    if (wasi_) {
      if (auto function = wasi_->function(module, name)) return function;
    }
    // Imported twice under one name they differ in nothing but their type.
    for (const auto& stub : stubs_) {
      if (stub->name == name) return HostFunction{std::string(module), stub->name, stub->type, call_stub, stub.get()};
    }
    return std::nullopt;
  }

  // --- calls ---------------------------------------------------------------------------------------------------------

  /// The store is another one after every stop.
  Instance& instance() { return *world_.store().instances.front(); }

  Result<void> call_exports() {
    if (module_.start) {
      const Result<bool> goes_on = call("start", *module_.start);
      if (!goes_on) return goes_on.error();
      if (!*goes_on) return {};
    }
    for (int round = 0; round < (subject_.seed ? kRounds : 1); ++round) {
      for (const Export& item : module_.exports) CHIWAWA_TRY(call_export(item));
    }
    return {};
  }

  Result<void> call_export(const Export& item) {
    const auto& except = subject_.except;
    if (item.kind != ExternKind::Func || std::find(except.begin(), except.end(), item.name) != except.end()) return {};
    if (is_program(module_) && item.name != "_start") return {};
    const Result<bool> called = call("call " + item.name, item.index);
    if (!called) return called.error();
    return {};
  }

  /// Whether there may be others: not behind a start function that has not finished.
  Result<bool> call(const std::string& what, uint32_t function_index) {
    const FuncAddr function = instance().funcs[function_index];
    std::vector<Value> args;
    for (const ValType type : world_.store()[function].type.params) {
      if (!is_defaultable(type)) {
        note(what + " skipped: nothing to give for " + name(type));
        return true;
      }
      args.push_back(make_up(type));
    }
    const Result<Outcome> outcome = world_.invoke(function, args);
    if (!outcome) return outcome.error();
    if (outcome->kind == Outcome::Kind::Paused) return Error{Phase::Invoke, what + " does not end"};
    note(what + text(args) + " " + text(*outcome));
    return outcome->kind == Outcome::Kind::Finished || function_index != module_.start;
  }

  Value make_up(ValType type) {
    if (is_ref(type)) return {type, kNullRef};
    if (!subject_.seed) {
      switch (type) {
        case ValType::F32: return {type, 0x40E0'0000};
        case ValType::F64: return {type, 0x401C'0000'0000'0000};
        default: return {type, 7};
      }
    }
    static constexpr uint64_t kInteresting[] = {0, 1, 2, 7, 8, 100, 65535, 0x7FFF'FFFF, 0x8000'0000, ~uint64_t{0}};
    static constexpr uint64_t kFloats[] = {0, 0x8000'0000, 0x3F80'0000, 0xC0E0'0000, 0x4F00'0000, 0x7F80'0000, 1};
    static constexpr uint64_t kDoubles[] = {0,
                                            uint64_t{1} << 63,
                                            0x3FF0'0000'0000'0000,
                                            0xC01C'0000'0000'0000,
                                            0x41E0'0000'0000'0000,
                                            0x7FF0'0000'0000'0000,
                                            1};
    switch (type) {
      case ValType::I32: return {type, static_cast<uint32_t>(kInteresting[random_.below(std::size(kInteresting))])};
      case ValType::F32: return {type, kFloats[random_.below(std::size(kFloats))]};
      case ValType::F64: return {type, kDoubles[random_.below(std::size(kDoubles))]};
      case ValType::V128: return {type, random_.next(), random_.next()};
      default: return {type, kInteresting[random_.below(std::size(kInteresting))]};
    }
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  void note_state() {
    Store& store = world_.store();
    Instance& own = instance();
    for (size_t i = 0; i < own.memories.size(); ++i) {
      const MemInst& memory = store[own.memories[i]];
      note("memory " + std::to_string(i) + " pages " + std::to_string(memory.size_pages()) + " sha256 " +
           digest(memory.memory));
    }
    for (size_t i = 0; i < own.tables.size(); ++i) {
      const TableInst& table = store[own.tables[i]];
      std::string elements;
      for (const uint64_t element : table.elements) elements += element == kNullRef ? '-' : 'x';
      note("table " + std::to_string(i) + " " + std::to_string(table.elements.size()) + " sha256 " +
           snapshot::to_hex(snapshot::sha256({reinterpret_cast<const uint8_t*>(elements.data()), elements.size()})));
    }
    for (size_t i = 0; i < own.globals.size(); ++i) {
      Value value = store[own.globals[i]].value();
      value.type = store.types.top(value.type);
      note("global " + std::to_string(i) + text(std::span(&value, 1)));
    }
    if (!host_) return;
    note("stdout " + json_text(host_->output));
    note("stderr " + json_text(host_->errors));
    for (const std::string& path : host_->list_all()) note("file " + path);
  }

  const Subject& subject_;
  const Module& module_;
  std::shared_ptr<wasi::MemoryHost> host_;
  std::unique_ptr<wasi::Wasi> wasi_;
  std::vector<std::unique_ptr<Stub>> stubs_;
  spec::World world_;
  hostile::Random random_{subject_.seed.value_or(0)};
  Transcript transcript_;
};

}  // namespace

bool is_program(const Module& module) {
  const Export* const start = module.find_export("_start");
  return start != nullptr && start->kind == ExternKind::Func;
}

Result<Transcript> run(const Subject& subject, const spec::Mode& mode) { return Recorder(subject, mode).run(); }

}  // namespace chiwawa::differential
