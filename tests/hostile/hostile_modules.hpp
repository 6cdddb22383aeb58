// Spoilt modules, from bytes to a run.
#pragma once

#include "hostile/tally.hpp"

namespace chiwawa::hostile {

/// Takes one module as far as it goes: decode, validate, instantiate, run, save, restore, run on. `input` names it.
void try_module(Bytes bytes, const std::string& input, Random& random, Tally& tally);

/// Spoils each module of the corpus `count` times and tries it.
Tally spoil_modules(const Corpus& corpus, size_t count, uint64_t seed);

}  // namespace chiwawa::hostile
