#include "inspect/open.hpp"

#include "interp/decode.hpp"
#include "snapshot/chain.hpp"

namespace chiwawa::inspect {

namespace {

Result<std::shared_ptr<const Module>> decoded(std::vector<uint8_t> bytes) {
  Result<Module> module = decode(std::move(bytes));
  if (!module) return module.error();
  return std::make_shared<const Module>(std::move(*module));
}

}  // namespace

Result<std::vector<uint8_t>> read_standard_input() {
  snapshot::FileSource input;
  input.use(0, "standard input");
  std::vector<uint8_t> bytes;
  for (;;) {
    constexpr size_t kPiece = 1u << 20;
    const size_t at = bytes.size();
    bytes.resize(at + kPiece);
    const Result<size_t> got = input.read(std::span(bytes).subspan(at));
    if (!got) return got.error();
    bytes.resize(at + *got);
    if (*got == 0) return bytes;
  }
}

Result<std::shared_ptr<const Module>> read_module(const std::string& path) {
  Result<std::vector<uint8_t>> bytes = snapshot::read_file(path);
  if (!bytes) return bytes.error();
  return decoded(std::move(*bytes));
}

Result<void> OpenSnapshot::open(const std::string& path, Check check) {
  if (path == "-") {
    Result<std::vector<uint8_t>> bytes = read_standard_input();
    if (!bytes) return bytes.error();
    return open_bytes(std::move(*bytes), "standard input", check);
  }
  path_ = path;
  folder_ = snapshot::folder_of(path);
  facts_.name = path;
  return load(check);
}

Result<void> OpenSnapshot::open_bytes(std::vector<uint8_t> bytes, std::string name, Check check) {
  kept_ = std::move(bytes);
  facts_.name = std::move(name);
  return load(check);
}

Result<void> OpenSnapshot::rewind() {
  reader_.reset();
  if (path_.empty()) {
    bytes_.emplace(kept_);
    return {};
  }
  file_.emplace();
  return file_->open(path_);
}

/// Reads the file front to back, so that its digest can be compared; blocks are not decompressed.
Result<void> OpenSnapshot::check_whole() {
  CHIWAWA_TRY(rewind());
  reader_.emplace(source());
  const Result<void> opened = reader_->open();
  unsupported_ = reader_->unsupported();
  if (!opened) return opened.error();
  for (;;) {
    snapshot::BlockBatch batch;
    const Result<bool> more = reader_->next_batch(batch, false);
    if (!more) return more.error();
    if (!*more) return reader_->finish();
  }
}

Result<void> OpenSnapshot::load(Check check) {
  if (check == Check::Whole) CHIWAWA_TRY(check_whole());
  CHIWAWA_TRY(rewind());
  reader_.emplace(source());
  if (const Result<bool> seeks = reader_->seek_over(); !seeks) return seeks.error();
  const Result<void> opened = reader_->open();
  unsupported_ = reader_->unsupported();
  if (!opened) return opened.error();
  Result<std::vector<std::vector<uint8_t>>> embedded = reader_->read_modules();
  if (!embedded) return embedded.error();
  CHIWAWA_TRY(blocks_.load(*reader_, folder_));

  facts_.size = source().size().value_or(reader_->offset());
  facts_.header = reader_->header();
  facts_.state_digest = reader_->state_digest();
  facts_.frames = reader_->trailer().frames;
  modules_.resize(reader_->records().modules.size());
  for (size_t i = 0; i < embedded->size(); ++i) {
    if ((*embedded)[i].empty()) continue;
    // A module that cannot be decoded is no reason not to show the rest; there are no names then.
    if (auto module = decoded(std::move((*embedded)[i]))) modules_[i] = {*module, read_debug_names(**module)};
  }
  names_.emplace(reader_->records(), modules_);
  return {};
}

size_t OpenSnapshot::take_modules(std::span<const std::shared_ptr<const Module>> candidates) {
  size_t taken = 0;
  for (const auto& candidate : candidates) {
    if (candidate == nullptr) continue;
    const snapshot::Sha256 hash = snapshot::sha256(candidate->bytes);
    bool used = false;
    for (size_t i = 0; i < modules_.size(); ++i) {
      if (reader_->records().modules[i].sha256 != hash) continue;
      modules_[i] = {candidate, read_debug_names(*candidate)};
      used = true;
    }
    taken += used ? 1 : 0;
  }
  return taken;
}

std::vector<std::shared_ptr<const Module>> OpenSnapshot::modules() const {
  std::vector<std::shared_ptr<const Module>> result;
  for (const KnownModule& known : modules_) result.push_back(known.module);
  return result;
}

}  // namespace chiwawa::inspect
