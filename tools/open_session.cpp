#include "open_session.hpp"

#include <string>
#include <utility>

#include "report.hpp"

namespace chiwawa::tools {

std::variant<std::unique_ptr<Session>, int> open_session(const Options& options) {
  if (!options.ignored.empty()) {
    std::string names;
    for (const std::string& name : options.ignored) names += (names.empty() ? "" : ", ") + name;
    print_note("ignored with --restore: " + names);
  }
  Result<std::unique_ptr<Session>> session = options.restore ? Session::restore(options) : Session::start(options);
  if (!session) return print_error(session.error());
  if (options.explain) return print_verdicts((*session)->verdicts());
  for (const wasi::Verdict& verdict : (*session)->verdicts()) {
    if (verdict.kind == wasi::Verdict::Kind::Changed) print_note("note: " + describe(verdict));
  }
  for (const std::string& address : (*session)->listening_on()) {
    if (!address.empty()) print_note("listening on " + address);
  }
  return std::move(*session);
}

}  // namespace chiwawa::tools
