// A module's first function, called on one of the machines, with everything that is left behind.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "interp/decode.hpp"
#include "interp/instantiate.hpp"
#include "interp/machine.hpp"
#include "interp/validate.hpp"
#include "machines.hpp"
#include "unit/module_bytes.hpp"

namespace chiwawa::test {

/// The module imports nothing.
struct FirstFunctionCall {
  Store store;
  Outcome outcome;

  FirstFunctionCall(Bytes bytes, const MachineKind& kind, std::span<const Value> args = {}) {
    Result<Module> module = decode(std::move(bytes));
    INFO((module ? "" : describe(module.error())));
    REQUIRE(module);
    const Result<void> valid = validate(*module);
    INFO((valid ? "" : describe(valid.error())));
    REQUIRE(valid);
    store.compile_options = kind.options;
    REQUIRE(instantiate(store, std::make_shared<const Module>(std::move(*module)), {}));
    Machine machine(store, {}, kind.dispatch);
    REQUIRE(machine.invoke(FuncAddr{0}, args));
    outcome = machine.run();
  }
  /// The function's slot code.
  const std::vector<Cell>& cells() const { return store.funcs[0]->code.storage; }
};

}  // namespace chiwawa::test
