// Spoilt modules, from bytes to a run.
#pragma once

#include "hostile/tally.hpp"

namespace chiwawa::hostile {

/// Spoils each module of the corpus `count` times and takes it as far as it goes: decode, validate, instantiate, run,
/// save, restore, run on.
Tally spoil_modules(const Corpus& corpus, size_t count, uint64_t seed);

}  // namespace chiwawa::hostile
