// The machines that every suite runs on: each dispatcher of this build with each way to compile.
#pragma once

#include <string>
#include <vector>

#include "interp/machine.hpp"

namespace chiwawa {

struct MachineKind {
  Dispatch dispatch;
  CompileOptions options;

  std::string name() const {
    return std::string(dispatch == Dispatch::Loop ? "loop" : "tail") +
           (options.exact   ? ", exact"
            : options.polls ? ", polls"
                            : "") +
           (options.no_fusion ? ", no fusion" : "");
  }
};

inline std::vector<MachineKind> all_machines() {
  std::vector<MachineKind> kinds;
  for (const Dispatch dispatch : {Dispatch::Loop, Dispatch::Tail}) {
    if (!has_dispatch(dispatch)) continue;
    kinds.push_back({dispatch, {.polls = false, .exact = false}});
    kinds.push_back({dispatch, {.polls = true, .exact = false}});
    kinds.push_back({dispatch, {.polls = false, .exact = true}});
    kinds.push_back({dispatch, {.no_fusion = true}});
    kinds.push_back({dispatch, {.exact = true, .no_fusion = true}});
  }
  return kinds;
}

}  // namespace chiwawa
