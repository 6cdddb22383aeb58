// What a C++ `throw` does in the wasm builds.
//
// The wasm builds must run on hosts without the exception-handling proposal, so nothing can be caught there. The
// programs in tools/ are compiled with -fexceptions all the same, because CLI11 throws: the compiler then turns `throw`
// into calls of
// __cxa_allocate_exception and __cxa_throw (defined in wasm_exceptions.cpp) and drops all `catch` blocks. A throw goes
// to the handler set here, and ends the program with the exit code that it gives.
#pragma once

#include <optional>
#include <string_view>
#include <typeinfo>

namespace chiwawa::tools {

/// Gets the thrown object and its dynamic type. Gives an exit code, or nothing for an exception it does not know.
using ThrowHandler = std::optional<int> (*)(const void* thrown, const std::type_info& type);

/// Who gets the next throw; nullptr for nobody: the program then names the exception on stderr and aborts.
void set_throw_handler(ThrowHandler handler);

/// Whether the type was declared directly in the top-level namespace `name`.
bool is_from_namespace(const std::type_info& type, std::string_view name);

}  // namespace chiwawa::tools
