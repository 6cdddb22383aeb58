// What the tools print.
#include <fstream>

#include <nlohmann/json.hpp>

#include "snapshot/print.hpp"
#include "unit/snapshot_fixture.hpp"

using namespace chiwawa;
using namespace snapshot_test;

namespace {

struct Printed {
  std::vector<uint8_t> bytes;
  snapshot::MemorySource source;
  snapshot::Reader reader{source};
  std::vector<std::shared_ptr<const Module>> modules;

  explicit Printed(std::vector<uint8_t> file) : bytes(std::move(file)), source(bytes) { REQUIRE(reader.open()); }
  snapshot::FileFacts facts() const { return {"x.bin", bytes.size(), reader.header(), reader.state_digest()}; }
  snapshot::Names names() const { return snapshot::Names(reader.records(), modules); }
};

std::vector<uint8_t> some_snapshot(Guest& guest) {
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  return guest.save();
}

bool contains(const std::string& text, std::string_view part) {
  UNSCOPED_INFO(text);
  return text.find(part) != std::string::npos;
}

/// The guest of FORMAT.md's example.
constexpr uint8_t kTiny[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x0b, 0x02, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x00,
    0x01, 0x7f, 0x03, 0x03, 0x02, 0x00, 0x01, 0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x07, 0x01, 0x03, 0x72, 0x75, 0x6e,
    0x00, 0x01, 0x0a, 0x15, 0x02, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6a, 0x0b, 0x0b, 0x00, 0x41, 0x01, 0x41, 0x02,
    0x41, 0x03, 0x10, 0x00, 0x6a, 0x0b, 0x0b, 0x08, 0x01, 0x00, 0x41, 0x08, 0x0b, 0x02, 0x68, 0x69,
};

}  // namespace

TEST_CASE("The overview says what a person wants to know", "[snapshot][print]") {
  Guest guest(3);
  Printed printed(some_snapshot(guest));
  const std::string text = snapshot::print_overview(printed.facts(), printed.reader.records(), printed.names());
  CHECK(contains(text, "written by test 1.0"));
  CHECK(contains(text, "guest.wasm, 302 bytes, SHA-256 " + snapshot::to_hex(snapshot::sha256(kGuest))));
  CHECK(contains(text, "after 100 steps"));
  CHECK(contains(text, "func[3]"));
  CHECK(contains(text, "#0 19 pages"));
  CHECK(contains(text, "5 file /data log.txt, at 12 of 34 bytes"));
  CHECK(contains(text, "run as: guest -v"));
}

TEST_CASE("Functions have their module's names when it is there", "[snapshot][print]") {
  Guest guest(3);
  Printed printed(some_snapshot(guest));
  CHECK(printed.names().function(0) == "env.wait");
  CHECK(printed.names().function(1) == "func[1]");
  CHECK(printed.names().function(99) == "function address 99");
  printed.modules.push_back(guest.module);
  CHECK(printed.names().function(1) == "twice");
  CHECK(printed.names().function(2) == "func[2]");
}

TEST_CASE("Frames show typed locals and operands, innermost first", "[snapshot][print]") {
  Guest guest(3);
  REQUIRE(guest.run(40).kind == Outcome::Kind::Paused);  // some calls deep
  Printed printed(guest.save());
  REQUIRE(printed.reader.records().machine.frames.size() > 1);
  const std::string text = snapshot::print_frames(printed.reader.records(), printed.names());
  CHECK(text.starts_with("#0"));
  CHECK(contains(text, "f32 1.5"));
  CHECK(contains(text, "externref null"));
  size_t values = 0;
  for (size_t at = 0; (at = text.find("\n      ", at)) != std::string::npos; ++at) ++values;
  CHECK(values == printed.reader.records().machine.values.size());
}

TEST_CASE("Values in words", "[snapshot][print]") {
  const snapshot::Records none;
  const snapshot::Names names(none);
  CHECK(names.value({ValType::I32, 0xFFFFFFF9}) == "i32 -7");
  CHECK(names.value({ValType::I64, ~uint64_t{0}}) == "i64 -1");
  CHECK(names.value({ValType::F32, 0x3FC00000}) == "f32 1.5");
  CHECK(names.value({ValType::F32, 0x7FC00000}) == "f32 nan");
  CHECK(names.value({ValType::F64, 0xFFF0000000000001}) == "f64 -nan:0x1");
  CHECK(names.value({ValType::F64, 0xFFF0000000000000}) == "f64 -inf");
  CHECK(names.value({ValType::FuncRef, 0}) == "funcref null");
  CHECK(names.value({ValType::ExternRef, 6}) == "externref 5");
}

