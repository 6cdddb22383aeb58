// WASI calls for people and for statistics: names of parameters, of errors, what came back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "interp/monitor.hpp"

namespace chiwawa::wasi {

/// A parameter, or what was stored where a parameter pointed.
struct CallValue {
  std::string_view name;  ///< as in the witx files
  std::string text;       ///< in decimal, or "0x10", or quoted
  uint64_t number = 0;    ///< unless it is a text
};

/// A call that has ended.
struct CallText {
  std::string_view function;  ///< "fd_write"
  std::vector<CallValue> args;
  std::vector<CallValue> results;  ///< what it stored, if it succeeded
  std::string_view error;          ///< "success", "badf", …; empty: it does not return
  uint64_t bytes_in = 0;           ///< that the guest received: read from a file, received from a socket
  uint64_t bytes_out = 0;          ///< that it wrote or sent
};

/// Whether the function is one of ours.
bool is_wasi(const HostFunction& function);
/// The call in words. Requires is_wasi(event.function.host).
CallText describe_call(const HostCallEvent& event);
/// What has crossed the border, without the words. Requires the same.
CallText measure_call(const HostCallEvent& event);
/// "fd_write(fd=1, iovs=0x10a0, iovs_len=1) = success, nwritten=5".
std::string line(const CallText& call);
/// As in the witx files, without its type: "noent". "errno" for a number that has no name.
std::string_view errno_name(uint64_t number);

}  // namespace chiwawa::wasi
