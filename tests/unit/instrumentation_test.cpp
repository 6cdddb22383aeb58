// Monitors: what they are told, what they cost where they want nothing, and what they accept from a snapshot.
#include "interp/instrumentation.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <optional>

#include "interp/decode.hpp"
#include "interp/instantiate.hpp"
#include "interp/validate.hpp"
#include "machines.hpp"
#include "monitor/heat_map.hpp"
#include "unit/module_bytes.hpp"

using namespace chiwawa;
using namespace chiwawa::test;

namespace {

/// Function 0 writes i32 numbers to 0x10, 0x14, … 0x4c in a loop, and calls function 1, which reads a byte at 8 twice;
/// function 2 is never called.
Bytes guest() {
  const Bytes writes = {0x03, 0x40,                                // loop
                        0x20, 0,    0x20, 0,    0x36, 2,    0x10,  // (i32.store offset=16 (local.get 0) (local.get 0))
                        0x20, 0,    0x41, 4,    0x6A, 0x22, 0,  // (local.tee 0 (i32.add (local.get 0) (i32.const 4)))
                        0x41, 0xC0, 0,    0x49, 0x0D, 0,    0x0B,  // (br_if 0 (i32.lt_u … (i32.const 64))) end
                        0x10, 1};                                  // call 1
  const Bytes read = {0x41, 8, 0x2D, 0, 0, 0x1A};                  // (drop (i32.load8_u (i32.const 8)))
  return wasm_module({section(1, vec({func_type({}, {})})), section(3, vec({{0}, {0}, {0}})), section(5, {1, 0, 1}),
                      section(10, vec({body(writes, {1, 1, kI32}), body(join({read, read})), body(read)}))});
}

/// A monitor that is asked about functions by number.
class Chosen : public Monitor {
 public:
  explicit Chosen(uint32_t function) : function_(function) {}
  std::string_view name() const override { return "chosen"; }
  bool wants_instructions(const FuncInst& f) const override { return f.function_index == function_; }
  bool wants(const FuncInst&, const Instr&) const override { return true; }
  bool wants_calls(const FuncInst& f) const override { return f.function_index == function_; }

 private:
  uint32_t function_;
};

class Counter : public Monitor {
 public:
  std::string_view name() const override { return "counter"; }
  bool wants_counts() const override { return true; }
};

class Tree : public Monitor {
 public:
  std::string_view name() const override { return "tree"; }
  bool wants_call_tree() const override { return true; }
};

/// What happens, as text.
class Diary : public Monitor {
 public:
  std::string_view name() const override { return "diary"; }
  bool wants_calls(const FuncInst&) const override { return true; }
  bool wants_instructions(const FuncInst& f) const override { return f.function_index == 1; }
  bool wants(const FuncInst&, const Instr& instr) const override { return instr.opcode == Opcode::i32_load8_u; }
  void before(const View& view) override {
    text += "load at " + std::to_string(view.operand(0).bits) + ", depth " + std::to_string(view.call_depth()) + "\n";
  }
  void entered(const Store& store, FuncAddr function) override { text += "> " + store.function_name(function) + "\n"; }
  void left(const Store& store, FuncAddr function) override { text += "< " + store.function_name(function) + "\n"; }
  std::string text;
};

struct Run {
  Store store;
  std::optional<Instrumentation> instrumentation;
  std::unique_ptr<Machine> machine;
  Outcome outcome;

  Run(const MachineKind& kind, std::vector<Monitor*> monitors) {
    Result<Module> module = decode(guest());
    REQUIRE(module);
    REQUIRE(validate(*module));
    store.compile_options = kind.options;
    if (!monitors.empty()) {
      instrumentation.emplace(std::move(monitors));
      store.instrumentation = &*instrumentation;
    }
    REQUIRE(instantiate(store, std::make_shared<const Module>(std::move(*module)), {}));
    machine = std::make_unique<Machine>(store, MachineLimits{}, kind.dispatch);
    REQUIRE(machine->invoke(FuncAddr{0}, {}));
    outcome = kind.options.exact ? machine->run_up_to(1'000'000) : machine->run();
    REQUIRE(outcome.kind == Outcome::Kind::Finished);
    if (instrumentation) instrumentation->end(*machine, store, outcome);
  }

  const std::vector<Cell>& cells(size_t function) const { return store.funcs[function]->code.storage; }
};

bool same(const std::vector<Cell>& a, const std::vector<Cell>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(Cell)) == 0;
}

}  // namespace

TEST_CASE("A function that nobody watches is the same code as without monitors", "[instrumentation]") {
  for (const MachineKind& kind : all_machines()) {
    INFO(kind.name());
    Chosen third(2), second(1);
    const Run plain(kind, {}), watched(kind, {&third}), watched_second(kind, {&second});
    CHECK(same(plain.cells(0), watched.cells(0)));
    CHECK(same(plain.cells(1), watched.cells(1)));
    CHECK(same(plain.cells(0), watched_second.cells(0)));
    CHECK_FALSE(same(plain.cells(1), watched_second.cells(1)));
    CHECK(plain.store.funcs[0]->code.probes == nullptr);
  }
}

