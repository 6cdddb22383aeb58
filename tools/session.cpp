#include "session.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "interp/decode.hpp"
#include "interp/instantiate.hpp"
#include "interp/validate.hpp"
#include "params.hpp"
#include "report.hpp"
#include "snapshot/chain.hpp"
#include "snapshot/file.hpp"
#include "snapshot/read.hpp"
#include "snapshot/restore.hpp"
#include "snapshot/write.hpp"
#ifndef __wasm__
#include <csignal>
#endif

namespace chiwawa::tools {
namespace {

#ifdef __wasm__
/// Host engines go over to their faster code only when a function is entered again: the dispatcher must be left now and
/// then, and polls are where that is possible.
constexpr bool kAlwaysPoll = true;
#else
constexpr bool kAlwaysPoll = false;
#endif

/// How long a blocking call may keep the trigger file from being noticed. Nanoseconds.
constexpr uint64_t kSlice = 20'000'000;

/// Names listed in one message.
constexpr size_t kMaxListed = 10;

constexpr std::array<std::string_view, 2> kWasiModules = {"wasi_snapshot_preview1", "wasi_unstable"};

std::string quoted(const std::string& text) { return '"' + text + '"'; }

/// "a, b, c", or with "..." at the end.
std::string list(const std::vector<std::string>& names) {
  std::string result;
  for (size_t i = 0; i < std::min(names.size(), kMaxListed); ++i) result += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMaxListed ? result + ", ..." : result;
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// The snapshot is what was asked for: that it cannot be read is a snapshot's error.
Error as_snapshot_error(Error error) {
  if (error.phase == Phase::Io) error.phase = Phase::Snapshot;
  return error;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::start(const Options& options) {
  std::unique_ptr<Session> session(new Session(options));
  CHIWAWA_TRY(session->begin());
  return session;
}

Result<std::unique_ptr<Session>> Session::restore(const Options& options) {
  std::unique_ptr<Session> session(new Session(options));
  CHIWAWA_TRY(session->continue_from(*options.restore));
  return session;
}

Result<void> Session::begin() {
  deterministic_ = options_.deterministic;
  CHIWAWA_TRY(read_module());
  Result<Request> request = find_request();
  if (!request) return request.error();
  if (imports_wasi()) CHIWAWA_TRY(create_wasi());

  store_ = std::make_unique<Store>();
  store_->limits = {options_.max_memory, options_.max_heap};
  store_->compile_options = compile_options();
  CHIWAWA_TRY(create_instruments());
  CHIWAWA_TRY(provide_clock());
  const Result<std::vector<Extern>> imports = provide_imports();
  if (!imports) return imports.error();
  const Result<Instantiation> made = instantiate(*store_, module_, *imports);
  if (!made) return made.error();
  trap_ = made->trap;
  if (instruments_) instruments_->begin(*store_);

  machine_ = std::make_unique<Machine>(*store_, options_.limits, options_.dispatch);
  const Instance& instance = *made->instance;
  const FuncAddr function = instance.funcs[request->function_index];
  if (!module_->start) return machine_->invoke(function, request->args);
  next_ = Call{function, std::move(request->args)};
  return machine_->invoke(instance.funcs[*module_->start], {});
}

Result<void> Session::continue_from(const std::string& snapshot) {
  snapshot::FileSource source;
  if (snapshot == "-") {
    source.use(0, "standard input");
  } else if (const Result<void> opened = source.open(snapshot); !opened) {
    return as_snapshot_error(opened.error());
  }
  snapshot::Reader reader(source, {.max_heap = options_.max_heap});
  if (const Result<void> opened = reader.open(); !opened) return as_snapshot_error(opened.error());

  deterministic_ = reader.records().deterministic;
  CHIWAWA_TRY(find_module(reader));
  const std::array<std::shared_ptr<const Module>, 1> modules = {module_};
  if (const auto matched = snapshot::match_modules(reader.records(), modules); !matched) return matched.error();
  if (const std::optional<wasi::State>& state = reader.records().wasi) {
    CHIWAWA_TRY(options_.explain ? examine_wasi(*state) : restore_wasi(*state));
  }

  const auto host_function = [this](std::string_view module, std::string_view name, const FuncType&) {
    return wasi_ ? wasi_->function(module, name) : std::nullopt;
  };
  const snapshot::RestoreOptions restore_options{{options_.max_memory, options_.max_heap},
                                                 compile_options(),
                                                 snapshot == "-" ? "." : snapshot::folder_of(snapshot)};
  Result<snapshot::Restored> restored = snapshot::restore(reader, modules, host_function, restore_options);
  if (!restored) return as_snapshot_error(restored.error());
  store_ = std::move(restored->store);
  CHIWAWA_TRY(provide_clock());
  machine_ = std::make_unique<Machine>(*store_, options_.limits, options_.dispatch);
  next_ = std::move(restored->machine.next);
  CHIWAWA_TRY(create_instruments());
  CHIWAWA_TRY(machine_->restore(restored->machine));
  return restore_instruments(*restored);
}

Result<void> Session::create_instruments() {
  if (!options_.instruments.any() || options_.explain) return {};
  Result<std::unique_ptr<Instruments>> made = Instruments::create(options_.instruments, module_name_);
  if (!made) return made.error();
  instruments_ = std::move(*made);
  store_->instrumentation = &instruments_->instrumentation();
  return {};
}

Result<void> Session::restore_instruments(const snapshot::Restored& restored) {
  std::vector<std::string> unknown;
  if (instruments_) {
    Instrumentation& instrumentation = instruments_->instrumentation();
    CHIWAWA_TRY(instrumentation.load(restored.monitors, *store_, unknown));
    instrumentation.stand(*store_, restored.machine);
    instruments_->begin(*store_);
  } else {
    for (const MonitorState& state : restored.monitors) unknown.push_back(state.name);
  }
  if (options_.verbose && !unknown.empty()) {
    print_note("what the snapshot has for these was dropped, as nobody asked for them: " + list(unknown));
  }
  return {};
}

Result<bool> Session::begin_next_call() {
  if (!next_) return false;
  const Call call = *std::exchange(next_, std::nullopt);
  CHIWAWA_TRY(machine_->invoke(call.function, call.args));
  return true;
}

Result<void> Session::save(const std::string& path) {
  MachineImage image = machine_->capture();
  image.next = next_;
  std::optional<wasi::State> state;
  if (wasi_) {
    Result<wasi::State> saved = wasi_->save();
    if (!saved) return saved.error();
    state = std::move(*saved);
  }
  snapshot::WriteOptions write_options;
  write_options.module_names = {module_name_};
  write_options.embed_modules = embed_module_;
  write_options.deterministic = deterministic_;
  if (!deterministic_) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    write_options.time = static_cast<uint64_t>(std::chrono::nanoseconds(now).count());
  }
  if (instruments_) write_options.monitors = instruments_->instrumentation().save(*machine_);
  snapshot::ChainBlocks base;
  if (options_.checkpoint_base) {
    CHIWAWA_TRY(base.open(*options_.checkpoint_base, snapshot::folder_of(path)));
    write_options.base = &base;
  }
  const auto write = [&](snapshot::Sink& sink) {
    return snapshot::write(sink, *store_, std::move(image), std::move(state), write_options);
  };
  if (path != "-") return snapshot::publish(path, write);
#ifndef __wasm__
  // A reader that is gone is an error like others, after which the guest goes on.
  std::signal(SIGPIPE, SIG_IGN);
#endif
  snapshot::DescriptorSink sink(1, "standard output");
  return write(sink);
}

Result<void> Session::read_module() {
  Result<std::vector<uint8_t>> bytes = snapshot::read_file(options_.module_path);
  if (!bytes) return bytes.error();
  module_name_ = base_name(options_.module_path);
  embed_module_ = options_.embed_module;
  return use_module(std::move(*bytes));
}

Result<void> Session::find_module(snapshot::Reader& reader) {
  if (!options_.module_path.empty()) return read_module();
  const std::vector<snapshot::ModuleRecord>& records = reader.records().modules;
  if (records.size() != 1 || !records[0].embedded) {
    return snapshot::damaged("the module is not in the snapshot: it must be given on the command line");
  }
  module_name_ = records[0].name;
  embed_module_ = true;
  Result<std::vector<std::vector<uint8_t>>> embedded = reader.read_modules();
  if (!embedded) return as_snapshot_error(embedded.error());
  return use_module(std::move((*embedded)[0]));
}

Result<void> Session::use_module(std::vector<uint8_t> bytes) {
  Result<Module> module = decode(std::move(bytes));
  if (!module) return module.error();
  CHIWAWA_TRY(validate(*module, options_.features));
  module_ = std::make_shared<const Module>(std::move(*module));
  return {};
}

Result<Session::Request> Session::find_request() const {
  const Export* found = module_->find_export(options_.invoke);
  if (found == nullptr || found->kind != ExternKind::Func) {
    std::vector<std::string> names;
    for (const Export& item : module_->exports) {
      if (item.kind == ExternKind::Func) names.push_back(item.name);
    }
    return Error{Phase::Invoke, "the module exports no function " + quoted(options_.invoke) +
                                    (names.empty() ? "" : "; it exports " + list(names) + " (see --invoke)")};
  }
  const std::vector<ValType> wanted = module_->types.top(module_->function_type(found->index).params);
  Result<std::vector<Value>> args = parse_params(options_.params, wanted);
  if (!args) return args.error();
  return Request{found->index, std::move(*args)};
}

bool Session::imports_wasi() const {
  return std::any_of(module_->imports.begin(), module_->imports.end(), [](const Import& import) {
    return std::find(kWasiModules.begin(), kWasiModules.end(), import.module) != kWasiModules.end();
  });
}

wasi::Config Session::wasi_config() const {
  wasi::Config config;
  config.args = {options_.module_path};
  config.args.insert(config.args.end(), options_.args.begin(), options_.args.end());
  config.environ = options_.environ;
  config.preopens = options_.preopens;
  config.listeners = options_.listeners;
  config.embed_limit = options_.embed_limit;
  config.policy = options_.policy;
  config.slice = options_.stoppable() ? kSlice : 0;
  config.deterministic = deterministic_;
  config.stdout_to_stderr = options_.snapshot_to_stdout();
  return config;
}

Result<void> Session::create_wasi() {
  wasi::Config config = wasi_config();
  Result<std::unique_ptr<wasi::Wasi>> made = wasi::Wasi::create(config);
  if (!made && options_.default_preopen) {
    // Inside a wasm host there may be no current directory.
    config.preopens.clear();
    made = wasi::Wasi::create(std::move(config));
  }
  if (!made) return made.error();
  wasi_ = std::move(*made);
  return {};
}

Result<void> Session::restore_wasi(const wasi::State& state) {
  wasi::Config config = wasi_config();
  Result<std::unique_ptr<wasi::Wasi>> made = wasi::Wasi::restore(config, state, &verdicts_);
  if (!made && made.error().phase == Phase::Io && options_.default_preopen) {
    config.preopens.clear();
    made = wasi::Wasi::restore(std::move(config), state, &verdicts_);
  }
  if (!made) return as_snapshot_error(made.error());
  wasi_ = std::move(*made);
  return {};
}

Result<void> Session::examine_wasi(const wasi::State& state) {
  wasi::Config config = wasi_config();
  Result<std::vector<wasi::Verdict>> verdicts = wasi::Wasi::examine(config, state);
  if (!verdicts && options_.default_preopen) {
    config.preopens.clear();
    verdicts = wasi::Wasi::examine(std::move(config), state);
  }
  if (!verdicts) return as_snapshot_error(verdicts.error());
  verdicts_ = std::move(*verdicts);
  // The rest of the snapshot is checked with functions that are never called.
  Result<std::unique_ptr<wasi::Wasi>> made = wasi::Wasi::create({});
  if (!made) return made.error();
  wasi_ = std::move(*made);
  return {};
}

CompileOptions Session::compile_options() const {
  return {.polls = options_.stoppable() || kAlwaysPoll || options_.instruments.needs_polls(),
          .exact = options_.checkpoint_at.has_value() || options_.instruments.needs_steps(),
          .canonical_nans = deterministic_};
}

Result<void> Session::provide_clock() {
  const auto is_shared = [](const MemoryType& memory) { return memory.is_shared; };
  if (std::none_of(module_->memories.begin(), module_->memories.end(), is_shared)) return {};
  if (!wasi_) {
    wasi::Config config;
    config.slice = wasi_config().slice;
    config.deterministic = deterministic_;
    Result<std::unique_ptr<wasi::Wasi>> made = wasi::Wasi::create(std::move(config));
    if (!made) return made.error();
    clock_ = std::move(*made);
  }
  store_->clock = (wasi_ ? wasi_ : clock_)->clock();
  return {};
}

Result<std::vector<Extern>> Session::provide_imports() {
  std::vector<Extern> externs;
  std::vector<std::string> unknown;
  uint64_t first_unknown = Error::kNoOffset;
  for (const Import& import : module_->imports) {
    std::optional<HostFunction> function;
    if (import.kind == ExternKind::Func && wasi_) function = wasi_->function(import.module, import.name);
    if (function) {
      externs.push_back({ExternKind::Func, raw(store_->add_host_function(std::move(*function)))});
      continue;
    }
    if (unknown.empty()) first_unknown = import.offset;
    unknown.push_back(import.module + "." + import.name + " (" + std::string(name(import.kind)) + ")");
  }
  if (unknown.empty()) return externs;
  return Error{Phase::Link, (unknown.size() == 1 ? "unknown import: " : "unknown imports: ") + list(unknown),
               first_unknown};
}

}  // namespace chiwawa::tools
