#include "inspect/flatten.hpp"

#include "interp/linear_memory.hpp"
#include "snapshot/write.hpp"

namespace chiwawa::inspect {

Result<void> flatten(snapshot::Sink& sink, const Subject& subject, std::string_view writer) {
  std::vector<LinearMemory> memories(subject.records.memories.size());
  for (uint32_t m = 0; m < memories.size(); ++m) {
    if (!memories[m].grow_to(subject.records.memories[m].pages)) {
      return Error{Phase::Instantiate, "memory " + std::to_string(m) + " is larger than the host can give",
                   Error::kNoOffset};
    }
    for (uint64_t block = 0; block < subject.blocks.end(m); ++block) {
      if (!subject.blocks.hash({m, block})) continue;
      const auto into =
          memories[m].bytes().subspan(static_cast<size_t>(block * snapshot::kBlockSize), snapshot::kBlockSize);
      CHIWAWA_TRY(subject.blocks.read({m, block}, into));
    }
  }
  for (size_t i = 0; i < subject.records.modules.size(); ++i) {
    if (subject.records.modules[i].embedded && subject.modules[i].module == nullptr) {
      return snapshot::damaged("the embedded module " + std::to_string(i) + " is no WebAssembly module");
    }
  }
  snapshot::Records records = subject.records;
  records.base.reset();
  const auto module = [&](uint32_t i) -> std::span<const uint8_t> { return subject.modules[i].module->bytes; };
  const auto memory = [&](uint32_t m) -> std::span<const uint8_t> { return memories[m].bytes(); };
  return snapshot::write_records(sink, records, memory, writer, {module, subject.file.header.time, nullptr});
}

}  // namespace chiwawa::inspect
