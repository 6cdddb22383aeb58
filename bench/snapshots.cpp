// What snapshots take, in time and bytes: against zstd -1 on the same bytes, for a small guest, and as increments.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>
#include <zstd.h>

#include "snapshot/apply_blocks.hpp"
#include "snapshot/chain.hpp"
#include "snapshot/file.hpp"
#include "snapshot/write.hpp"

namespace {

using namespace chiwawa;
using namespace chiwawa::snapshot;
using Bytes = std::vector<uint8_t>;

/// Takes everything and keeps its size only.
class CountingSink final : public Sink {
 public:
  Result<void> write(std::span<const uint8_t> bytes) override {
    size += bytes.size();
    return {};
  }
  uint64_t size = 0;
};

class Random {
 public:
  uint32_t next() {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<uint32_t>(state_ >> 33);
  }

 private:
  uint64_t state_ = 42;
};

/// What a heap looks like: records with pointers, small numbers, words, and some noise. No two blocks are equal.
Bytes heap(uint64_t blocks) {
  static const char* const kWords[] = {"memory ", "table ", "global ", "function ", "instance ", "module ", "trap "};
  Random random;
  Bytes bytes;
  bytes.reserve(blocks * kBlockSize + 64);
  while (bytes.size() < blocks * kBlockSize) {
    const auto number = [&](uint32_t value) {
      for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<uint8_t>(value >> shift));
    };
    number(0x100000 + random.next() % 65536 * 16);
    number(random.next() % 200);
    if (random.next() % 4 == 0) number(random.next());
    for (uint32_t words = random.next() % 4; words != 0; --words) {
      const std::string word = kWords[random.next() % std::size(kWords)];
      bytes.insert(bytes.end(), word.begin(), word.end());
    }
    bytes.resize((bytes.size() + 7) & ~size_t{7});
  }
  bytes.resize(blocks * kBlockSize);
  return bytes;
}

Records records_of(const Bytes& memory) {
  Records records;
  records.modules.push_back({{}, 8, "m", false});
  const uint64_t pages = memory.size() / kPageSize;
  records.memories.push_back({{{pages, std::nullopt}}, pages});
  records.host_funcs.push_back({"env", "f", {}});
  records.funcs.push_back({kHostInstance, 0});
  return records;
}

void save(Sink& sink, const Bytes& memory, ChainBlocks* base = nullptr) {
  Records records = records_of(memory);
  if (base != nullptr) records.base = base->record();
  const auto bytes = [&](uint32_t) { return std::span<const uint8_t>(memory); };
  const auto none = [](uint32_t) { return std::span<const uint8_t>(); };
  if (!write_records(sink, records, bytes, "bench", {none, 0, base})) std::abort();
}

void load(const Bytes& file, Bytes& memory) {
  MemorySource source(file);
  Reader reader(source);
  if (!reader.open()) std::abort();
  const std::span<uint8_t> span = memory;
  if (!read_blocks(reader, std::span(&span, 1))) std::abort();
}

