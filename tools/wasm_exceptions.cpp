#include "wasm_exceptions.hpp"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace chiwawa::tools {
namespace {

ThrowHandler current_handler = nullptr;

}  // namespace

void set_throw_handler(ThrowHandler handler) { current_handler = handler; }

bool is_from_namespace(const std::type_info& type, std::string_view name) {
  // Itanium mangling: N <length> <namespace> ... E
  const std::string prefix = "N" + std::to_string(name.size()) + std::string(name);
  return std::string_view(type.name()).starts_with(prefix);
}

}  // namespace chiwawa::tools

// The two entry points that the compiler calls for `throw x;` (Itanium C++ ABI).
extern "C" {

void* __cxa_allocate_exception(std::size_t size) noexcept;
[[noreturn]] void __cxa_throw(void* thrown, std::type_info* type, void* (*destructor)(void*));

void* __cxa_allocate_exception(std::size_t size) noexcept {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}

void __cxa_throw(void* thrown, std::type_info* type, void* (*)(void*)) {
  using namespace chiwawa::tools;
  // Cleared first: a throw from within the handler must not come back to it.
  const ThrowHandler handler = current_handler;
  current_handler = nullptr;
  if (handler != nullptr) {
    if (const std::optional<int> code = handler(thrown, *type)) std::exit(*code);
  }
  std::fprintf(stderr, "internal error: exception of type %s\n", type->name());
  std::abort();
}

}  // extern "C"
