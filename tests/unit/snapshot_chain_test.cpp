// Increments: only what differs, restored on top of their bases, and refused without the right ones.
#include <filesystem>
#include <fstream>

#include "snapshot/block_store.hpp"
#include "snapshot/chain.hpp"
#include "snapshot/container.hpp"
#include "snapshot/file.hpp"
#include "snapshot/flatten.hpp"
#include "unit/snapshot_fixture.hpp"

using namespace chiwawa;
using namespace chiwawa::snapshot;
namespace fs = std::filesystem;

namespace {

/// A folder for snapshots of a program with one memory.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "chiwawa-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  Result<void> write(const std::string& name, const std::vector<uint8_t>& memory, const std::string& base = {},
                     uint8_t module = 1) {
    Records records;
    records.modules.push_back({{module}, 8, "m", false});
    records.memories.push_back({{{0, std::nullopt}}, memory.size() / kPageSize});
    records.host_funcs.push_back({"env", "f", {}});
    records.funcs.push_back({kHostInstance, 0});
    ChainBlocks blocks;
    const std::string path = *this / name;
    if (!base.empty()) {
      CHIWAWA_TRY(blocks.open(*this / base, folder_of(path)));
      records.base = blocks.record();
    }
    const auto bytes = [&](uint32_t) { return std::span<const uint8_t>(memory); };
    return publish(path, [&](Sink& sink) {
      return write_records(sink, records, bytes, "test", {bytes, 0, base.empty() ? nullptr : &blocks});
    });
  }

  /// The memory of a snapshot and its bases; or why not.
  Result<std::vector<uint8_t>> read(const std::string& name) {
    MemorySink sink;
    CHIWAWA_TRY(flatten(sink, *this / name));
    MemorySource source(sink.data);
    Reader reader(source);
    CHIWAWA_TRY(reader.open());
    CHECK(!reader.records().base);
    std::vector<uint8_t> memory(reader.records().memories[0].pages * kPageSize);
    BlockStore store;
    CHIWAWA_TRY(store.load(reader, "nowhere"));
    for (uint64_t b = 0; b < memory.size() / kBlockSize; ++b) {
      CHIWAWA_TRY(store.read({0, b}, std::span(memory).subspan(b * kBlockSize, kBlockSize)));
    }
    return memory;
  }

 private:
  fs::path path_;
};

std::vector<uint8_t> noise(uint64_t pages, uint32_t seed) {
  std::vector<uint8_t> bytes(pages * kPageSize);
  for (uint8_t& byte : bytes) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(seed >> 24);
  }
  return bytes;
}

/// Fills one block with something of its own, or with zeros.
void change(std::vector<uint8_t>& memory, uint64_t block, uint8_t value) {
  std::fill_n(memory.begin() + static_cast<ptrdiff_t>(block * kBlockSize), kBlockSize, value);
}

bool refuses(const Result<void>& result, std::string_view why) {
  if (result) return false;
  UNSCOPED_INFO(result.error().cause);
  return result.error().cause.find(why) != std::string::npos;
}

Result<void> read(Folder& folder, const std::string& name) {
  auto memory = folder.read(name);
  return memory ? Result<void>() : memory.error();
}

}  // namespace

TEST_CASE("An increment has only what differs, and gives everything", "[snapshot][chain]") {
  Folder folder;
  std::vector<uint8_t> memory = noise(20, 1);
  REQUIRE(folder.write("base", memory));
  REQUIRE(fs::create_directory(folder / "sub"));

  change(memory, 3, 7);                                                        // new contents
  change(memory, 4, 7);                                                        // the same once more
  change(memory, 100, 0);                                                      // zero now
  std::copy_n(memory.begin(), kBlockSize, memory.begin() + 200 * kBlockSize);  // a copy of what only the base has
  REQUIRE(folder.write("sub/one", memory, "base"));
  CHECK(fs::file_size(folder / "sub/one") < 1500);
  CHECK(*folder.read("sub/one") == memory);

  memory.resize(memory.size() + 2 * kPageSize);
  change(memory, 100, 9);
  change(memory, 3, 0);
  change(memory, 350, 1);
  REQUIRE(folder.write("two", memory, "sub/one"));
  CHECK(*folder.read("two") == memory);
  for (const char* name : {"base", "sub/one", "two"}) {
    const Result<void> canonical = check_canonical(folder / name);
    INFO((canonical ? "" : describe(canonical.error())));
    CHECK(canonical);
  }

  // Seen through the indices.
  FileSource source;
  REQUIRE(source.open(folder / "two"));
  Reader reader(source);
  REQUIRE(*reader.seek_over());
  REQUIRE(reader.open());
  BlockStore store;
  REQUIRE(store.load(reader, folder_of(folder / "two")));
  std::vector<uint8_t> block(kBlockSize);
  for (uint64_t b = 0; b < memory.size() / kBlockSize; ++b) {
    REQUIRE(store.read({0, b}, block));
    REQUIRE(std::equal(block.begin(), block.end(), memory.begin() + static_cast<ptrdiff_t>(b * kBlockSize)));
  }

  // Nothing has changed: nothing is listed.
  REQUIRE(folder.write("three", memory, "two"));
  CHECK(*folder.read("three") == memory);
  CHECK(fs::file_size(folder / "three") < 700);

  // A flat copy of the chain is what a snapshot without base would have been.
  REQUIRE(folder.write("alone", memory));
  REQUIRE(publish(folder / "flat", [&](Sink& sink) { return flatten(sink, folder / "three"); }));
  CHECK(*read_file(folder / "flat") == *read_file(folder / "alone"));
}

