#include "snapshot/chain.hpp"

#include <algorithm>
#include <string_view>

#include <sys/stat.h>

#include "snapshot/apply_blocks.hpp"
#include "snapshot/file.hpp"

namespace chiwawa::snapshot {

namespace {

/// "a//./b" -> "a", "b".
std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.emplace_back(part);
    }
    at = end + 1;
  }
  return parts;
}

bool is_absolute(const std::string& path) { return path.starts_with('/'); }

/// "a.bin: what"
Error of_file(Error error, const std::string& path) {
  error.cause = path + ": " + error.cause;
  return error;
}

/// A pipe would never end, and a device is no snapshot.
Result<void> open_regular(FileSource& source, const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return damaged("the base " + path + " is not a regular file");
  }
  return source.open(path);
}

Result<void> check_fits(const Records& records, const Records& base) {
  const auto same_module = [](const ModuleRecord& a, const ModuleRecord& b) { return a.sha256 == b.sha256; };
  if (!std::equal(records.modules.begin(), records.modules.end(), base.modules.begin(), base.modules.end(),
                  same_module)) {
    return damaged("is a snapshot of another program, and so no base of this one");
  }
  if (records.memories.size() != base.memories.size()) {
    return damaged("has another number of memories, and so is no base of this one");
  }
  for (size_t i = 0; i < records.memories.size(); ++i) {
    if (base.memories[i].bytes() > records.memories[i].bytes()) {
      return damaged("has a larger memory " + std::to_string(i) + ", and so is no base of this one");
    }
  }
  return {};
}

}  // namespace

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string join_name(const std::string& folder, const std::string& name) {
  return folder == "." ? name : folder + "/" + name;
}

std::optional<std::string> relative_name(const std::string& path, const std::string& folder) {
  if (is_absolute(path) != is_absolute(folder)) return std::nullopt;
  const std::vector<std::string> to = components(path);
  const std::vector<std::string> from = components(folder);
  const auto [a, b] = std::mismatch(from.begin(), from.end(), to.begin(), to.end());
  std::string name;
  for (auto at = a; at != from.end(); ++at) {
    if (*at == "..") return std::nullopt;  // out of a folder whose name is not known
    name += "../";
  }
  for (auto at = b; at != to.end(); ++at) name += (at == b ? "" : "/") + *at;
  return name.empty() ? std::nullopt : std::optional(name);
}

Result<std::vector<Base>> find_bases(const Records& records, const std::string& folder) {
  std::vector<Base> bases;
  std::optional<BaseRecord> wanted = records.base;
  std::string from = folder;
  std::vector<MemoryRecord> memories;
  while (wanted) {
    if (bases.size() + 1 >= kMaxChain) {
      return damaged("more than " + std::to_string(kMaxChain) + " snapshots build on each other: flatten them");
    }
    if (is_absolute(wanted->name)) return damaged("the base's name is not relative: " + wanted->name);
    const std::string path = join_name(from, wanted->name);
    const auto same = [&](const Base& base) { return base.digest == wanted->digest; };
    if (std::any_of(bases.begin(), bases.end(), same)) return damaged("the bases go round in a circle: " + path);

    FileSource source;
    if (const Result<void> opened = open_regular(source, path); !opened) return opened.error();
    Reader reader(source);
    if (const Result<bool> seeks = reader.seek_over(); !seeks) return of_file(seeks.error(), path);
    if (const Result<void> opened = reader.open(); !opened) return of_file(opened.error(), path);
    if (reader.state_digest() != wanted->digest) {
      return damaged("the base " + path + " is not the one that the increment was made from: it is state " +
                     to_hex(reader.state_digest()) + ", wanted " + to_hex(wanted->digest));
    }
    if (const Result<void> fits = check_fits(records, reader.records()); !fits) return of_file(fits.error(), path);
    for (size_t i = 0; i < memories.size(); ++i) {
      if (reader.records().memories[i].bytes() > memories[i].bytes()) {
        return damaged(path + ": has a larger memory than what builds on it");
      }
    }
    memories = reader.records().memories;
    bases.push_back({path, wanted->digest});
    wanted = std::move(reader.records().base);
    from = folder_of(path);
  }
  return bases;
}

