#include "inspect/verify.hpp"

#include <algorithm>
#include <optional>

#include "inspect/heap_view.hpp"
#include "interp/decode.hpp"
#include "interp/machine.hpp"
#include "interp/validate.hpp"
#include "snapshot/block_store.hpp"
#include "snapshot/container.hpp"
#include "snapshot/decode_state.hpp"
#include "snapshot/file.hpp"
#include "snapshot/restore.hpp"

namespace chiwawa::inspect {

namespace {

using Status = CheckResult::Status;
using Modules = std::vector<std::shared_ptr<const Module>>;

HostResult never_called(HostCall&, void*) { return HostResult::done(); }

class Verifier {
 public:
  Verifier(const std::vector<uint8_t>* bytes, std::string path, std::string folder)
      : bytes_(bytes), path_(std::move(path)), folder_(std::move(folder)) {}

  Verification run(std::span<const std::shared_ptr<const Module>> modules) {
    modules_.assign(modules.begin(), modules.end());
    // Each needs what the one before has checked.
    bool go_on = true;
    const auto step = [&](bool (Verifier::*check)()) { go_on = go_on && (this->*check)(); };
    step(&Verifier::framing);
    step(&Verifier::index);
    step(&Verifier::contents);
    step(&Verifier::bases);
    step(&Verifier::program);
    return std::move(result_);
  }

 private:
  void add(const char* name, const char* meaning, Status status, std::string detail = {}) {
    result_.checks.push_back({name, meaning, status, std::move(detail)});
  }
  bool check(const char* name, const char* meaning, const Result<void>& outcome, std::string detail = {}) {
    add(name, meaning, outcome ? Status::Passed : Status::Failed,
        outcome ? std::move(detail) : describe(outcome.error()));
    return static_cast<bool>(outcome);
  }

  /// A source at the file's beginning.
  Result<snapshot::Source*> open() {
    if (bytes_ != nullptr) return &memory_.emplace(*bytes_);
    file_.emplace();
    CHIWAWA_TRY(file_->open(path_));
    return &*file_;
  }

  template <typename T>
  static Result<void> outcome(const Result<T>& result) {
    if (!result) return result.error();
    return {};
  }

  bool framing() {
    const Result<snapshot::Source*> source = open();
    if (!source) return check("file", "it can be read", source.error());
    snapshot::ContainerReader container(**source);
    const Result<snapshot::Header> header = container.header();
    if (!check("header", "the file begins as a snapshot does", outcome(header))) return false;
    const std::string version = std::to_string(header->major) + "." + std::to_string(header->minor);
    if (header->major != snapshot::kMajor || header->flags != 0) {
      result_.unsupported = true;
      add("version", "this program can read the format", Status::Failed,
          "format " + version + ", flags " + hex(header->flags));
      return false;
    }
    add("version", "this program can read the format", Status::Passed, "format " + version);
    snapshot::Buffer content;
    if (!check("state frame", "the state's size is within its limit, and it decompresses with the right checksum",
               container.frame(snapshot::FrameKind::State, snapshot::kMaxState, content),
               grouped(content.bytes().size()) + " bytes")) {
      return false;
    }
    const snapshot::StateDecoding decoding = snapshot::decode_state(content.bytes(), records_);
    result_.unsupported = decoding.unsupported;
    return check("state", "it is well-formed; every index, type, reference and size in it is possible", decoding.result,
                 plural(records_.machine.frames.size(), "frame", "frames"));
  }

  /// Opens the reader behind the state.
  Result<void> reopen() {
    const Result<snapshot::Source*> source = open();
    if (!source) return source.error();
    return reader_.emplace(**source).open();
  }

  bool index() {
    if (!check("heap", "its parts have as many objects and bytes as the state says", reopen(),
               reader_ ? heap_in_words(reader_->records().heap) : "")) {
      return false;
    }
    Result<std::vector<std::vector<uint8_t>>> embedded = reader_->read_modules();
    const auto count = std::count_if(records_.modules.begin(), records_.modules.end(),
                                     [](const snapshot::ModuleRecord& module) { return module.embedded; });
    if (!check("embedded modules", "each is the one that its SHA-256 names", outcome(embedded),
               count == 0 ? "there are none" : plural(static_cast<uint64_t>(count), "module", "modules"))) {
      return false;
    }
    for (std::vector<uint8_t>& bytes : *embedded) {
      if (bytes.empty()) continue;
      Result<Module> module = decode(std::move(bytes));
      if (module) modules_.push_back(std::make_shared<const Module>(std::move(*module)));
    }
    uint64_t listed = 0;
    Result<void> walked = walk(false, listed);
    if (!check("block index", "the blocks are in order, within their memories, and copies of earlier ones", walked,
               plural(listed, "block", "blocks") + " listed")) {
      return false;
    }
    return check("trailer", "the seek table, the state's digest and the file's digest match; nothing follows",
                 reader_->finish(), walked ? "state " + snapshot::to_hex(reader_->state_digest()) : "");
  }

