// chiwawa: runs a WebAssembly module, saves it while it runs, and continues what was saved.
#include <cstdlib>

#include "guest_run.hpp"
#include "options.hpp"
#include "report.hpp"
#include "session.hpp"

int main(int argc, char** argv) {
  using namespace chiwawa;
  using namespace chiwawa::tools;

  const std::variant<Options, int> parsed = parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const Options& options = *std::get_if<Options>(&parsed);

  if (!options.ignored.empty()) {
    std::string names;
    for (const std::string& name : options.ignored) names += (names.empty() ? "" : ", ") + name;
    print_note("ignored with --restore: " + names);
  }
  const Result<std::unique_ptr<Session>> session =
      options.restore ? Session::restore(options) : Session::start(options);
  if (!session) return print_error(session.error());
  if (options.explain) return print_verdicts((*session)->verdicts());
  for (const wasi::Verdict& verdict : (*session)->verdicts()) {
    if (verdict.kind == wasi::Verdict::Kind::Changed) print_note("note: " + describe(verdict));
  }
  for (const std::string& address : (*session)->listening_on()) {
    if (!address.empty()) print_note("listening on " + address);
  }
  return run_guest(**session, options);
}
