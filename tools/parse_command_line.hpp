// Parsing a command line with CLI11, the same way in native and in wasm builds.
//
// CLI11 reports errors, and also `--help` and `--version`, by throwing. Native builds catch. Wasm builds cannot (see
// wasm_exceptions.hpp): there the throw itself prints what CLI11 has to say and ends the program, with the same text
// and the same exit code. A program's main says one line:
//
//     if (auto code = chiwawa::tools::parse_command_line(app, argc, argv)) return *code;
//
// Callbacks and validators must therefore report by returning a message, not by throwing for others to catch.
#pragma once

#include <cstdio>
#include <optional>
#include <sstream>

#include <CLI/CLI.hpp>

#ifdef __wasm__
#include "wasm_exceptions.hpp"
#endif

namespace chiwawa::tools {

/// Exit code for wrong usage.
inline constexpr int usage_error = 2;

/// Prints what `error` stands for (help, version or a complaint) and gives the program's exit code.
inline int report(const CLI::App& app, const CLI::Error& error, int usage = usage_error) {
  // Not std::cout and std::cerr, which would bring the library's other standard streams into the program.
  std::ostringstream out;
  std::ostringstream err;
  const int code = app.exit(error, out, err);
  std::fputs(out.str().c_str(), stdout);
  std::fputs(err.str().c_str(), stderr);
  return code == 0 ? 0 : usage;
}

/// Parses the arguments into `app`. Empty: go on. Otherwise: everything is printed, exit with this code, which is
/// `usage` after a complaint.
inline std::optional<int> parse_command_line(CLI::App& app, int argc, const char* const* argv,
                                             int usage = usage_error) {
#ifdef __wasm__
  static const CLI::App* current = nullptr;
  static int current_usage = usage_error;
  current = &app;
  current_usage = usage;
  set_throw_handler([](const void* thrown, const std::type_info& type) -> std::optional<int> {
    // Every exception class of CLI11 has CLI::Error as its first base, so the addresses are the same.
    if (!is_from_namespace(type, "CLI")) return std::nullopt;
    return report(*current, *static_cast<const CLI::Error*>(thrown), current_usage);
  });
  app.parse(argc, argv);
  set_throw_handler(nullptr);
#else
  try {
    app.parse(argc, argv);
  } catch (const CLI::Error& error) {
    return report(app, error, usage);
  }
#endif
  return std::nullopt;
}

}  // namespace chiwawa::tools