  Result<void> walk(bool contents, uint64_t& listed) {
    for (;;) {
      snapshot::BlockBatch batch;
      const Result<bool> more = reader_->next_batch(batch, contents);
      if (!more) return more.error();
      if (!*more) return {};
      for (const snapshot::BlockRun& run : batch.runs) listed += run.count;
    }
  }

  bool contents() {
    uint64_t listed = 0;
    Result<void> outcome = reopen();
    if (outcome) outcome = walk(true, listed);
    return check("memory contents", "every stored block decompresses and has the hash that the index says", outcome);
  }

  bool bases() {
    Result<void> outcome;
    const Result<snapshot::Source*> source = open();
    if (!source) return check("file", "it can be read", source.error());
    reader_.emplace(**source);
    const Result<bool> seeks = reader_->seek_over();
    outcome = seeks ? reader_->open() : Result<void>(seeks.error());
    snapshot::BlockStore blocks;
    if (outcome) outcome = blocks.load(*reader_, folder_);
    return check("bases", "what it builds on is there, the right state, and of the same program", outcome,
                 records_.base ? records_.base->name : "it builds on none");
  }

  bool program() {
    const char* const kModule = "modules";
    const char* const kModuleMeaning = "the modules that it was saved with are at hand and valid";
    if (!snapshot::match_modules(records_, modules_)) {
      const std::string why = "give them with --module";
      add(kModule, kModuleMeaning, Status::NotDone, why);
      add("store", "instances have what their modules declare", Status::NotDone, why);
      add("frames", "every frame stands at an instruction, with the types that are valid there", Status::NotDone, why);
      return true;
    }
    Modules matched = *snapshot::match_modules(records_, modules_);
    for (const auto& module : matched) {
      if (const Result<void> valid = validate(*module); !valid) return check(kModule, kModuleMeaning, valid);
    }
    add(kModule, kModuleMeaning, Status::Passed, plural(matched.size(), "module", "modules"));
    if (!check("store", "instances have what their modules declare", snapshot::check_store(records_, matched))) {
      return false;
    }
    Result<void> outcome = reopen();
    if (outcome) outcome = trial(matched);
    return check("frames", "every frame stands at an instruction, with the types that are valid there", outcome,
                 "restored for trial");
  }

  Result<void> trial(const Modules& modules) {
    const auto host = [](std::string_view module, std::string_view name, const FuncType& type) {
      return std::optional(HostFunction{std::string(module), std::string(name), type, never_called, nullptr});
    };
    snapshot::RestoreOptions options;
    options.folder = folder_;
    Result<snapshot::Restored> restored = snapshot::restore(*reader_, modules, host, options);
    if (!restored) return restored.error();
    Machine machine(*restored->store);
    return machine.restore(restored->machine);
  }

  const std::vector<uint8_t>* bytes_;
  std::string path_;
  std::string folder_;
  std::optional<snapshot::MemorySource> memory_;
  std::optional<snapshot::FileSource> file_;
  std::optional<snapshot::Reader> reader_;
  snapshot::Records records_;
  Modules modules_;
  Verification result_;
};

}  // namespace

bool Verification::passed() const {
  return std::none_of(checks.begin(), checks.end(),
                      [](const CheckResult& check) { return check.status == Status::Failed; });
}

Verification verify_snapshot(const std::vector<uint8_t>* bytes, const std::string& path, const std::string& folder,
                             std::span<const std::shared_ptr<const Module>> modules) {
  return Verifier(bytes, path, folder).run(modules);
}

void print_verification(Text& out, const Verification& verification) {
  for (const CheckResult& check : verification.checks) {
    switch (check.status) {
      case Status::Passed: out.put(Tone::Good, "passed  "); break;
      case Status::Failed: out.put(Tone::Bad, "FAILED  "); break;
      case Status::NotDone: out.put(Tone::Changed, "not done"); break;
    }
    out << "  ";
    out.put(Tone::Title, padded(check.name, 18)) << check.meaning << "\n";
    if (!check.detail.empty()) {
      out << std::string(28, ' ');
      out.put(check.status == Status::Failed ? Tone::Bad : Tone::Dim, printable(check.detail)) << "\n";
    }
  }
  const bool complete = std::none_of(verification.checks.begin(), verification.checks.end(),
                                     [](const CheckResult& check) { return check.status == Status::NotDone; });
  if (!verification.passed()) {
    out.put(Tone::Bad, verification.unsupported ? "It is of another version." : "It is damaged.") << "\n";
  } else if (complete) {
    out.put(Tone::Good, "It is complete and can be restored.") << "\n";
  } else {
    out.put(Tone::Good, "The file is complete and consistent in itself.") << "\n";
  }
}

Json json_of_verification(const Verification& verification) {
  Json checks = Json::array();
  for (const CheckResult& check : verification.checks) {
    const char* const status = check.status == Status::Passed   ? "passed"
                               : check.status == Status::Failed ? "failed"
                                                                : "not done";
    checks.push_back({{"name", check.name}, {"meaning", check.meaning}, {"status", status}, {"detail", check.detail}});
  }
  return {{"passed", verification.passed()}, {"checks", std::move(checks)}};
}

}  // namespace chiwawa::inspect
