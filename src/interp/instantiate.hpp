// Module + imports -> Instance in the Store. https://webassembly.github.io/spec/core/exec/modules.html#instantiation
#pragma once

#include <memory>
#include <span>

#include "interp/outcome.hpp"
#include "interp/store.hpp"

namespace chiwawa {

/// What instantiate() made: the instance, and whether initialising it from its segments trapped.
struct Instantiation {
  Instance* instance = nullptr;
  TrapKind trap = TrapKind::None;
};

/// Checks that `imports` (one per module.imports, in order) have the types the module asks for. `type_ids` are those of
/// its types in the store.
/// Phase::Link: "incompatible import type", with names and both types.
Result<void> check_imports(const Store& store, const Module& module, std::span<const uint32_t> type_ids,
                           std::span<const Extern> imports);

/// Allocates an instance of a validated module, evaluates its globals and copies its active segments. Does not call
/// the start function: the caller runs it with a Machine (module.start). Fails (Phase::Link, Phase::Instantiate)
/// before anything is visible; a trap while copying segments leaves what was copied so far, as the specification says.
Result<Instantiation> instantiate(Store& store, const std::shared_ptr<const Module>& module,
                                  std::span<const Extern> imports);

}  // namespace chiwawa
