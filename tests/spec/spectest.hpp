// The host module "spectest" that the vectors import from.
// https://github.com/WebAssembly/spec/blob/main/interpreter/README.md#spectest-host-module
#pragma once

#include <map>
#include <optional>
#include <string>

#include "interp/store.hpp"

namespace chiwawa::spec {

/// Name -> what the store holds.
using HostModule = std::map<std::string, Extern, std::less<>>;

/// Adds functions, globals, table and memory to the store.
HostModule add_spectest(Store& store);

/// The host function of that name, for restoring a store.
std::optional<HostFunction> spectest_function(std::string_view module, std::string_view name);

}  // namespace chiwawa::spec
