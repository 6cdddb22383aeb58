// chiwawa: runs a WebAssembly module, saves it while it runs, and continues what was saved.
#include <cstdlib>

#include "guest_run.hpp"
#include "open_session.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
  using namespace chiwawa::tools;

  const std::variant<Options, int> parsed = parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const Options& options = *std::get_if<Options>(&parsed);

  const std::variant<std::unique_ptr<Session>, int> session = open_session(options);
  if (const int* code = std::get_if<int>(&session)) return *code;
  return run_guest(**std::get_if<std::unique_ptr<Session>>(&session), options);
}