Result<void> read_bases(std::span<const Base> bases, std::span<const std::span<uint8_t>> memories) {
  for (size_t i = bases.size(); i-- > 0;) {
    const Base& base = bases[i];
    FileSource source;
    CHIWAWA_TRY(open_regular(source, base.path));
    Reader reader(source);
    if (const Result<void> opened = reader.open(); !opened) return of_file(opened.error(), base.path);
    // It might have been replaced since it was found.
    const std::vector<MemoryRecord>& declared = reader.records().memories;
    if (declared.size() != memories.size()) return damaged(base.path + " has changed");
    for (size_t m = 0; m < declared.size(); ++m) {
      if (declared[m].bytes() > memories[m].size()) return damaged(base.path + " has changed");
    }
    if (const Result<void> read = read_blocks(reader, memories); !read) return of_file(read.error(), base.path);
    if (reader.state_digest() != base.digest) return damaged(base.path + ": its trailer lied about its digest");
  }
  return {};
}

// --- ChainBlocks -----------------------------------------------------------------------------------------------------

/// One snapshot of the chain, read along.
class ChainBlocks::Level {
 public:
  Level(std::string path, Sha256 digest) : path_(std::move(path)), digest_(digest) {}

  Result<void> open() {
    CHIWAWA_TRY(open_regular(source_, path_));
    // Without seeking, all of it is read: an increment of a damaged base would be worth nothing.
    if (const Result<void> opened = reader_.open(); !opened) return of_file(opened.error(), path_);
    return next();
  }

  Reader& reader() { return reader_; }

  /// Whether this snapshot says what is in the block; then `hash` is set, or empty if it is zero.
  Result<bool> find(BlockPlace place, std::optional<Hash128>& hash) {
    while (more_ && run_ != batch_.runs.size()) {
      const BlockRun& run = batch_.runs[run_];
      if (place < run.first) return false;
      if (place.memory == run.first.memory && place.block < run.first.block + run.count) {
        hash.reset();
        if (run.kind == BlockKind::Zero) return true;
        const uint64_t at = run.kind == BlockKind::Repeat ? 0 : place.block - run.first.block;
        hash = batch_.hashes[hash_ + static_cast<size_t>(at)];
        return true;
      }
      hash_ += run.hash_count();
      if (++run_ == batch_.runs.size()) CHIWAWA_TRY(next());
    }
    return false;
  }

  Result<void> finish() {
    while (more_) CHIWAWA_TRY(next());
    if (const Result<void> finished = reader_.finish(); !finished) return of_file(finished.error(), path_);
    if (reader_.state_digest() != digest_) return damaged(path_ + " has changed");
    return {};
  }

 private:
  Result<void> next() {
    run_ = 0;
    hash_ = 0;
    const Result<bool> more = reader_.next_batch(batch_, false);
    if (!more) return of_file(more.error(), path_);
    more_ = *more;
    return {};
  }

  std::string path_;
  Sha256 digest_;
  FileSource source_;
  Reader reader_{source_};
  BlockBatch batch_;
  bool more_ = false;
  size_t run_ = 0;   // in the batch
  size_t hash_ = 0;  // of that run
};

ChainBlocks::ChainBlocks() = default;
ChainBlocks::~ChainBlocks() = default;

Result<void> ChainBlocks::open(const std::string& path, const std::string& folder) {
  const std::optional<std::string> name = relative_name(path, folder);
  if (!name) {
    return Error{Phase::Io,
                 "cannot say where the base " + path + " is, seen from " + folder + ": give both paths alike",
                 Error::kNoOffset};
  }
  record_.name = *name;
  {
    FileSource source;
    CHIWAWA_TRY(open_regular(source, path));
    Reader reader(source);
    if (const Result<bool> seeks = reader.seek_over(); !seeks) return of_file(seeks.error(), path);
    if (const Result<void> opened = reader.open(); !opened) return of_file(opened.error(), path);
    record_.digest = reader.state_digest();
    const Result<std::vector<Base>> bases = find_bases(reader.records(), folder_of(path));
    if (!bases) return bases.error();
    if (bases->size() + 2 > kMaxChain) {
      return damaged("more than " + std::to_string(kMaxChain) + " snapshots would build on each other: flatten " +
                     path);
    }
    levels_.push_back(std::make_unique<Level>(path, record_.digest));
    for (const Base& base : *bases) levels_.push_back(std::make_unique<Level>(base.path, base.digest));
  }
  for (const auto& level : levels_) CHIWAWA_TRY(level->open());
  return {};
}

Result<void> ChainBlocks::check(const Records& records) { return check_fits(records, levels_[0]->reader().records()); }

Result<std::optional<Hash128>> ChainBlocks::at(BlockPlace place) {
  std::optional<Hash128> hash;
  for (const auto& level : levels_) {
    const Result<bool> found = level->find(place, hash);
    if (!found) return found.error();
    if (*found) break;
  }
  return hash;
}

Result<void> ChainBlocks::finish() {
  for (const auto& level : levels_) CHIWAWA_TRY(level->finish());
  return {};
}

}  // namespace chiwawa::snapshot