template <typename F>
double seconds(F f) {
  const auto began = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// 32 MiB in use, scattered over 64: the time as a ratio to zstd -1 on the bytes in use, which is given them in one
/// piece.
void write_and_zstd(benchmark::State& state) {
  const Bytes used = heap(8192);
  Bytes memory(used.size() * 2);
  for (size_t run = 0; run < used.size(); run += 16 * kBlockSize) {
    std::copy_n(used.begin() + static_cast<ptrdiff_t>(run), 16 * kBlockSize,
                memory.begin() + static_cast<ptrdiff_t>(run * 2));
  }
  Bytes out(ZSTD_compressBound(used.size()));
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::vector<double> ratios;
  uint64_t ours = 0;
  size_t theirs = 0;
  for (auto _ : state) {
    const double a = seconds([&] {
      CountingSink sink;
      save(sink, memory);
      ours = sink.size;
    });
    const double b =
        seconds([&] { theirs = ZSTD_compress2(context, out.data(), out.size(), used.data(), used.size()); });
    ratios.push_back(a / b);
  }
  ZSTD_freeCCtx(context);
  state.counters["time_ratio"] = median(std::move(ratios));
  state.counters["size_ratio"] = static_cast<double>(ours) / static_cast<double>(theirs);
}
BENCHMARK(write_and_zstd)->Iterations(31)->Unit(benchmark::kMillisecond);

/// And back, as a ratio to zstd's decompression of its own.
void read_and_zstd(benchmark::State& state) {
  const Bytes memory = heap(8192);
  MemorySink sink;
  save(sink, memory);
  Bytes compressed(ZSTD_compressBound(memory.size()));
  compressed.resize(ZSTD_compress(compressed.data(), compressed.size(), memory.data(), memory.size(), 1));
  Bytes out(memory.size());
  std::vector<double> ratios;
  for (auto _ : state) {
    const double a = seconds([&] { load(sink.data, out); });
    const double b = seconds([&] { ZSTD_decompress(out.data(), out.size(), compressed.data(), compressed.size()); });
    ratios.push_back(a / b);
  }
  if (out != memory) state.SkipWithError("the memory did not come back");
  state.counters["time_ratio"] = median(std::move(ratios));
}
BENCHMARK(read_and_zstd)->Iterations(31)->Unit(benchmark::kMillisecond);

/// Two blocks in use of 2 MiB.
void small_write(benchmark::State& state) {
  Bytes memory(2 << 20);
  const Bytes used = heap(2);
  std::copy(used.begin(), used.end(), memory.begin() + 65536);
  uint64_t size = 0;
  for (auto _ : state) {
    CountingSink sink;
    save(sink, memory);
    size = sink.size;
  }
  state.counters["bytes"] = static_cast<double>(size);
}
BENCHMARK(small_write)->Unit(benchmark::kMillisecond);

void small_read(benchmark::State& state) {
  Bytes memory(2 << 20);
  const Bytes used = heap(2);
  std::copy(used.begin(), used.end(), memory.begin() + 65536);
  MemorySink sink;
  save(sink, memory);
  for (auto _ : state) load(sink.data, memory);
}
BENCHMARK(small_read)->Unit(benchmark::kMillisecond);

/// 64 MiB of which 100 blocks have changed, each to noise: the increment's size as a ratio to the changed bytes, and
/// its time as one to that of the whole.
void increment(benchmark::State& state) {
  Bytes memory = heap(16384);
  const std::string folder = (std::filesystem::temp_directory_path() / "chiwawa-bench-XXXXXX").string();
  std::string name = folder;
  if (mkdtemp(name.data()) == nullptr) std::abort();
  const std::string path = name + "/base.bin";
  if (!publish(path, [&](Sink& sink) {
        save(sink, memory);
        return Result<void>();
      })) {
    std::abort();
  }
  Random random;
  for (size_t i = 0; i < 100; ++i) {
    const size_t block = i * 163 + random.next() % 163;
    for (size_t b = 0; b < kBlockSize; ++b) memory[block * kBlockSize + b] = static_cast<uint8_t>(random.next());
  }
  std::vector<double> ratios;
  uint64_t size = 0;
  for (auto _ : state) {
    const double a = seconds([&] {
      ChainBlocks base;
      if (!base.open(path, name)) std::abort();
      CountingSink sink;
      save(sink, memory, &base);
      size = sink.size;
    });
    const double b = seconds([&] {
      CountingSink sink;
      save(sink, memory);
    });
    ratios.push_back(a / b);
  }
  std::filesystem::remove_all(name);
  state.counters["size_ratio"] = static_cast<double>(size) / (100.0 * kBlockSize);
  state.counters["time_ratio"] = median(std::move(ratios));
}
BENCHMARK(increment)->Iterations(21)->Unit(benchmark::kMillisecond);

}  // namespace
