// What the tools print.
#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include "inspect/coredump.hpp"
#include "inspect/html.hpp"
#include "inspect/memory_views.hpp"
#include "inspect/open.hpp"
#include "inspect/verify.hpp"
#include "inspect/views.hpp"
#include "unit/snapshot_fixture.hpp"

using namespace chiwawa;
using namespace snapshot_test;

namespace {

using inspect::Text;

struct Opened {
  inspect::OpenSnapshot file;

  explicit Opened(std::vector<uint8_t> bytes) { REQUIRE(file.open_bytes(std::move(bytes), "x.bin")); }
  void know(const Guest& guest) { CHECK(file.take_modules(std::span(&guest.module, 1)) == 1); }
  std::string text(void (*print)(Text&, const inspect::Subject&)) {
    return inspect::text_of([&](Text& out) { print(out, file.subject()); });
  }
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

TEST_CASE("The overview says what a person wants to know", "[inspect][views]") {
  Guest guest(3);
  Opened opened(some_snapshot(guest));
  const std::string text = opened.text(inspect::print_overview);
  CHECK(contains(text, "x.bin, "));
  CHECK(contains(text, "written by test 1.0"));
  CHECK(contains(text, "guest.wasm, 302 bytes, SHA-256 " + snapshot::to_hex(snapshot::sha256(kGuest)).substr(0, 16)));
  CHECK(contains(text, "after 100 steps"));
  CHECK(contains(text, "func[3] at 0x"));
  CHECK(contains(text, "1.2 MiB (19 pages, at most 40), "));
  CHECK(contains(text, "5 file /data log.txt, at 12 of 34 bytes"));
  CHECK(inspect::describe(opened.file.records().wasi->descriptors[5]) == "6 file /data, moved file 1, at 1 of 3 bytes");
  CHECK(inspect::describe(opened.file.records().wasi->descriptors[6]) == "7 listener 1, on 127.0.0.1:80");
  CHECK(contains(text, "run as    guest -v  (1 environment variable)"));
  CHECK(std::count(text.begin(), text.end(), '\n') <= 16);
}

TEST_CASE("Functions have their module's names when it is there", "[inspect][views]") {
  Guest guest(3);
  Opened opened(some_snapshot(guest));
  CHECK(opened.file.subject().names.function(0) == "env.wait");
  CHECK(opened.file.subject().names.function(1) == "func[1]");
  CHECK(opened.file.subject().names.function(99) == "function address 99");
  opened.know(guest);
  CHECK(opened.file.subject().names.function(1) == "twice");
  CHECK(opened.file.subject().names.function(2) == "func[2]");
}

TEST_CASE("Frames show typed locals and operands, innermost first", "[inspect][views]") {
  Guest guest(3);
  REQUIRE(guest.run(40).kind == Outcome::Kind::Paused);  // some calls deep
  Opened opened(guest.save());
  REQUIRE(opened.file.records().machine.frames.size() > 1);
  const auto frames = [&](inspect::FrameParts parts) {
    return inspect::text_of([&](Text& out) { inspect::print_frames(out, opened.file.subject(), parts); });
  };
  const auto values = [](const std::string& text) {
    size_t count = 0;
    for (size_t at = 0; (at = text.find("\n      ", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  const std::string text = frames({true, true});
  CHECK(text.starts_with("#0"));
  CHECK(contains(text, "f32 1.5"));
  CHECK(contains(text, "externref null"));
  const size_t all = opened.file.records().machine.values.size();
  CHECK(values(text) == all);
  CHECK(values(frames({true, false})) + values(frames({false, true})) == all);
  CHECK(values(frames({true, false})) != 0);
}

TEST_CASE("Instructions: the next one, and the calls under way", "[inspect][views]") {
  Guest guest(3);
  Opened opened(some_snapshot(guest));
  const MachineImage& machine = opened.file.records().machine;
  CHECK(inspect::stack_of(opened.file.subject(), true).frames[0].instruction.empty());
  opened.know(guest);
  const inspect::Stack stack = inspect::stack_of(opened.file.subject(), true);
  REQUIRE(stack.frames.size() == machine.frames.size());
  CHECK(!stack.frames[0].instruction.empty());
  CHECK(stack.frames[0].begin == machine.frames.back().position);
  for (size_t i = 1; i < stack.frames.size(); ++i) {
    CHECK(stack.frames[i].instruction.starts_with("call"));
    CHECK(stack.frames[i].begin < stack.frames[i].position);
  }
  CHECK(!stack.frames[0].source);  // there is no DWARF
  CHECK(stack.problems.empty());
}

TEST_CASE("Values in words", "[inspect][views]") {
  const snapshot::Records none;
  const inspect::Names names(none);
  CHECK(names.value({ValType::I32, 0xFFFFFFF9}) == "i32 -7");
  CHECK(names.value({ValType::I64, ~uint64_t{0}}) == "i64 -1");
  CHECK(names.value({ValType::F32, 0x3FC00000}) == "f32 1.5");
  CHECK(names.value({ValType::F32, 0x7FC00000}) == "f32 nan");
  CHECK(names.value({ValType::F64, 0xFFF0000000000001}) == "f64 -nan:0x1");
  CHECK(names.value({ValType::F64, 0xFFF0000000000000}) == "f64 -inf");
  CHECK(names.value({ValType::FuncRef, 0}) == "funcref null");
  CHECK(names.value({ValType::ExternRef, 6}) == "externref 5");
}

TEST_CASE("Text from strangers cannot control a terminal", "[inspect][views]") {
  CHECK(printable("a\x1b[31m\n\xff") == "a\\x1b[31m\\x0a\\xff");
  CHECK(printable("zwölf") == "zwölf");
}

TEST_CASE("Numbers for people", "[inspect][views]") {
  CHECK(inspect::grouped(0) == "0");
  CHECK(inspect::grouped(999) == "999");
  CHECK(inspect::grouped(1000) == "1,000");
  CHECK(inspect::grouped(12345678) == "12,345,678");
  CHECK(inspect::size_in_words(1) == "1 byte");
  CHECK(inspect::size_in_words(65536) == "64.0 KiB");
  CHECK(inspect::size_in_words(3u << 20) == "3.0 MiB");
}

TEST_CASE("JSON can be read by a JSON reader", "[inspect][views]") {
  Guest guest(3);
  wasi::State wasi = Guest::some_wasi();
  wasi.args.push_back("quote \" backslash \\ newline \n byte \xff");
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  Opened opened(guest.save(wasi));
  const inspect::Subject subject = opened.file.subject();
  inspect::Json document = inspect::json_document("test", "all");
  document["snapshot"] = inspect::json_of_file(subject);
  document["machine"] = inspect::json_of_machine(subject, {}, true);
  document["memories"] = inspect::json_of_memories(subject);
  document["tables"] = inspect::json_of_tables(subject);
  document["wasi"] = inspect::json_of_wasi(subject);
  const auto json = nlohmann::json::parse(inspect::json_text(document), nullptr, false);
  REQUIRE(!json.is_discarded());
  CHECK(json["snapshot"]["format"] == "1.0");
  CHECK(json["machine"]["steps"] == 100);
  CHECK(json["machine"]["frames"].back()["function"] == "func[3]");
  CHECK(json["machine"]["frames"].back()["locals"][0]["type"] == "i32");
  CHECK(json["memories"][0]["pages"] == 19);
  CHECK(json["tables"][0]["elements"].size() == subject.records.tables[0].elements.size());
  CHECK(json["wasi"]["descriptors"][4]["path"] == "log.txt");
  CHECK(json["wasi"]["descriptors"][5]["elsewhere"] == true);
  CHECK(json["wasi"]["descriptors"][6]["address"] == "127.0.0.1:80");
  CHECK(json["wasi"]["args"][2].get<std::string>().starts_with("quote \" backslash \\ newline \n"));
  CHECK(inspect::json_number(1) == 1);
  CHECK(inspect::json_number(~uint64_t{0}) == "18446744073709551615");
}

TEST_CASE("Memory as hex dump, across blocks that are not stored", "[inspect][views]") {
  Guest guest(3);
  Opened opened(some_snapshot(guest));
  const inspect::Subject subject = opened.file.subject();
  const auto dump = [&](uint64_t begin, uint64_t end) {
    const auto range = inspect::memory_range(subject.records, 0, std::pair(begin, end));
    REQUIRE(range);
    return inspect::text_of([&](Text& out) { CHECK(inspect::print_memory(out, subject, *range)); });
  };
  CHECK(dump(69998, 70006) ==
        "00011160  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
        "00011170  61 63 74 69 76 65 00 00  00 00 00 00 00 00 00 00  |active..........|\n"
        "00011180\n");
  const std::string all = dump(0, 19 * 65536);
  CHECK(all.starts_with("00000000  00 00"));
  CHECK(contains(all, "\n*\n00011170  61"));
  CHECK(contains(all, "\n00013880  68 65 6c 6c 6f"));
  CHECK(all.ends_with("\n*\n00130000\n"));
  CHECK(!inspect::memory_range(subject.records, 1, std::nullopt));
  CHECK(!inspect::memory_range(subject.records, 0, std::pair<uint64_t, uint64_t>(0, 19 * 65536 + 1)));
  CHECK(!inspect::memory_range(subject.records, 0, std::pair<uint64_t, uint64_t>(2, 1)));
}

TEST_CASE("Bytes and text are found in memory, also across blocks", "[inspect][views]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  uint8_t* const bytes = guest.store->memories[0]->memory.data();
  std::copy_n("needle", 6, bytes + 3 * 4096 - 3);
  std::copy_n("needleneedle", 12, bytes + 19 * 65536 - 12);
  Opened opened(guest.save());
  const inspect::Subject subject = opened.file.subject();
  const auto find = [&](std::string_view text, inspect::MemoryRange range) {
    const auto pattern = inspect::parse_pattern(text);
    REQUIRE(pattern);
    const auto matches = inspect::find_in_memory(subject, range, *pattern);
    REQUIRE(matches);
    CHECK(matches->count == matches->offsets.size());
    return matches->offsets;
  };
  using Offsets = std::vector<uint64_t>;
  const inspect::MemoryRange all = inspect::whole_memory(subject.records, 0);
  constexpr uint64_t kFirst = 3 * 4096 - 3;
  CHECK(find("needle", all) == Offsets{kFirst, all.end - 12, all.end - 6});
  CHECK(find("needle", {0, kFirst + 1, all.end - 1}) == Offsets{all.end - 12});
  CHECK(find("6e 65 65 64 6c 65 00", all) == Offsets{kFirst});  // the zero is in a block's rest
  CHECK(find("0x006e6565", all) == Offsets{kFirst - 1, all.end - 13});
  CHECK(find("eneedle", all) == Offsets{all.end - 7});
  CHECK(find("\"61 63\"", all).empty());
  CHECK(find("nowhere", all).empty());
  CHECK(!inspect::parse_pattern(""));
  CHECK(!inspect::parse_pattern("00 00"));

  std::vector<std::pair<uint64_t, std::string>> strings;
  REQUIRE(inspect::find_strings(subject, all, 6,
                                [&](uint64_t offset, std::string_view text) { strings.emplace_back(offset, text); }));
  REQUIRE(strings.size() >= 3);
  CHECK(strings.front() == std::pair<uint64_t, std::string>(kFirst, "needle"));
  CHECK(strings.back() == std::pair<uint64_t, std::string>(all.end - 12, "needleneedle"));
}

TEST_CASE("The picture of a memory's pages", "[inspect][views]") {
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  uint8_t* const bytes = guest.store->memories[0]->memory.data();
  std::fill_n(bytes, 19 * 65536, uint8_t{0});
  std::fill_n(bytes + 4096, 4096, uint8_t{1});
  std::fill_n(bytes + 2 * 4096, 2048, uint8_t{1});
  bytes[70 * 4096] = 1;
  Opened opened(guest.save());
  const auto map = inspect::page_map(opened.file.subject(), inspect::whole_memory(opened.file.records(), 0));
  REQUIRE(map);
  CHECK(map->cell_bytes == 4096);
  REQUIRE(map->used.size() == 19 * 16);
  CHECK(map->used[1] == 4096);
  CHECK(map->used[2] == 2048);
  CHECK(map->used[70] == 1);
  const std::string text = inspect::text_of([&](Text& out) { inspect::print_page_map(out, *map); });
  CHECK(contains(text, "\n0x00000000  ·█▒····"));
  CHECK(contains(text, "\n0x00040000  ······░·"));
}

TEST_CASE("Each check of a snapshot is named", "[inspect][verify]") {
  Guest guest(3);
  const std::vector<uint8_t> good = some_snapshot(guest);
  const auto failed = [&](const std::vector<uint8_t>& bytes, std::span<const std::shared_ptr<const Module>> modules) {
    const inspect::Verification result = inspect::verify_snapshot(&bytes, "", ".", modules);
    for (const inspect::CheckResult& check : result.checks) {
      if (check.status == inspect::CheckResult::Status::Failed) return check.name;
      if (check.status == inspect::CheckResult::Status::NotDone) return "not done: " + check.name;
    }
    return std::string("none");
  };
  CHECK(failed(good, {}) == "not done: modules");
  CHECK(failed(good, std::span(&guest.module, 1)) == "none");
  const auto spoilt = [&](size_t at) {
    std::vector<uint8_t> bytes = good;
    bytes[at] ^= 1;
    return bytes;
  };
  CHECK(failed(spoilt(0), {}) == "header");
  CHECK(failed(spoilt(16), {}) == "version");
  CHECK(failed(spoilt(100), {}) == "state frame");
  CHECK(failed(spoilt(good.size() - 30), {}) == "trailer");
  CHECK(failed({good.begin(), good.end() - 1}, {}) == "trailer");
}

TEST_CASE("The page to browse escapes what strangers wrote", "[inspect][html]") {
  Guest guest(3);
  wasi::State wasi = Guest::some_wasi();
  wasi.args[0] = "<script>alert('&')</script>";
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  Opened opened(guest.save(wasi));
  opened.know(guest);
  const std::string page = inspect::text_of([&](Text& out) { CHECK(inspect::print_html(out, opened.file.subject())); });
  CHECK(contains(page, "&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"));
  CHECK(page.find("<script>alert") == std::string::npos);
  CHECK(contains(page, "default-src 'none'"));
  CHECK(page.ends_with("</html>\n"));
}

TEST_CASE("A core dump is a module that holds the memories", "[inspect][coredump]") {
  Guest guest(3);
  Opened opened(some_snapshot(guest));
  opened.know(guest);
  snapshot::MemorySink sink;
  REQUIRE(inspect::write_coredump(sink, opened.file.subject()));
  const std::shared_ptr<const Module> module = load(sink.data);
  REQUIRE(module->memories.size() == 1);
  CHECK(module->memories[0].limits.min == 19);
  CHECK(module->globals.size() == opened.file.records().globals.size());
  std::vector<std::string> sections;
  for (const inspect::CustomSection& section : inspect::custom_sections(*module)) sections.emplace_back(section.name);
  CHECK(sections == std::vector<std::string>{"core", "coremodules", "coreinstances", "corestack"});
  // Instantiated, it has the guest's memory.
  Store store;
  const auto made = instantiate(store, module, {});
  REQUIRE(made);
  const auto dumped = std::as_const(*store.memories[0]).memory.bytes();
  const auto original = std::as_const(*guest.store->memories[0]).memory.bytes();
  CHECK(std::equal(dumped.begin(), dumped.end(), original.begin(), original.end()));
}

TEST_CASE("FORMAT.md's example is what is written", "[inspect][views]") {
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
  const std::string dump = inspect::text_of([&](Text& out) { inspect::HexDump(out).add(0, sink.data); });
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
