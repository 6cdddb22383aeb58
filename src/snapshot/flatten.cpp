#include "snapshot/flatten.hpp"

#include <algorithm>
#include <vector>

#include "interp/linear_memory.hpp"
#include "snapshot/apply_blocks.hpp"
#include "snapshot/chain.hpp"
#include "snapshot/file.hpp"
#include "snapshot/write.hpp"

namespace chiwawa::snapshot {

namespace {

/// Everything that a snapshot and its bases say.
class Whole {
 public:
  Result<void> read(const std::string& path) {
    CHIWAWA_TRY(source_.open(path));
    CHIWAWA_TRY(reader_.open());
    const Result<std::vector<Base>> bases = find_bases(reader_.records(), folder_of(path));
    if (!bases) return bases.error();
    Result<std::vector<std::vector<uint8_t>>> modules = reader_.read_modules();
    if (!modules) return modules.error();
    modules_ = std::move(*modules);
    std::vector<std::span<uint8_t>> spans;
    for (const MemoryRecord& record : reader_.records().memories) {
      if (!memories_.emplace_back().grow_to(record.bytes())) {
        return Error{Phase::Io, "no memory for " + std::to_string(record.bytes()) + " bytes", Error::kNoOffset};
      }
      spans.push_back(memories_.back().bytes());
    }
    CHIWAWA_TRY(read_bases(*bases, spans));
    return read_blocks(reader_, spans);
  }

  Records& records() { return reader_.records(); }

  Result<void> write(Sink& sink, BaseBlocks* base) {
    const auto memory = [&](uint32_t m) -> std::span<const uint8_t> { return memories_[m].bytes(); };
    const auto module = [&](uint32_t m) -> std::span<const uint8_t> { return modules_[m]; };
    return write_records(sink, records(), memory, reader_.header().writer, {module, reader_.header().time, base});
  }

 private:
  FileSource source_;
  Reader reader_{source_};
  std::vector<std::vector<uint8_t>> modules_;
  std::vector<LinearMemory> memories_;
};

/// Compares what is written with a file.
class CompareSink final : public Sink {
 public:
  explicit CompareSink(FileSource& file) : file_(file) {}

  Result<void> write(std::span<const uint8_t> bytes) override {
    std::vector<uint8_t> expected(bytes.size());
    for (size_t filled = 0; filled < expected.size();) {
      const Result<size_t> got = file_.read(std::span(expected).subspan(filled));
      if (!got) return got.error();
      if (*got == 0) return damaged("written again, the snapshot is longer", offset_ + filled);
      filled += *got;
    }
    const auto [a, b] = std::mismatch(bytes.begin(), bytes.end(), expected.begin());
    if (a != bytes.end()) {
      return damaged("written again, the snapshot has other bytes", offset_ + static_cast<uint64_t>(a - bytes.begin()));
    }
    offset_ += bytes.size();
    return {};
  }

  uint64_t offset() const { return offset_; }

 private:
  FileSource& file_;
  uint64_t offset_ = 0;
};

}  // namespace

Result<void> flatten(Sink& sink, const std::string& path) {
  Whole whole;
  CHIWAWA_TRY(whole.read(path));
  whole.records().base.reset();
  return whole.write(sink, nullptr);
}

Result<void> check_canonical(const std::string& path) {
  Whole whole;
  CHIWAWA_TRY(whole.read(path));
  ChainBlocks base;
  const std::optional<BaseRecord> record = whole.records().base;
  if (record) CHIWAWA_TRY(base.open(join_name(folder_of(path), record->name), folder_of(path)));
  FileSource file;
  CHIWAWA_TRY(file.open(path));
  CompareSink sink(file);
  CHIWAWA_TRY(whole.write(sink, record ? &base : nullptr));
  if (sink.offset() != file.size()) return damaged("written again, the snapshot is shorter", sink.offset());
  return {};
}

}  // namespace chiwawa::snapshot