TEST_CASE("The example: a heat map of memory accesses", "[instrumentation]") {
  for (const MachineKind& kind : all_machines()) {
    INFO(kind.name());
    HeatMap map;
    const Run run(kind, {&map});
    REQUIRE(map.lines().size() == 2);
    CHECK(map.lines().at(0).reads == 2);
    CHECK(map.lines().at(0).writes == 12);
    CHECK(map.lines().at(1).reads == 0);
    CHECK(map.lines().at(1).writes == 4);
    CHECK(map.picture() ==
          "0x00000000        2 reads       12 writes  ########################################\n"
          "0x00000040        0 reads        4 writes  ############\n");
  }
}

TEST_CASE("Instructions are counted one by one", "[instrumentation]") {
  for (const MachineKind& kind : all_machines()) {
    INFO(kind.name());
    Counter counter;
    Run run(kind, {&counter});
    std::map<std::string, uint64_t> counts;
    for (const uint32_t f : {0u, 1u}) {
      run.instrumentation->counts().for_each(run.store, FuncAddr{f}, [&](const Instr& instr, uint64_t count, bool) {
        counts[std::string(name(instr.opcode))] += count;
      });
    }
    CHECK(counts == std::map<std::string, uint64_t>{{"local.get", 48},
                                                    {"i32.store", 16},
                                                    {"i32.const", 34},
                                                    {"i32.add", 16},
                                                    {"local.tee", 16},
                                                    {"i32.lt_u", 16},
                                                    {"br_if", 16},
                                                    {"call", 1},
                                                    {"i32.load8_u", 2},
                                                    {"drop", 2}});
    CHECK_FALSE(run.instrumentation->counts().has(FuncAddr{2}));
    run.instrumentation->count_uncalled(run.store);
    CHECK(run.instrumentation->counts().has(FuncAddr{2}));
  }
}

TEST_CASE("Steps are counted by call chain", "[instrumentation]") {
  for (const MachineKind& kind : all_machines()) {
    if (!kind.options.exact) continue;
    INFO(kind.name());
    Tree tree;
    const Run run(kind, {&tree});
    const auto& nodes = run.instrumentation->call_tree().nodes();
    REQUIRE(nodes.size() == 3);
    CHECK(nodes[1].function == FuncAddr{0});
    CHECK(nodes[1].steps == 161);
    CHECK(nodes[2].function == FuncAddr{1});
    CHECK(nodes[2].parent == &nodes[1]);
    CHECK(nodes[2].steps == 6);
    CHECK(run.machine->steps() == 167);
  }
}

TEST_CASE("Calls and chosen instructions are told in order", "[instrumentation]") {
  for (const MachineKind& kind : all_machines()) {
    INFO(kind.name());
    Diary diary;
    const Run run(kind, {&diary});
    CHECK(diary.text == "> func[0]\n> func[1]\nload at 8, depth 2\nload at 8, depth 2\n< func[1]\n< func[0]\n");
  }
}

TEST_CASE("Damaged states of monitors are refused, and change nothing", "[instrumentation]") {
  const MachineKind kind{default_dispatch(), {.exact = true}};
  Counter counter;
  Tree tree;
  Run run(kind, {&counter, &tree});
  const std::vector<MonitorState> good = run.instrumentation->save(*run.machine);
  REQUIRE(good.size() == 2);
  std::vector<std::string> unknown;
  REQUIRE(run.instrumentation->load(good, run.store, unknown));
  CHECK(unknown.empty());
  for (size_t which = 0; which < good.size(); ++which) {
    for (size_t at = 0; at < good[which].bytes.size(); ++at) {
      std::vector<MonitorState> bad = good;
      bad[which].bytes.resize(at);
      // Some beginnings are whole states; what is refused must say so, and nothing may break.
      (void)run.instrumentation->load(bad, run.store, unknown);
      for (const uint8_t byte : {uint8_t{0xFF}, uint8_t{0x7F}, uint8_t{0}}) {
        bad = good;
        bad[which].bytes[at] = byte;
        (void)run.instrumentation->load(bad, run.store, unknown);
        (void)run.instrumentation->save(*run.machine);
      }
    }
  }
  CHECK_FALSE(run.instrumentation->load({{"calls", {}}}, run.store, unknown));
  CHECK_FALSE(run.instrumentation->load({{"counts", {99, 1, 1}}}, run.store, unknown));
  CHECK_FALSE(run.instrumentation->load({{"calls", {2, 0, 7, 0, 0, 0}}}, run.store, unknown));
  REQUIRE(run.instrumentation->load(good, run.store, unknown));
  CHECK(run.instrumentation->save(*run.machine) == good);
  REQUIRE(run.instrumentation->load({{"no such monitor", {1}}}, run.store, unknown));
  CHECK(unknown == std::vector<std::string>{"no such monitor"});
}
