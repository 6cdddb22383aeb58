// libFuzzer target: the parsers of the command line. An input is the arguments of `chiwawa`, one a line; as a whole it
// is also split as `--app-args` and read as `--params`.
#include <cstdint>
#include <string>
#include <vector>

#include "app_args.hpp"
#include "options.hpp"
#include "params.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace chiwawa;
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> lines;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  static_cast<void>(tools::split_words(text));
  const std::vector<ValType> types(lines.size(), ValType::F64);
  static_cast<void>(tools::parse_params(lines, types));
  static_cast<void>(tools::parse_params({text}, {ValType::I32, ValType::F32, ValType::I64, ValType::ExternRef}));

  std::vector<const char*> arguments{"chiwawa"};
  for (const std::string& line : lines) arguments.push_back(line.c_str());
  static_cast<void>(tools::parse_options(static_cast<int>(arguments.size()), arguments.data()));
  return 0;
}
