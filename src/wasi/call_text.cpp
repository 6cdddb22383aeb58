#include "wasi/call_text.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>

#include "interp/text.hpp"

namespace chiwawa::wasi {

namespace {

struct Names {
  std::string_view function;
  std::string_view parameters;  ///< as in the list
};

constexpr Names kNames[] = {
#define WASI_FUNCTION(name, params, results, implementation, unstable_implementation, parameter_names) \
  {#name, parameter_names},
#include "wasi/preview1.def"
};

constexpr std::string_view kErrors[] = {
    "success",        "2big",       "acces",       "addrinuse",      "addrnotavail", "afnosupport", "again",
    "already",        "badf",       "badmsg",      "busy",           "canceled",     "child",       "connaborted",
    "connrefused",    "connreset",  "deadlk",      "destaddrreq",    "dom",          "dquot",       "exist",
    "fault",          "fbig",       "hostunreach", "idrm",           "ilseq",        "inprogress",  "intr",
    "inval",          "io",         "isconn",      "isdir",          "loop",         "mfile",       "mlink",
    "msgsize",        "multihop",   "nametoolong", "netdown",        "netreset",     "netunreach",  "nfile",
    "nobufs",         "nodev",      "noent",       "noexec",         "nolck",        "nolink",      "nomem",
    "nomsg",          "noprotoopt", "nospc",       "nosys",          "notconn",      "notdir",      "notempty",
    "notrecoverable", "notsock",    "notsup",      "notty",          "nxio",         "overflow",    "ownerdead",
    "perm",           "pipe",       "proto",       "protonosupport", "prototype",    "range",       "rofs",
    "spipe",          "srch",       "stale",       "timedout",       "txtbsy",       "xdev",        "notcapable"};

/// One parameter of the list: "*nread:in".
struct Parameter {
  std::string_view name;
  std::string_view form;  ///< behind the colon
  bool is_result = false;
};

template <typename F>
void for_each_parameter(std::string_view parameters, F f) {
  size_t index = 0;
  while (!parameters.empty()) {
    const size_t end = std::min(parameters.find(' '), parameters.size());
    Parameter parameter{parameters.substr(0, end), {}, false};
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (parameter.name.starts_with('*')) {
      parameter.is_result = true;
      parameter.name.remove_prefix(1);
    }
    if (const size_t colon = parameter.name.find(':'); colon != parameter.name.npos) {
      parameter.form = parameter.name.substr(colon + 1);
      parameter.name = parameter.name.substr(0, colon);
    }
    f(parameter, index++);
  }
}

/// A little-endian number in the guest's memory, if it is there.
std::optional<uint64_t> load(std::span<const uint8_t> memory, uint64_t address, size_t bytes) {
  if (bytes > memory.size() || address > memory.size() - bytes) return std::nullopt;
  uint64_t number = 0;
  for (size_t i = 0; i < bytes; ++i) number |= uint64_t{memory[static_cast<size_t>(address) + i]} << (8 * i);
  return number;
}

std::string quoted(std::span<const uint8_t> memory, uint64_t address, uint64_t size) {
  constexpr uint64_t kLongest = 256;
  const uint64_t shown = std::min(size, kLongest);
  if (shown > memory.size() || address > memory.size() - shown) return hex(address);
  const std::string text(reinterpret_cast<const char*>(memory.data()) + address, static_cast<size_t>(shown));
  return '"' + printable(text) + (shown < size ? "\"..." : "\"");
}

size_t result_bytes(std::string_view form) { return form == "u64" ? 8 : form == "u16" ? 2 : 4; }

const Names& names_of(const HostFunction& function) {
  return *std::ranges::find(kNames, std::string_view(function.name), &Names::function);
}

CallText look_at(const HostCallEvent& event, bool in_words) {
  const Names& names = names_of(event.function.host);
  const std::span<const uint8_t> memory = event.memory();
  CallText call;
  call.function = names.function;
  bool succeeded = false;
  if (event.kind == HostResult::Kind::Return) {
    call.error = event.results.empty() ? "success" : errno_name(event.results[0].bits);
    succeeded = event.results.empty() || event.results[0].bits == 0;
  }
  std::optional<size_t> length_of_text;
  for_each_parameter(names.parameters, [&](const Parameter& parameter, size_t index) {
    if (index >= event.args.size()) return;
    const uint64_t bits = event.args[index].bits;
    if (parameter.is_result) {
      const std::optional<uint64_t> stored =
          succeeded ? load(memory, bits, result_bytes(parameter.form)) : std::nullopt;
      if (!stored) return;
      if (parameter.form == "in") call.bytes_in += *stored;
      if (parameter.form == "out") call.bytes_out += *stored;
      if (in_words) call.results.push_back({parameter.name, std::to_string(*stored), *stored});
    } else if (in_words && index != length_of_text) {
      CallValue value{parameter.name, {}, bits};
      if (parameter.form == "text" && index + 1 < event.args.size()) {
        value.text = quoted(memory, bits, event.args[index + 1].bits);
        length_of_text = index + 1;
      } else if (parameter.form == "x") {
        value.text = hex(bits);
      } else {
        value.text = parameter.form == "s" ? std::to_string(static_cast<int64_t>(bits)) : std::to_string(bits);
      }
      call.args.push_back(std::move(value));
    }
  });
  return call;
}

}  // namespace

bool is_wasi(const HostFunction& function) {
  return function.module.starts_with("wasi_") &&
         std::ranges::find(kNames, std::string_view(function.name), &Names::function) != std::end(kNames);
}

CallText describe_call(const HostCallEvent& event) { return look_at(event, true); }

CallText measure_call(const HostCallEvent& event) { return look_at(event, false); }

std::string line(const CallText& call) {
  std::string text(call.function);
  const char* separator = "(";
  for (const CallValue& arg : call.args) {
    text += separator + std::string(arg.name) + "=" + arg.text;
    separator = ", ";
  }
  text += call.args.empty() ? "()" : ")";
  if (!call.error.empty()) text += " = " + std::string(call.error);
  for (const CallValue& result : call.results) text += ", " + std::string(result.name) + "=" + result.text;
  return text;
}

std::string_view errno_name(uint64_t number) { return number < std::size(kErrors) ? kErrors[number] : "errno"; }

}  // namespace chiwawa::wasi
