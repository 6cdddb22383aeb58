#include "instrument_lists.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace chiwawa::tools {

namespace {

using namespace monitor;

template <typename T>
struct Named {
  std::string_view name;
  T value;
};

constexpr Named<uint32_t> kEvents[] = {{"all", kTraceAll},
                                       {"store", kTraceStores},
                                       {"load", kTraceLoads},
                                       {"call", kTraceCalls},
                                       {"branch", kTraceBranches}};
constexpr Named<uint32_t> kResources[] = {{"regs", kTraceRegs},
                                          {"memory", kTraceMemory},
                                          {"locals", kTraceLocals},
                                          {"globals", kTraceGlobals},
                                          {"pc", kTracePc}};
constexpr Named<TraceFormat> kFormats[] = {
    {"text", TraceFormat::Text}, {"json", TraceFormat::Json}, {"perfetto", TraceFormat::Perfetto}};

std::vector<std::string> words(const std::string& text, const char* separators) {
  std::vector<std::string> words;
  for (size_t at = 0; (at = text.find_first_not_of(separators, at)) != text.npos;) {
    const size_t end = std::min(text.find_first_of(separators, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

template <typename T, size_t n>
const Named<T>* find(const Named<T> (&list)[n], std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(list), std::end(list), [&](const auto& x) { return x.name == name; });
  return found == std::end(list) ? nullptr : found;
}

template <typename T, size_t n>
std::string unknown(const char* what, const std::string& name, const Named<T> (&list)[n]) {
  std::string text = std::string("unknown ") + what + " " + name + "; there are:";
  for (const Named<T>& item : list) text += " " + std::string(item.name);
  return text;
}

template <size_t n>
std::string parse_set(const char* what, const std::string& text, const Named<uint32_t> (&list)[n], uint32_t& set) {
  set = 0;
  for (const std::string& word : words(text, ", ")) {
    const Named<uint32_t>* const named = find(list, word);
    if (named == nullptr) return unknown(what, word, list);
    set |= named->value;
  }
  return set == 0 ? std::string("no ") + what + " is named" : "";
}

/// Decimal, or hexadecimal behind 0x.
std::optional<uint64_t> parse_number(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number, is_hex ? 16 : 10);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

}  // namespace

std::string parse_trace_events(const std::string& text, uint32_t& events) {
  return parse_set("event", text, kEvents, events);
}

std::string parse_trace_resources(const std::string& text, uint32_t& resources) {
  return parse_set("resource", text, kResources, resources);
}

std::string parse_trace_format(const std::string& text, TraceFormat& format) {
  const Named<TraceFormat>* const named = find(kFormats, text);
  if (named == nullptr) return unknown("format", text, kFormats);
  format = named->value;
  return "";
}

std::string parse_trace_filter(const std::string& text, TraceFilter& filter) {
  filter = {};
  for (const std::string& word : words(text, ",")) {
    const size_t equals = std::min(word.find('='), word.size());
    const std::string key = word.substr(0, equals), value = word.substr(std::min(equals + 1, word.size()));
    if (key == "func" && !value.empty()) {
      filter.functions.push_back(value);
    } else if (key == "first" && parse_number(value)) {
      filter.first = parse_number(value).value_or(0);
    } else if (key == "range") {
      const size_t colon = std::min(value.find(':'), value.size());
      const std::optional<uint64_t> begin = colon == 0 ? uint64_t{0} : parse_number(value.substr(0, colon));
      const std::string rest = value.substr(std::min(colon + 1, value.size()));
      const std::optional<uint64_t> end = rest.empty() ? uint64_t{UINT32_MAX} : parse_number(rest);
      if (colon == value.size() || !begin || !end || *begin > UINT32_MAX || *end > UINT32_MAX) {
        return "expected range=A:B, module offsets: " + word;
      }
      filter.begin = static_cast<uint32_t>(*begin);
      filter.end = static_cast<uint32_t>(*end);
    } else {
      return "expected func=NAME, range=A:B or first=N: " + word;
    }
  }
  return "";
}

}  // namespace chiwawa::tools
