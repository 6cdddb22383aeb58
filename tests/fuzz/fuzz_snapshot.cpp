// libFuzzer target: any bytes as a snapshot, restored and run if it can be. The mutator knows the file's structure: it
// spoils the state inside, or exchanges numbers in what it says, and makes all digests right again.
//
// CHIWAWA_FUZZ_GUESTS names the folder of the modules that the seeds are snapshots of.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "hostile/hostile_snapshots.hpp"
#include "snapshot/hash.hpp"
#include "snapshot/read.hpp"
#include "snapshot/write.hpp"
#include "snapshot_forgery.hpp"

namespace {

using namespace chiwawa;
using hostile::Bytes;

using Modules = std::map<snapshot::Sha256, std::shared_ptr<const Module>>;

const Modules& modules() {
  static const Modules all = [] {
    Modules loaded;
    const char* const folder = std::getenv("CHIWAWA_FUZZ_GUESTS");
    const std::string paths[] = {folder != nullptr ? folder : "build/guests/wat"};
    for (const hostile::CorpusFile& file : hostile::collect_corpus(paths)) {
      if (const auto module = hostile::load(file.bytes)) loaded[snapshot::sha256(file.bytes)] = *module;
    }
    if (loaded.empty()) {
      std::fprintf(stderr, "no modules in %s (./dev guests builds some)\n", paths[0].c_str());
      std::exit(2);
    }
    return loaded;
  }();
  return all;
}

/// The module that the snapshot names, or any.
const std::shared_ptr<const Module>& module_of(const Bytes& file) {
  snapshot::MemorySource source(file);
  snapshot::Reader reader(source);
  if (reader.open() && !reader.records().modules.empty()) {
    const auto found = modules().find(reader.records().modules[0].sha256);
    if (found != modules().end()) return found->second;
  }
  return modules().begin()->second;
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hostile::Tally tally;
  hostile::Random random = hostile::random_of({data, size});
  const Bytes file(data, data + size);
  hostile::try_snapshot({&module_of(file), 1}, file, file, "fuzzed snapshot", random, tally);
  for (const std::string& problem : tally.problems) std::fprintf(stderr, "%s\n", problem.c_str());
  if (!tally.problems.empty()) std::abort();
  return 0;
}

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  hostile::Random random(seed);
  const size_t way = random.below(8);
  const Bytes good(data, data + size);
  snapshot::MemorySource source(good);
  snapshot::Reader reader(source);
  if (way == 0 || !reader.open()) return LLVMFuzzerMutate(data, size, max_size);
  snapshot::Records records = reader.records();
  if (way > 3) hostile::forge(records, random);
  Result<Bytes> state = snapshot::encode_state(records);
  if (!state) return LLVMFuzzerMutate(data, size, max_size);
  if (way <= 3) {
    const size_t length = state->size();
    state->resize(length + 64);
    state->resize(LLVMFuzzerMutate(state->data(), length, state->size()));
  }
  snapshot::MemorySink sink;
  if (!forgery::write_with_state(sink, *state, good, &records.heap) || sink.data.size() > max_size) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::copy(sink.data.begin(), sink.data.end(), data);
  return sink.data.size();
}
