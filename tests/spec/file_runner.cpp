#include "spec/file_runner.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string_view>

#include "interp/decode.hpp"
#include "interp/instantiate.hpp"
#include "interp/validate.hpp"
#include "spec/files.hpp"

namespace chiwawa::spec {
namespace {

/// The vectors' text and ours agree if one begins with the other: some texts name the element or the limit, too.
bool same_trap(const std::string& expected, const Trap& trap) {
  const std::string_view actual = name(trap.kind);
  return !expected.empty() && (expected.starts_with(actual) || actual.starts_with(expected));
}

/// Why a module may be accepted that a command wants to be invalid: the base of some proposals' vectors is older, and
/// what they hold invalid has become valid since. Otherwise "".
std::string valid_since(const Module& module, const std::string& cause) {
  if (cause == "multiple memories" && module.memories.size() > 1) return "invalid only before multi-memory";
  if (cause == "multiple tables" && module.tables.size() > 1) return "invalid only before reference-types";
  return {};
}

std::string describe_outcome(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::Finished: return "returned " + show(outcome.values);
    case Outcome::Kind::Trapped: return std::string("trapped: ") + name(outcome.trap.kind) + " " + outcome.trap.detail;
    case Outcome::Kind::Exited: return "exited";
    case Outcome::Kind::Paused: return "paused";
  }
  return "?";
}

}  // namespace

uint64_t Tally::skipped_total() const {
  uint64_t total = 0;
  for (const auto& [reason, count] : skipped) total += count;
  return total;
}

void Tally::add(const Tally& other) {
  passed += other.passed;
  failures.insert(failures.end(), other.failures.begin(), other.failures.end());
  for (const auto& [reason, count] : other.skipped) skipped[reason] += count;
}

FileRunner::FileRunner(std::filesystem::path vectors, std::string id, const Mode& mode)
    : vectors_(std::move(vectors)),
      id_(std::move(id)),
      world_(mode, spectest_function),
      spectest_(add_spectest(world_.store())) {
  current_.skipped = "no module yet";
}

Tally FileRunner::run() {
  Tally tally;
  const std::string base = id_.substr(id_.find('/') + 1);
  const auto bytes = read_file(vectors_ / id_ / (base + ".json"));
  const Json script =
      bytes ? Json::parse(bytes->begin(), bytes->end(), nullptr, false) : Json(Json::value_t::discarded);
  const auto commands = script.is_object() ? script.find("commands") : script.end();
  if (!script.is_object() || commands == script.end()) {
    tally.failures.push_back(id_ + ": the JSON file is missing or broken");
    return tally;
  }
  for (const Json& command : *commands) {
    Verdict verdict = execute(command);
    switch (verdict.kind) {
      case Verdict::Kind::Passed: ++tally.passed; break;
      case Verdict::Kind::Skipped: ++tally.skipped[verdict.why]; break;
      case Verdict::Kind::Failed:
        tally.failures.push_back(id_ + ":" + std::to_string(command.value("line", 0)) + ": " + text(command, "type") +
                                 ": " + verdict.why);
        break;
    }
  }
  return tally;
}

FileRunner::Verdict FileRunner::execute(const Json& command) {
  const std::string type = text(command, "type");
  if (text(command, "module_type") == "text") return skipped("text format: this is a binary decoder");
  if (type == "module") {
    return text(command, "definition") == "true" ? execute_definition(command) : execute_module(command);
  }
  if (type == "module_instance") return execute_module_instance(command);
  if (type == "register") return execute_register(command);
  if (type == "action" || type == "assert_return" || type == "assert_trap" || type == "assert_exhaustion" ||
      type == "assert_exception") {
    return execute_action(command);
  }
  if (type == "assert_invalid") return expect_rejected(command, Phase::Validate);
  if (type == "assert_malformed") return expect_rejected(command, Phase::Decode);
  if (type == "assert_unlinkable") return expect_not_instantiated(command, false);
  if (type == "assert_uninstantiable") return expect_not_instantiated(command, true);
  return skipped("command " + type);
}

