// What is inside a Wasi.
#pragma once

#include "wasi/context.hpp"

namespace chiwawa::wasi {

struct Wasi::Impl : Context {
  using Context::Context;
};

}  // namespace chiwawa::wasi
