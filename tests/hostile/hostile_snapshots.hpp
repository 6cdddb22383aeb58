// Spoilt snapshots, from bytes to a run.
#pragma once

#include <utility>

#include "hostile/tally.hpp"
#include "snapshot/records.hpp"

namespace chiwawa::hostile {

/// A guest that stopped, and what it saved.
struct Stopped {
  std::string name;
  World world;
  snapshot::Records records;
  Bytes file;

  std::span<const uint8_t> memory(uint32_t address) const {
    return std::as_const(*world.store->memories[address]).memory.bytes();
  }
};

/// Guests stopped at some steps of their exports.
std::vector<Stopped> stop_guests(const Corpus& corpus, Random& random);

/// Shows a snapshot in every view, also beside a good one, restores it with the modules, of which there is at least
/// one, and runs on. True if it could be restored.
bool try_snapshot(std::span<const std::shared_ptr<const Module>> modules, const Bytes& file, const Bytes& good,
                  const std::string& input, Random& random, Tally& tally);

/// Exchanges a number somewhere in what a snapshot says.
void forge(snapshot::Records& records, Random& random);

/// Spoils the file of a snapshot: every one must be refused.
Tally spoil_files(const Corpus& corpus, size_t count, uint64_t seed);
/// Spoils the state inside and gives it right digests: refused, or restored and run.
Tally spoil_states(const Corpus& corpus, size_t count, uint64_t seed);
/// Block indices that are spoilt, or say something else in good form, with right digests.
Tally spoil_indices(const Corpus& corpus, size_t count, uint64_t seed);
/// Exchanges numbers in what a snapshot says for others that look right: refused, or restored and run.
Tally forge_records(const Corpus& corpus, size_t count, uint64_t seed);

}  // namespace chiwawa::hostile