TEST_CASE("Text from strangers cannot control a terminal", "[snapshot][print]") {
  CHECK(printable("a\x1b[31m\n\xff") == "a\\x1b[31m\\x0a\\xff");
  CHECK(printable("zwölf") == "zwölf");
}

TEST_CASE("Numbers for people", "[snapshot][print]") {
  CHECK(snapshot::grouped(0) == "0");
  CHECK(snapshot::grouped(999) == "999");
  CHECK(snapshot::grouped(1000) == "1,000");
  CHECK(snapshot::grouped(12345678) == "12,345,678");
  CHECK(snapshot::size_in_words(1) == "1 byte");
  CHECK(snapshot::size_in_words(65536) == "64.0 KiB");
  CHECK(snapshot::size_in_words(3u << 20) == "3.0 MiB");
}

TEST_CASE("JSON can be read by a JSON reader", "[snapshot][print]") {
  Guest guest(3);
  wasi::State wasi = Guest::some_wasi();
  wasi.args.push_back("quote \" backslash \\ newline \n byte \xff");
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  Printed printed(guest.save(wasi));
  const std::string text = snapshot::print_json(printed.facts(), printed.reader.records(), printed.names());
  const auto json = nlohmann::json::parse(text, nullptr, false);
  REQUIRE(!json.is_discarded());
  CHECK(json["format"] == "1.0");
  CHECK(json["machine"]["steps"] == 100);
  CHECK(json["machine"]["frames"][0]["function"] == "func[3]");
  CHECK(json["machine"]["frames"][0]["locals"][0]["type"] == "i32");
  CHECK(json["memories"][0]["pages"] == 19);
  CHECK(json["tables"][0]["elements"].size() == printed.reader.records().tables[0].elements.size());
  CHECK(json["wasi"]["descriptors"][4]["path"] == "log.txt");
  CHECK(json["wasi"]["args"][2].get<std::string>().starts_with("quote \" backslash \\ newline \n"));
}

TEST_CASE("Memory as hex dump, across blocks that are not stored", "[snapshot][print]") {
  Guest guest(3);
  const std::vector<uint8_t> bytes = some_snapshot(guest);
  const auto dump = [&](std::optional<snapshot::MemoryRange> range) {
    snapshot::MemorySource source(bytes);
    snapshot::Reader reader(source);
    REQUIRE(reader.open());
    return snapshot::dump_memory(reader, range);
  };
  const auto active = dump(snapshot::MemoryRange{0, 69998, 70006});
  REQUIRE(active);
  CHECK(*active ==
        "00011160  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
        "00011170  61 63 74 69 76 65 00 00  00 00 00 00 00 00 00 00  |active..........|\n"
        "00011180\n");
  const auto all = dump(snapshot::MemoryRange{0, 0, 19 * 65536});
  REQUIRE(all);
  CHECK(all->starts_with("00000000  00 00"));
  CHECK(contains(*all, "\n*\n00011170  61"));
  CHECK(contains(*all, "\n00013880  68 65 6c 6c 6f"));
  CHECK(all->ends_with("\n*\n00130000\n"));

  const auto nothing = dump(std::nullopt);
  REQUIRE(nothing);
  CHECK(nothing->empty());
  CHECK(!dump(snapshot::MemoryRange{1, 0, 1}));
  CHECK(!dump(snapshot::MemoryRange{0, 0, 19 * 65536 + 1}));
  CHECK(!dump(snapshot::MemoryRange{0, 2, 1}));
}

TEST_CASE("FORMAT.md's example is what is written", "[snapshot][print]") {
  const std::shared_ptr<const Module> module = load(kTiny);
  Store store;
  store.compile_options = Guest::exact();
  const auto made = instantiate(store, module, {});
  REQUIRE(made);
  Machine machine(store);
  REQUIRE(machine.invoke(made->instance->funcs[1], {}));
  REQUIRE(machine.run(5).kind == Outcome::Kind::Paused);
  snapshot::MemorySink sink;
  REQUIRE(snapshot::write(sink, store, machine.capture(), std::nullopt, {"chiwawa 0.1.0", {"tiny.wasm"}}));

  std::ifstream format("schema/FORMAT.md");
  if (!format) SKIP("not run in the project's folder");
  const std::string text{std::istreambuf_iterator<char>(format), {}};
  std::string dump;
  snapshot::HexDump lines(dump);
  lines.add(0, sink.data);
  CHECK(sink.data.size() == 592);
  for (size_t at = 0; at < dump.size();) {
    const size_t end = dump.find('\n', at);
    const std::string line = dump.substr(at, end - at);
    at = end + 1;
    // Shown are the header, and what follows the state's frame; not its middle, nor lines that begin or end there.
    const bool shown = line < "00000040" || line >= "00000120";
    if (shown) CHECK(contains(text, line));
  }
}