FileRunner::Verdict FileRunner::execute_module(const Json& command) {
  return make_current(text(command, "filename"), text(command, "name"));
}

FileRunner::Verdict FileRunner::execute_definition(const Json& command) {
  const std::string file = text(command, "filename");
  definitions_[text(command, "name")] = file;
  const Result<ModulePtr> module = load(file);
  return module ? passed() : failed(file + ": " + describe(module.error()));
}

FileRunner::Verdict FileRunner::execute_module_instance(const Json& command) {
  const auto definition = definitions_.find(text(command, "module"));
  if (definition == definitions_.end()) return failed("no such definition");
  return make_current(definition->second, text(command, "instance"));
}

FileRunner::Verdict FileRunner::make_current(const std::string& file, const std::string& name) {
  Verdict verdict = passed();
  Target target;
  const Result<ModulePtr> module = load(file);
  const Result<Made> made = module ? instantiate_module(*module, target.skipped) : Result<Made>(module.error());
  if (!target.skipped.empty()) {
    // Something it imports is skipped.
  } else if (made && made->outcome.kind == Outcome::Kind::Finished) {
    target.instance = made->instance;
  } else {
    target.skipped = "its module failed";
    verdict = failed(file + ": " + (made ? describe_outcome(made->outcome) : describe(made.error())));
  }
  if (verdict.kind == Verdict::Kind::Passed && !target.instance) verdict = skipped(target.skipped);
  current_ = target;
  if (!name.empty()) named_[name] = target;
  return verdict;
}

FileRunner::Verdict FileRunner::execute_register(const Json& command) {
  const Target& target = find_target(text(command, "name"));
  registered_[text(command, "as")] = target;
  return target.instance ? passed() : skipped(target.skipped);
}

FileRunner::Verdict FileRunner::execute_action(const Json& command) {
  const std::string type = text(command, "type");
  std::string skip;
  const Result<Outcome> outcome = perform(command["action"], skip);
  if (!skip.empty()) return skipped(std::move(skip));
  if (!outcome) return failed(describe(outcome.error()));
  const bool finished = outcome->kind == Outcome::Kind::Finished;
  const bool trapped = outcome->kind == Outcome::Kind::Trapped;
  bool ok = false;
  if (type == "action") ok = finished;
  if (type == "assert_return") ok = finished && results_match(command, outcome->values, world_.store());
  if (type == "assert_trap") ok = trapped && same_trap(text(command, "text"), outcome->trap);
  if (type == "assert_exhaustion") ok = trapped && outcome->trap.kind == TrapKind::CallStackExhausted;
  if (type == "assert_exception") ok = trapped && outcome->trap.kind == TrapKind::UncaughtException;
  if (ok) return passed();
  return failed(text(command["action"], "field") + " " + describe_outcome(*outcome) + "; expected " +
                (command.contains("text") ? text(command, "text") : command.value("expected", Json()).dump()));
}

FileRunner::Verdict FileRunner::expect_rejected(const Json& command, Phase phase) {
  const std::string file = text(command, "filename");
  const Result<ModulePtr> module = load(file);
  if (module) {
    if (std::string reason = valid_since(**module, text(command, "text")); !reason.empty())
      return skipped(std::move(reason));
    return failed(file + " was accepted; expected " + text(command, "text"));
  }
  if (module.error().phase == phase) return passed();
  return failed(file + " was rejected in another phase: " + describe(module.error()) + "; expected " +
                text(command, "text"));
}