TEST_CASE("Wrong bases are refused", "[snapshot][chain]") {
  Folder folder;
  std::vector<uint8_t> memory = noise(2, 1);
  REQUIRE(folder.write("base", memory));
  change(memory, 1, 1);
  REQUIRE(folder.write("increment", memory, "base"));
  REQUIRE(read(folder, "increment"));

  SECTION("missing") {
    fs::remove(folder / "base");
    CHECK(refuses(read(folder, "increment"), "base"));
  }
  SECTION("another state") {
    REQUIRE(folder.write("base", memory));
    CHECK(refuses(read(folder, "increment"), "is not the one that the increment was made from"));
  }
  SECTION("the same state by another writer is right") {
    REQUIRE(publish(folder / "copy", [&](Sink& sink) { return flatten(sink, folder / "base"); }));
    fs::rename(folder / "copy", folder / "base");
    CHECK(read(folder, "increment"));
  }
  SECTION("a damaged one") {
    std::vector<uint8_t> bytes = *read_file(folder / "base");
    bytes[bytes.size() / 2] ^= 1;
    std::ofstream(folder / "base", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    CHECK(refuses(read(folder, "increment"), "base"));
    CHECK(!folder.write("other", memory, "base"));
    CHECK(!fs::exists(folder / "other"));
  }
  SECTION("a folder, a pipe") {
    fs::remove(folder / "base");
    fs::create_directory(folder / "base");
    CHECK(refuses(read(folder, "increment"), "not a regular file"));
  }
  SECTION("another program's, or one with larger memory") {
    CHECK(refuses(folder.write("other", memory, "base", 2), "another program"));
    CHECK(refuses(folder.write("small", noise(1, 1), "base"), "larger memory"));
  }
  SECTION("itself") {
    fs::copy(folder / "increment", folder / "base", fs::copy_options::overwrite_existing);
    CHECK(refuses(read(folder, "increment"), "is not the one that the increment was made from"));
  }
}

TEST_CASE("Chains have an end", "[snapshot][chain]") {
  Folder folder;
  std::vector<uint8_t> memory = noise(1, 1);
  REQUIRE(folder.write("1", memory));
  for (size_t i = 2; i <= kMaxChain; ++i) {
    change(memory, i % 16, static_cast<uint8_t>(i));
    REQUIRE(folder.write(std::to_string(i), memory, std::to_string(i - 1)));
  }
  CHECK(*folder.read(std::to_string(kMaxChain)) == memory);
  CHECK(refuses(folder.write("more", memory, std::to_string(kMaxChain)), "flatten"));
}

TEST_CASE("A base that lies about its digest, or is its own base, is found out", "[snapshot][chain]") {
  Folder folder;
  const std::vector<uint8_t> memory = noise(1, 1);
  REQUIRE(folder.write("base", memory));
  ChainBlocks blocks;
  REQUIRE(blocks.open(folder / "base", folder_of(folder / "x")));
  // An increment of itself, under the digest of the honest base.
  Records records;
  records.modules.push_back({{1}, 8, "m", false});
  records.memories.push_back({{{0, std::nullopt}}, 1});
  records.host_funcs.push_back({"env", "f", {}});
  records.funcs.push_back({kHostInstance, 0});
  records.base = BaseRecord{blocks.record().digest, "liar"};
  MemorySink sink;
  ContainerWriter container(sink);
  REQUIRE(container.header({}));
  REQUIRE(container.frame(FrameKind::State, *encode_state(records), 1));
  REQUIRE(container.trailer());
  const Sha256 wanted = blocks.record().digest;
  std::copy(wanted.begin(), wanted.end(), sink.data.end() - 72);  // in the trailer
  REQUIRE(publish(folder / "liar", [&](Sink& file) { return file.write(sink.data); }));
  CHECK(refuses(read(folder, "liar"), "circle"));

  // The same lie about another base is noticed when it has been read.
  records.base.reset();
  MemorySink second;
  ContainerWriter other(second);
  REQUIRE(other.header({}));
  REQUIRE(other.frame(FrameKind::State, *encode_state(records), 1));
  REQUIRE(other.trailer());
  std::copy(wanted.begin(), wanted.end(), second.data.end() - 72);
  REQUIRE(publish(folder / "liar", [&](Sink& file) { return file.write(second.data); }));
  records.base = BaseRecord{wanted, "liar"};
  MemorySink top;
  ContainerWriter increment(top);
  REQUIRE(increment.header({}));
  REQUIRE(increment.frame(FrameKind::State, *encode_state(records), 1));
  REQUIRE(increment.trailer());
  REQUIRE(publish(folder / "top", [&](Sink& file) { return file.write(top.data); }));
  CHECK(refuses(read(folder, "top"), "digest"));
}

TEST_CASE("Names of bases are relative to the increment's folder", "[snapshot][chain]") {
  CHECK(relative_name("a.bin", ".") == "a.bin");
  CHECK(relative_name("x/a.bin", "x") == "a.bin");
  CHECK(relative_name("./x//a.bin", "y") == "../x/a.bin");
  CHECK(relative_name("/x/y/a.bin", "/x/z/w") == "../../y/a.bin");
  CHECK(relative_name("../a.bin", "x") == "../../a.bin");
  CHECK(!relative_name("a.bin", ".."));
  CHECK(!relative_name("/a.bin", "x"));
  CHECK(!relative_name("a.bin", "/x"));
}
