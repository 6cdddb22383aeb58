// --trace: a line for every event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "interp/monitor.hpp"
#include "monitor/output.hpp"

namespace chiwawa::monitor {

/// Kinds of instructions that are traced, as bits.
enum TraceEvents : uint32_t {
  kTraceStores = 1,
  kTraceLoads = 2,
  kTraceCalls = 4,
  kTraceBranches = 8,
  kTraceAll = 16,
};

/// What a line shows, as bits.
enum TraceResources : uint32_t {
  kTraceRegs = 1,
  kTraceMemory = 2,
  kTraceLocals = 4,
  kTraceGlobals = 8,
  kTracePc = 16,
};

enum class TraceFormat : uint8_t { Text, Json, Perfetto };

/// What of a run is traced.
struct TraceFilter {
  std::vector<std::string> functions;  ///< names or indices; empty: all
  uint32_t begin = 0;                  ///< module offsets, [begin, end)
  uint32_t end = ~uint32_t{0};
  uint64_t first = ~uint64_t{0};  ///< events

  /// Whether a function of the module passes.
  bool has(const Module& module, uint32_t function_index) const;
};

struct TraceOptions {
  uint32_t events = kTraceAll;
  uint32_t resources = kTraceRegs | kTraceMemory | kTraceLocals | kTraceGlobals | kTracePc;
  TraceFilter filter;
};

/// The kinds that the instruction is of, besides kTraceAll.
uint32_t trace_kinds(Opcode opcode);

/// The functions' names for traces.
class FunctionNames {
 public:
  /// Printable.
  const std::string& of(const Store& store, FuncAddr function);
  /// As a JSON string, in its quotes.
  const std::string& quoted(const Store& store, FuncAddr function);

 private:
  std::unordered_map<uint32_t, std::string> names_;
  std::unordered_map<uint32_t, std::string> quoted_;
};

/// The number, or what a reference is: of one to an object not where that lies, which tells nobody anything.
std::string trace_number(const Value& value);

/// Decides what is traced; the formats derive from it.
class Tracer : public Monitor {
 public:
  Tracer(TraceOptions options, Output& output) : options_(std::move(options)), output_(output) {}

  std::string_view name() const override { return "trace"; }
  bool wants_instructions(const FuncInst& function) const override;
  bool wants(const FuncInst& function, const Instr& instr) const override;
  std::vector<uint8_t> save() const override;
  Result<void> load(std::span<const uint8_t> state, const Store& store) override;

 protected:
  bool wants_host_call(const HostCallEvent& event) const;
  /// Counts an event; false: that is enough.
  bool take() {
    if (taken_ >= options_.filter.first) return false;
    ++taken_;
    return true;
  }
  bool shows(TraceResources resource) const { return (options_.resources & resource) != 0; }
  /// Lets show(Value) write each value that for_each(f) gives, with commas between them.
  template <typename ForEach, typename Show>
  void list(ForEach for_each, Show show) {
    bool first = true;
    for_each([&](const Value& value) {
      if (!first) output_.letter(',');
      first = false;
      show(value);
    });
  }

  TraceOptions options_;
  Output& output_;
  FunctionNames names_;

 private:
  uint64_t taken_ = 0;
};

/// "main [PC:002f | Instr:i32.add | Regs:{I32(1),I32(2)} | Locals:[…] | Globals:[…]]".
class TextTrace final : public Tracer {
 public:
  using Tracer::Tracer;
  void before(const View& view) override;
  void host_call(const HostCallEvent& event) override;

 private:
  void value(const Value& value);
  void immediates(const Instr& instr);
  void memory(const View& view);
};

/// One JSON object a line: schema/trace.schema.json.
class JsonTrace final : public Tracer {
 public:
  using Tracer::Tracer;
  void before(const View& view) override;
  void host_call(const HostCallEvent& event) override;

 private:
  void position(const Store& store, CodePosition position);
  void value(const Value& value);
  void memory(const View& view);
};

}  // namespace chiwawa::monitor
