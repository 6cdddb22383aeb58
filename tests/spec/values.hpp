// Arguments and expected results of the vectors' JSON: text -> values, and whether a result is what was expected.
// https://github.com/WebAssembly/spec/blob/main/interpreter/README.md#scripts
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "interp/store.hpp"

namespace chiwawa::spec {

using Json = nlohmann::json;

/// The string member `key`, or "" if it is missing or something else.
std::string text(const Json& object, const char* key);

/// One argument, or nothing if its type is none that this runner knows.
std::optional<Value> parse_value(const Json& json);

/// Whether `actual` are the results that the command allows: "expected", or one of "either".
bool results_match(const Json& command, const std::vector<Value>& actual, const Store& store);

/// "i32:7 f64:0x7ff8000000000000", for failure messages.
std::string show(const std::vector<Value>& values);

}  // namespace chiwawa::spec
