#include "monitor/profile.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "interp/state_bytes.hpp"
#include "interp/text.hpp"

namespace chiwawa::monitor {

uint64_t ProfileStacks::total() const {
  uint64_t total = 0;
  for (const Stack& stack : stacks) total += stack.weight;
  return total;
}

void write_folded(Output& output, const Store& store, const ProfileStacks& profile) {
  for (const ProfileStacks::Stack& stack : profile.stacks) {
    const char* separator = "";
    for (const FuncAddr function : stack.functions) {
      std::string name = printable(store.function_name(function));
      std::ranges::replace(name, ';', ':');
      output.text(separator);
      output.text(name);
      separator = ";";
    }
    output.letter(' ');
    output.number(stack.weight);
    output.letter('\n');
  }
}

void write_speedscope(Output& output, const Store& store, const ProfileStacks& profile, const std::string& title,
                      const SourceLines& lines) {
  using nlohmann::ordered_json;
  // Frames are functions, numbered as they come.
  std::map<FuncAddr, size_t> numbers;
  std::vector<FuncAddr> functions;
  for (const ProfileStacks::Stack& stack : profile.stacks) {
    for (const FuncAddr function : stack.functions) {
      if (numbers.try_emplace(function, functions.size()).second) functions.push_back(function);
    }
  }
  // A function's line is that of its first instruction that has one.
  std::map<const Module*, std::vector<uint32_t>> wanted;
  const auto begin_of = [&](FuncAddr address) {
    const FuncInst& function = store[address];
    return function.instance->module->body(function.function_index).code.begin;
  };
  for (const FuncAddr function : functions) {
    if (!store[function].is_host()) wanted[store[function].instance->module.get()].push_back(begin_of(function));
  }
  std::map<const Module*, std::map<uint32_t, SourcePlace>> places;
  for (auto& [module, offsets] : wanted) {
    if (lines) places[module] = lines(*module, std::move(offsets));
  }

  ordered_json frames = ordered_json::array();
  for (const FuncAddr function : functions) {
    ordered_json frame = {{"name", printable(store.function_name(function))}};
    if (!store[function].is_host()) {
      const auto& known = places[store[function].instance->module.get()];
      if (const auto place = known.find(begin_of(function)); place != known.end()) {
        frame["file"] = printable(place->second.file);
        frame["line"] = place->second.line;
      }
    }
    frames.push_back(std::move(frame));
  }
  ordered_json samples = ordered_json::array(), weights = ordered_json::array();
  for (const ProfileStacks::Stack& stack : profile.stacks) {
    ordered_json sample = ordered_json::array();
    for (const FuncAddr function : stack.functions) sample.push_back(numbers[function]);
    samples.push_back(std::move(sample));
    weights.push_back(stack.weight);
  }
  const ordered_json file = {{"$schema", "https://www.speedscope.app/file-format-schema.json"},
                             {"name", printable(title)},
                             {"exporter", "chiwawa"},
                             {"activeProfileIndex", 0},
                             {"shared", {{"frames", std::move(frames)}}},
                             {"profiles",
                              {{{"type", "sampled"},
                                {"name", printable(title) + (profile.is_time ? " (time)" : " (instructions)")},
                                {"unit", profile.is_time ? "nanoseconds" : "none"},
                                {"startValue", 0},
                                {"endValue", profile.total()},
                                {"samples", std::move(samples)},
                                {"weights", std::move(weights)}}}}};
  output.text(file.dump());
  output.letter('\n');
}

void CounterProfile::ended(const Ending& /*ending*/, const Instrumentation& instrumentation) {
  for (const CallNode& node : instrumentation.call_tree().nodes()) {
    if (node.steps == 0 || node.number == 0) continue;
    ProfileStacks::Stack stack{.functions = {}, .weight = node.steps};
    for (const CallNode* at = &node; at->number != 0; at = at->parent) stack.functions.push_back(at->function);
    std::ranges::reverse(stack.functions);
    result_.stacks.push_back(std::move(stack));
  }
}

void SampleProfile::sampled(const Store& /*store*/, std::span<const CodePosition> chain, uint64_t nanoseconds) {
  std::vector<FuncAddr> functions;
  functions.reserve(chain.size());
  for (const CodePosition& at : chain) functions.push_back(at.function);
  std::ranges::reverse(functions);
  if (!functions.empty()) samples_[std::move(functions)] += nanoseconds;
}

void SampleProfile::ended(const Ending& /*ending*/, const Instrumentation& /*instrumentation*/) {
  result_.is_time = true;
  for (const auto& [functions, weight] : samples_) result_.stacks.push_back({functions, weight});
}

std::vector<uint8_t> SampleProfile::save() const {
  StateWriter out;
  for (const auto& [functions, weight] : samples_) {
    out.number(functions.size());
    for (const FuncAddr function : functions) out.number(raw(function));
    out.number(weight);
  }
  return out.take();
}

Result<void> SampleProfile::load(std::span<const uint8_t> state, const Store& store) {
  StateReader in(state);
  std::map<std::vector<FuncAddr>, uint64_t> loaded;
  while (!in.at_end()) {
    std::vector<FuncAddr> functions(in.count());
    for (FuncAddr& function : functions) {
      const uint64_t address = in.number();
      if (address >= store.funcs.size()) in.fail();
      function = static_cast<FuncAddr>(address);
    }
    loaded[std::move(functions)] += in.number();
  }
  CHIWAWA_TRY(in.check("samples"));
  samples_ = std::move(loaded);
  return {};
}

}  // namespace chiwawa::monitor
