// A guest without imports, ready to be called again and again on one kind of machine.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "interp/decode.hpp"
#include "interp/instantiate.hpp"
#include "interp/machine.hpp"
#include "interp/validate.hpp"

namespace bench {

inline constexpr const char* kGuests = "build/guests/";

inline std::vector<uint8_t> read_file(const std::string& name) {
  std::ifstream file(kGuests + name, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s%s is missing: run ./dev guests, then this from the project's folder\n", kGuests,
                 name.c_str());
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

class Guest {
 public:
  Guest(const std::string& file, const char* function, chiwawa::CompileOptions options, chiwawa::Dispatch dispatch) {
    auto module = chiwawa::decode(read_file(file));
    if (!module || !chiwawa::validate(*module)) std::abort();
    store_.compile_options = options;
    auto shared = std::make_shared<const chiwawa::Module>(std::move(*module));
    const auto made = chiwawa::instantiate(store_, shared, {});
    if (!made) std::abort();
    function_ = chiwawa::FuncAddr{store_.find_export(*made->instance, function)->address};
    machine_ = std::make_unique<chiwawa::Machine>(store_, chiwawa::MachineLimits{}, dispatch);
  }

  /// Calls the function with one argument, in slices as the command line does, and returns its result.
  uint64_t call(chiwawa::Value argument) {
    if (!machine_->invoke(function_, {&argument, 1})) std::abort();
    for (;;) {
      const chiwawa::Outcome outcome = machine_->run(kSlice);
      if (outcome.kind == chiwawa::Outcome::Kind::Finished) return outcome.values[0].bits;
      if (outcome.kind != chiwawa::Outcome::Kind::Paused) std::abort();
    }
  }

 private:
  static constexpr uint64_t kSlice = 200'000;  // polls or steps

  chiwawa::Store store_;
  std::unique_ptr<chiwawa::Machine> machine_;
  chiwawa::FuncAddr function_{};
};

}  // namespace bench