FileRunner::Verdict FileRunner::expect_not_instantiated(const Json& command, bool by_trap) {
  const std::string file = text(command, "filename");
  const Result<ModulePtr> module = load(file);
  if (!module) return failed(file + ": " + describe(module.error()));
  std::string skip;
  const Result<Made> made = instantiate_module(*module, skip);
  if (!skip.empty()) return skipped(std::move(skip));
  if (!made) {
    if (!by_trap && made.error().phase == Phase::Link) return passed();
    return failed(file + ": " + describe(made.error()));
  }
  const Outcome& outcome = made->outcome;
  if (by_trap && outcome.kind == Outcome::Kind::Trapped && same_trap(text(command, "text"), outcome.trap))
    return passed();
  return failed(file + ": " + describe_outcome(outcome) + "; expected " + text(command, "text"));
}

Result<FileRunner::ModulePtr> FileRunner::load(const std::string& file) const {
  auto bytes = read_file(vectors_ / id_ / file);
  if (!bytes) return Error{Phase::Io, "cannot read " + file};
  Result<Module> module = decode(std::move(*bytes));
  if (!module) return module.error();
  CHIWAWA_TRY(validate(*module));
  return ModulePtr(std::make_shared<const Module>(std::move(*module)));
}

Result<std::vector<Extern>> FileRunner::find_imports(const Module& module, std::string& skipped) {
  std::vector<Extern> result;
  for (const Import& import : module.imports) {
    std::optional<Extern> found;
    if (const auto target = registered_.find(import.module); target != registered_.end()) {
      if (!target->second.instance) {
        skipped = target->second.skipped;
        return result;
      }
      const Store& store = world_.store();
      found = store.find_export(*store.instances[*target->second.instance], import.name);
    } else if (import.module == "spectest") {
      if (const auto item = spectest_.find(import.name); item != spectest_.end()) found = item->second;
    }
    if (!found) return Error{Phase::Link, "unknown import " + import.module + "." + import.name, import.offset};
    result.push_back(*found);
  }
  return result;
}

Result<FileRunner::Made> FileRunner::instantiate_module(const ModulePtr& module, std::string& skipped) {
  const Result<std::vector<Extern>> imports = find_imports(*module, skipped);
  if (!imports) return imports.error();
  if (!skipped.empty()) return Made{};
  const Result<Instantiation> made = instantiate(world_.store(), module, *imports);
  if (!made) return made.error();
  const uint32_t number = made->instance->number;
  if (made->trap != TrapKind::None) {
    Outcome outcome;
    outcome.kind = Outcome::Kind::Trapped;
    outcome.trap.kind = made->trap;
    return Made{std::move(outcome), number};
  }
  if (!module->start) return Made{{}, number};
  Result<Outcome> started = world_.invoke(made->instance->funcs[*module->start], {});
  if (!started) return started.error();
  return Made{std::move(*started), number};
}

const FileRunner::Target& FileRunner::find_target(const std::string& name) const {
  static const Target unknown{std::nullopt, "no module of that name"};
  if (name.empty()) return current_;
  const auto found = named_.find(name);
  return found == named_.end() ? unknown : found->second;
}

Result<Outcome> FileRunner::perform(const Json& action, std::string& skipped) {
  const Target& target = find_target(text(action, "module"));
  if (!target.instance) {
    skipped = target.skipped;
    return Outcome{};
  }
  Store& store = world_.store();
  const std::string field = text(action, "field");
  const std::optional<Extern> item = store.find_export(*store.instances[*target.instance], field);
  if (!item) return Error{Phase::Invoke, "no export " + field};
  if (text(action, "type") == "get") {
    if (item->kind != ExternKind::Global) return Error{Phase::Invoke, field + " is no global"};
    const GlobalInst& global = store[GlobalAddr{item->address}];
    Outcome outcome;
    outcome.values.push_back(global.value());
    return outcome;
  }
  if (item->kind != ExternKind::Func) return Error{Phase::Invoke, field + " is no function"};
  std::vector<Value> args;
  for (const Json& arg : action["args"]) {
    const std::optional<Value> value = parse_value(arg);
    if (!value) return Error{Phase::Invoke, "argument of unknown type: " + arg.dump()};
    args.push_back(*value);
  }
  return world_.invoke(FuncAddr{item->address}, args);
}

}  // namespace chiwawa::spec
