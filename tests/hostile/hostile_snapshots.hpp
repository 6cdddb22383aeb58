// Spoilt snapshots, from bytes to a run.
#pragma once

#include "hostile/tally.hpp"

namespace chiwawa::hostile {

/// Spoils the file of a snapshot: every one must be refused.
Tally spoil_files(const Corpus& corpus, size_t count, uint64_t seed);
/// Spoils the state inside and gives it right digests: refused, or restored and run.
Tally spoil_states(const Corpus& corpus, size_t count, uint64_t seed);
/// Block indices that are spoilt, or say something else in good form, with right digests.
Tally spoil_indices(const Corpus& corpus, size_t count, uint64_t seed);
/// Exchanges numbers in what a snapshot says for others that look right: refused, or restored and run.
Tally forge_records(const Corpus& corpus, size_t count, uint64_t seed);

}  // namespace chiwawa::hostile
