// Files and directories without a name: made, opened as often as needed, and left without their passing name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wasi/context.hpp"

namespace chiwawa::wasi {

class Nameless {
 public:
  explicit Nameless(Context& wasi) : wasi_(wasi) {}
  Nameless(const Nameless&) = delete;
  Nameless& operator=(const Nameless&) = delete;
  /// Takes the name away.
  ~Nameless();

  /// Makes it in the directory `first`, or in another one if that is read-only. To be called once.
  Errno make_file(RootIndex first, const std::vector<uint8_t>& content);
  Errno make_directory(RootIndex first);
  /// Opens it. Requires that it was made.
  Sys<Handle> open(const OpenOptions& options);

 private:
  /// Calls make(root, name) for one root after the other until it succeeds.
  template <typename Make>
  Errno make_somewhere(RootIndex first, Make make);
  Errno fill(Handle handle, const std::vector<uint8_t>& content);
  HostOs& os() { return *wasi_.os; }
  Handle directory() const { return wasi_.roots[root_].handle; }

  Context& wasi_;
  RootIndex root_ = 0;
  std::string name_;  // empty: not made
  bool is_directory_ = false;
};

}  // namespace chiwawa::wasi
