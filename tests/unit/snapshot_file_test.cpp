// Publishing: the new file whole, or the old one untouched.
#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <unistd.h>
#include <csignal>

#include "snapshot/file.hpp"
#include "unit/snapshot_fixture.hpp"

using namespace chiwawa;
using namespace snapshot_test;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "chiwawa-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    fs::permissions(path, fs::perms::owner_all);
    fs::remove_all(path);
  }
  std::string operator/(const char* name) const { return (path / name).string(); }
  size_t count() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
};

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Result<void> publish_text(const std::string& path, std::string_view text) {
  return snapshot::publish(path, [&](snapshot::Sink& sink) { return sink.write(bytes_of(text)); });
}

}  // namespace

TEST_CASE("Publishing creates and replaces", "[snapshot][file]") {
  Folder folder;
  const std::string path = folder / "checkpoint.bin";
  REQUIRE(publish_text(path, "old"));
  CHECK(contents(path) == "old");
  REQUIRE(publish_text(path, "new contents"));
  CHECK(contents(path) == "new contents");
  CHECK(folder.count() == 1);
}

TEST_CASE("A writer's error leaves the old file and nothing else", "[snapshot][file]") {
  Folder folder;
  const std::string path = folder / "checkpoint.bin";
  REQUIRE(publish_text(path, "old"));
  const Result<void> result = snapshot::publish(path, [&](snapshot::Sink& sink) -> Result<void> {
    CHIWAWA_TRY(sink.write(bytes_of("half of")));
    return Error{Phase::Snapshot, "given up", Error::kNoOffset};
  });
  REQUIRE(!result);
  CHECK(result.error().cause == "given up");
  CHECK(contents(path) == "old");
  CHECK(folder.count() == 1);
}

TEST_CASE("A full disk leaves the old file and nothing else", "[snapshot][file]") {
  Folder folder;
  const std::string path = folder / "checkpoint.bin";
  REQUIRE(publish_text(path, "old"));

  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit = before;
  limit.rlim_cur = 1000;
  REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const Result<void> result = publish_text(path, std::string(5000, 'x'));
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);

  REQUIRE(!result);
  CHECK(result.error().phase == Phase::Io);
  CHECK(result.error().cause.find("checkpoint.bin") != std::string::npos);
  CHECK(contents(path) == "old");
  CHECK(folder.count() == 1);
}

TEST_CASE("Devices are written directly and report errors", "[snapshot][file]") {
  const Result<void> result = publish_text("/dev/full", "text");
  REQUIRE(!result);
  CHECK(result.error().phase == Phase::Io);
  CHECK(fs::is_character_file("/dev/full"));
  CHECK(publish_text("/dev/null", "text"));
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("Folders that are missing, files, or the target itself", "[snapshot][file]") {
  Folder folder;
  CHECK(!publish_text(folder / "missing/checkpoint.bin", "x"));
  REQUIRE(publish_text(folder / "file", "x"));
  CHECK(!publish_text(folder / "file/checkpoint.bin", "x"));
  CHECK(!publish_text(folder.path.string(), "x"));
  CHECK(folder.count() == 1);
}

TEST_CASE("A folder that cannot be written", "[snapshot][file]") {
  Folder folder;
  const std::string path = folder / "checkpoint.bin";
  REQUIRE(publish_text(path, "old"));
  fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec);
  // Root can write everywhere: be somebody else for a moment.
  const uid_t user = geteuid();
  if (user == 0) REQUIRE(seteuid(65534) == 0);
  const Result<void> result = publish_text(path, "new");
  REQUIRE(seteuid(user) == 0);
  REQUIRE(!result);
  CHECK(result.error().phase == Phase::Io);
  CHECK(contents(path) == "old");
  CHECK(folder.count() == 1);
}

TEST_CASE("A left-over temporary file is no obstacle", "[snapshot][file]") {
  Folder folder;
  const std::string path = folder / "checkpoint.bin";
  // What a killed writer leaves is readable by its owner only.
  std::ofstream(path + ".tmp0") << "left over, and longer";
  fs::permissions(path + ".tmp0", fs::perms::owner_read | fs::perms::owner_write);
  REQUIRE(publish_text(path, "new"));
  CHECK(contents(path) == "new");
  CHECK(folder.count() == 1);
}

TEST_CASE("A temporary file that is in use, or not ours, is left alone", "[snapshot][file]") {
  Folder folder;
  const std::string path = folder / "checkpoint.bin";
  REQUIRE(publish_text(folder / "victim", "precious"));
  SECTION("another writer's") {
    const Result<void> outer = snapshot::publish(path, [&](snapshot::Sink& sink) -> Result<void> {
      CHIWAWA_TRY(sink.write(bytes_of("outer ")));
      CHIWAWA_TRY(publish_text(path, "inner"));
      CHECK(contents(path) == "inner");
      return sink.write(bytes_of("writer"));
    });
    REQUIRE(outer);
    CHECK(contents(path) == "outer writer");
    CHECK(folder.count() == 2);
  }
  SECTION("a symbolic link") {
    fs::create_symlink(folder / "victim", path + ".tmp0");
    REQUIRE(publish_text(path, "new"));
    CHECK(folder.count() == 3);
  }
  SECTION("another name of a file") {
    fs::create_hard_link(folder / "victim", path + ".tmp0");
    REQUIRE(publish_text(path, "new"));
    CHECK(folder.count() == 3);
  }
  CHECK(contents(folder / "victim") == "precious");
}

TEST_CASE("A snapshot in a file can be read, and by zstd too", "[snapshot][file]") {
  Folder folder;
  const std::string path = folder / "checkpoint.bin";
  Guest guest(3);
  REQUIRE(guest.run(100).kind == Outcome::Kind::Paused);
  const MachineImage image = guest.machine->capture();
  REQUIRE(snapshot::publish(
      path, [&](snapshot::Sink& sink) { return snapshot::write(sink, *guest.store, image, Guest::some_wasi()); }));
  snapshot::FileSource source;
  REQUIRE(source.open(path));
  CHECK(snapshot::verify(source));

  // NOLINTBEGIN(bugprone-command-processor): the words are ours
  if (std::system("zstd --version > /dev/null 2>&1") != 0) SKIP("zstd is not installed");
  const std::string out = folder / "contents";
  REQUIRE(std::system(("zstd -q -d -c " + path + " > " + out).c_str()) == 0);
  // NOLINTEND(bugprone-command-processor)
  // A sequence of size-prefixed FlatBuffers.
  const std::string stream = contents(out);
  size_t at = 0;
  std::vector<std::string> identifiers;
  while (at + 12 <= stream.size()) {
    uint32_t size = 0;
    for (size_t i = 0; i < 4; ++i) size |= uint32_t{static_cast<uint8_t>(stream[at + i])} << (8 * i);
    identifiers.push_back(stream.substr(at + 8, 4));
    at += size + 4;
  }
  CHECK(at == stream.size());
  REQUIRE(identifiers.size() >= 3);
  CHECK(identifiers[0] == "CWST");
  CHECK(identifiers[1] == "CWBI");
  CHECK(identifiers[2] == "CWBL");
}

TEST_CASE("Files that cannot be read", "[snapshot][file]") {
  Folder folder;
  snapshot::FileSource missing;
  const Result<void> result = missing.open(folder / "missing.bin");
  REQUIRE(!result);
  CHECK(result.error().phase == Phase::Io);
  CHECK(result.error().cause.find("missing.bin") != std::string::npos);
  snapshot::FileSource directory;
  CHECK(!directory.open(folder.path.string()));
}
