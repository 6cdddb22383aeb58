// What `chiwawa` prints: results on stdout, everything else on stderr.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "interp/outcome.hpp"
#include "interp/result.hpp"
#include "interp/store.hpp"
#include "wasi/wasi.hpp"

namespace chiwawa::tools {

/// The program's exit codes, apart from the guest's own.
enum ExitCode : int {
  kExitOk = 0,
  kExitRefused = 1,   ///< module, export, parameters, files
  kExitUsage = 2,     ///< the command line
  kExitSnapshot = 3,  ///< snapshot unreadable, damaged or foreign
  kExitTrap = 134,    ///< as a shell reports a process that aborted
};

/// "Num(I32(30))", "Num(F64(nan))", "Ref(RefNull)", "Ref(FuncAddr(3))", "Ref(RefExtern(5))". Integers are signed
/// decimals, floats the shortest text that reads back as the same number; a NaN other than the canonical one shows its
/// payload.
std::string format(const Value& value);

/// "Result: Num(I32(30))", one line each.
void print_results(const std::vector<Value>& values, std::FILE* to = stdout);

/// "trap: integer divide by zero", then the call chain, innermost first.
void print_trap(const Store& store, const Trap& trap);

/// "chiwawa: <description>", and the exit code that the error's phase means.
ExitCode print_error(const Error& error);

/// "chiwawa: <text>"; further lines of it are indented.
void print_note(const std::string& text);

/// What a restore would do, one line for each, on stdout; and the exit code that this means.
ExitCode print_verdicts(const std::vector<wasi::Verdict>& verdicts);

}  // namespace chiwawa::tools
