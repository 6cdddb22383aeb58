// Wasi::save and Wasi::restore, one kind of descriptor after the other; and states that nobody saved.
#include <chrono>
#include <functional>
#include <set>

#include "wasi_fixture.hpp"

using namespace wasi_test;
using wasi::DescriptorKind;
using wasi::DescriptorRecord;

namespace {

const DescriptorRecord* find(const wasi::State& state, uint32_t number) {
  for (const auto& record : state.descriptors) {
    if (record.number == number) return &record;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("Arguments and environment come from the state", "[wasi][restore]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  auto state = guest.save();
  CHECK(state.args == std::vector<std::string>{"program", "argument"});
  CHECK(state.environ == std::vector<std::string>{"A=1", "B=two"});
  auto config = Guest::in(dir);
  config.args = {"other"};
  config.environ.clear();
  REQUIRE(guest.restore(state, config));
  REQUIRE(guest.call("args_sizes_get", {kResult, kResult + 4}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == 2);
}

TEST_CASE("The monotonic clock goes on, random numbers are fresh, the realtime clock is the host's",
          "[wasi][restore]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  auto state = guest.save();
  state.monotonic = uint64_t{1} << 50;
  auto now = [&](uint64_t clock) {
    REQUIRE(guest.call("clock_time_get", {clock, 0, kResult}) == Errno::Success);
    return guest.load<uint64_t>(kResult);
  };
  std::set<std::string> randoms;
  for (int round = 0; round < 3; ++round) {
    REQUIRE(guest.restore(state));
    for (const uint64_t clock : {1u, 2u, 3u}) {
      const uint64_t first = now(clock);
      CHECK(first >= state.monotonic);
      CHECK(first < state.monotonic + 60'000'000'000);
      CHECK(now(clock) >= first);
    }
    const auto world = std::chrono::system_clock::now().time_since_epoch();
    const auto difference = std::chrono::nanoseconds(world).count() - static_cast<int64_t>(now(0));
    CHECK(std::abs(difference) < 60'000'000'000);
    REQUIRE(guest.call("random_get", {kData, 16}) == Errno::Success);
    randoms.insert(guest.text(kData, 16));
  }
  CHECK(randoms.size() == 3);
}

TEST_CASE("Files go on where they were, under their numbers", "[wasi][restore]") {
  TempDir dir;
  dir.write("input", "0123456789");
  dir.mkdir("sub");
  Guest guest(Guest::in(dir));
  auto gap = guest.must_open("input");
  auto in = guest.must_open("input", 0, right::FdRead | right::FdTell | right::FdSeek);
  auto out = guest.must_open("sub/../sub/./output", oflag::Creat);
  auto log = guest.must_open("log", oflag::Creat, right::File, fdflag::Append);
  REQUIRE(guest.call("fd_close", {gap}) == Errno::Success);
  REQUIRE(guest.read(in, 4) == Errno::Success);
  REQUIRE(guest.write(out, "first ") == Errno::Success);
  REQUIRE(guest.write(log, "one ") == Errno::Success);

  auto state = guest.save();
  REQUIRE(state.descriptors.size() == 7);
  CHECK(find(state, gap) == nullptr);
  CHECK(find(state, in)->offset == 4);
  CHECK(find(state, in)->size == 10);
  CHECK(find(state, in)->kind == DescriptorKind::File);
  CHECK(find(state, out)->path == "sub/output");
  CHECK(find(state, out)->preopen == ".");
  CHECK(find(state, log)->fdflags == fdflag::Append);
  CHECK(find(state, log)->mtime > 0);

  REQUIRE(guest.restore(state));
  CHECK_FALSE(guest.is_open(gap));
  CHECK(guest.tell(in) == 4);
  REQUIRE(guest.read(in, 4) == Errno::Success);
  CHECK(guest.got == "4567");
  CHECK(guest.write(in, "x") == Errno::Notcapable);
  REQUIRE(guest.write(out, "second") == Errno::Success);
  CHECK(dir.read("sub/output") == "first second");
  REQUIRE(guest.call("fd_seek", {log, 0, 0, kResult}) == Errno::Success);
  REQUIRE(guest.write(log, "two") == Errno::Success);
  CHECK(dir.read("log") == "one two");
  CHECK(guest.must_open("input") == gap);
}

TEST_CASE("Opening again neither truncates nor creates", "[wasi][restore]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  auto fd = guest.must_open("file", oflag::Creat | oflag::Trunc | oflag::Excl);
  REQUIRE(guest.write(fd, "kept") == Errno::Success);
  auto state = guest.save();
  REQUIRE(guest.restore(state));
  CHECK(dir.read("file") == "kept");
  std::filesystem::remove(dir.path("file"));
  CHECK_FALSE(guest.restore(state));
  CHECK_FALSE(dir.exists("file"));
}

TEST_CASE("Directories and moved preopens", "[wasi][restore]") {
  TempDir dir, elsewhere;
  dir.mkdir("sub");
  dir.write("sub/file", "here");
  elsewhere.mkdir("sub");
  elsewhere.write("sub/file", "there");
  Guest guest(Guest::in(dir));
  REQUIRE(guest.open("sub", oflag::Directory, right::Directory, 0, 3, true, right::File) == Errno::Success);
  auto sub = guest.opened;
  REQUIRE(guest.call("fd_renumber", {3, 0}) == Errno::Success);
  auto state = guest.save();
  CHECK(find(state, 0)->kind == DescriptorKind::Preopen);
  CHECK(find(state, 3) == nullptr);
  CHECK(find(state, sub)->kind == DescriptorKind::Directory);
  CHECK(find(state, sub)->path == "sub");

  REQUIRE(guest.restore(state, Guest::in(elsewhere)));
  CHECK(guest.call("fd_prestat_get", {0, kResult}) == Errno::Success);
  REQUIRE(guest.open("file", 0, right::FdRead, 0, sub) == Errno::Success);
  REQUIRE(guest.read(guest.opened, 9) == Errno::Success);
  CHECK(guest.got == "there");
}

TEST_CASE("Standard streams are the new process's own", "[wasi][restore]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  REQUIRE(guest.call("fd_fdstat_set_flags", {0, fdflag::Nonblock}) == Errno::Success);
  REQUIRE(guest.call("fd_renumber", {2, 3}) == Errno::Success);
  REQUIRE(guest.call("fd_close", {1}) == Errno::Success);
  auto state = guest.save();
  Pipe pipe;
  Redirected stdin_from(0, pipe.reader());
  REQUIRE(guest.restore(state));
  CHECK(guest.read(0, 1) == Errno::Again);
  pipe.send("new");
  REQUIRE(guest.read(0, 3) == Errno::Success);
  CHECK(guest.got == "new");
  CHECK_FALSE(guest.is_open(1));
  CHECK_FALSE(guest.is_open(2));
  CHECK(guest.write(3, "") == Errno::Success);
  CHECK(guest.open("x") == Errno::Notdir);  // its preopen was closed by fd_renumber
}

TEST_CASE("FIFOs and devices are opened again", "[wasi][restore]") {
  TempDir dir;
  REQUIRE(mkfifo(dir.path("fifo").c_str(), 0600) == 0);
  auto config = Guest::in(dir, 1'000'000);
  config.preopens.push_back({"/dev", "dev"});
  Guest guest(config);
  auto fifo = guest.must_open("fifo", 0, right::FdRead);
  REQUIRE(guest.open("null", 0, right::FdRead | right::FdWrite, 0, 4) == Errno::Success);
  auto null = guest.opened;
  auto state = guest.save();
  REQUIRE(guest.restore(state, config));
  int writer = ::open(dir.path("fifo").c_str(), O_WRONLY);
  REQUIRE(::write(writer, "hi", 2) == 2);
  REQUIRE(guest.read(fifo, 4) == Errno::Success);
  CHECK(guest.got == "hi");
  ::close(writer);
  CHECK(guest.write(null, "x") == Errno::Success);
  std::filesystem::remove(dir.path("fifo"));
  CHECK_FALSE(guest.restore(state, config));
}

TEST_CASE("What the guest renames keeps its name", "[wasi][restore]") {
  TempDir dir, second;
  auto config = Guest::in(dir);
  config.preopens.push_back({second.path(), "second"});
  Guest guest(config);
  REQUIRE(guest.path_call("path_create_directory", "d") == Errno::Success);
  auto a = guest.must_open("d/a", oflag::Creat);
  REQUIRE(guest.write(a, "text") == Errno::Success);
  REQUIRE(guest.rename("d/a", "d/b") == Errno::Success);
  CHECK(find(guest.save(), a)->path == "d/b");
  REQUIRE(guest.rename("d", "./e") == Errno::Success);
  CHECK(find(guest.save(), a)->path == "e/b");
  REQUIRE(guest.rename("e", "e2", 3, 4) == Errno::Success);
  CHECK(find(guest.save(), a)->preopen == "second");
  REQUIRE(guest.restore(guest.save(), config));
  CHECK(guest.tell(a) == 4);
}

TEST_CASE("Files removed or replaced while open come back without a name", "[wasi][restore]") {
  TempDir dir;
  auto config = Guest::in(dir);
  Guest guest(config);
  auto fd = guest.must_open("file", oflag::Creat);
  REQUIRE(guest.write(fd, "0123456789") == Errno::Success);
  auto reader = guest.must_open("file", 0, right::FdRead | right::FdSeek | right::FdTell | right::FdFilestatGet);
  REQUIRE(guest.read(reader, 3) == Errno::Success);
  std::string left = "elsewhere";
  SECTION("removed") {
    REQUIRE(guest.path_call("path_unlink_file", "file") == Errno::Success);
    left.clear();
  }
  SECTION("removed, and another one made") {
    REQUIRE(guest.path_call("path_unlink_file", "file") == Errno::Success);
    dir.write("other", "");
    dir.write("file", left);
  }
  SECTION("replaced") {
    dir.write("other", left);
    REQUIRE(guest.rename("other", "file") == Errno::Success);
  }
  for (int round = 0; round < 3; ++round) {
    auto state = guest.save();
    CHECK(find(state, fd)->path.empty());
    REQUIRE(state.removed_files.size() == 1);
    CHECK(find(state, fd)->removed_file == 0);
    CHECK(find(state, reader)->removed_file == 0);
    auto verdicts = wasi::Wasi::examine(config, state);
    REQUIRE(verdicts);
    CHECK(describe(verdicts->at(4)).find("made again from 10 bytes") != std::string::npos);
    REQUIRE(guest.restore(state));
  }
  CHECK(dir.read("file") == left);
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    CHECK_FALSE(entry.path().filename().string().starts_with(".chiwawa"));
  }
  CHECK(guest.tell(fd) == 10);
  CHECK(guest.tell(reader) == 3);
  // Both are one file still.
  REQUIRE(guest.call("fd_seek", {fd, 4, 0, kResult}) == Errno::Success);
  REQUIRE(guest.write(fd, "++") == Errno::Success);
  REQUIRE(guest.read(reader, 100) == Errno::Success);
  CHECK(guest.got == "3++6789");
  CHECK(guest.write(reader, "x") == Errno::Notcapable);
  CHECK(dir.read("file") == left);
}

TEST_CASE("A removed file that is only written comes back, too", "[wasi][restore]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  auto fd = guest.must_open("file", oflag::Creat, right::FdWrite | right::FdSeek | right::FdTell, fdflag::Append);
  REQUIRE(guest.write(fd, "text") == Errno::Success);
  REQUIRE(guest.path_call("path_unlink_file", "file") == Errno::Success);
  auto state = guest.save();
  CHECK(state.removed_files.at(0) == std::vector<uint8_t>{'t', 'e', 'x', 't'});
  REQUIRE(guest.restore(state));
  REQUIRE(guest.write(fd, "+") == Errno::Success);
  CHECK(guest.save().removed_files.at(0).size() == 5);
}

TEST_CASE("What somebody else renames is found under its new name", "[wasi][restore]") {
  TempDir dir;
  TempDir second;
  auto config = Guest::in(dir);
  config.preopens.push_back({second.path(), "second", false});
  Guest guest(config);
  dir.mkdir("sub");
  auto fd = guest.must_open("sub/file", oflag::Creat);
  REQUIRE(guest.open("sub", oflag::Directory, right::Directory, 0, 3, true, right::File) == Errno::Success);
  auto sub = guest.opened;
  SECTION("the file") {
    std::filesystem::rename(dir.path("sub/file"), dir.path("sub/moved"));
    CHECK(find(guest.save(), fd)->path == "sub/moved");
    CHECK(find(guest.save(), sub)->path == "sub");
  }
  SECTION("its directory") {
    std::filesystem::rename(dir.path("sub"), dir.path("other"));
    CHECK(find(guest.save(), fd)->path == "other/file");
    CHECK(find(guest.save(), sub)->path == "other");
  }
  SECTION("into another preopen") {
    std::filesystem::rename(dir.path("sub"), second.path("there"));
    CHECK(find(guest.save(), fd)->path == "there/file");
    CHECK(find(guest.save(), sub)->preopen == "second");
  }
  REQUIRE(guest.restore(guest.save(), config));
  REQUIRE(guest.write(fd, "text") == Errno::Success);
  CHECK(guest.save().removed_files.empty());
}

TEST_CASE("A file whose first name is removed is found by a link that the guest made", "[wasi][restore]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  auto fd = guest.must_open("temporary", oflag::Creat);
  REQUIRE(guest.link("temporary", "second") == Errno::Success);
  REQUIRE(guest.link("second", "third") == Errno::Success);
  REQUIRE(guest.path_call("path_unlink_file", "temporary") == Errno::Success);
  CHECK(find(guest.save(), fd)->path == "second");
  REQUIRE(guest.rename("second", "final") == Errno::Success);
  CHECK(find(guest.save(), fd)->path == "final");
  REQUIRE(guest.path_call("path_unlink_file", "final") == Errno::Success);
  REQUIRE(guest.restore(guest.save()));
  REQUIRE(guest.write(fd, "text") == Errno::Success);
  CHECK(dir.read("third") == "text");
}

TEST_CASE("A file that is moved out of reach comes back as a copy, if it may", "[wasi][restore]") {
  TempDir dir;
  TempDir elsewhere;
  auto config = Guest::in(dir);
  Guest guest(config);
  auto fd = guest.must_open("file", oflag::Creat);
  REQUIRE(guest.write(fd, "text") == Errno::Success);
  std::filesystem::rename(dir.path("file"), elsewhere.path("file"));
  auto state = guest.save();
  CHECK(find(state, fd)->path.empty());
  CHECK(find(state, fd)->elsewhere);
  auto verdicts = wasi::Wasi::examine(config, state);
  REQUIRE(verdicts);
  CHECK(verdicts->back().kind == wasi::Verdict::Kind::Changed);
  CHECK(describe(verdicts->back()).find("was moved out of the guest's reach while open: a copy is made") !=
        std::string::npos);
  config.policy = wasi::RestorePolicy::Strict;
  CHECK_FALSE(guest.restore(state, config));
  REQUIRE(guest.restore(state));
  REQUIRE(guest.write(fd, "+") == Errno::Success);
  CHECK(elsewhere.read("file") == "text");
  CHECK(guest.tell(fd) == 5);
}

TEST_CASE("A removed directory comes back as a removed directory", "[wasi][restore]") {
  TempDir dir;
  dir.mkdir("sub");
  auto config = Guest::in(dir);
  Guest guest(config);
  auto open = [&] {
    REQUIRE(guest.open("sub", oflag::Directory, right::Directory, 0, 3, true, right::File) == Errno::Success);
    return guest.opened;
  };
  const uint32_t sub = open();
  const uint32_t same = open();
  // What a removed directory answers; the identity of both.
  auto answers = [&] {
    std::vector<uint64_t> all;
    auto add = [&](Errno e) { all.push_back(static_cast<uint64_t>(e)); };
    add(guest.open("file", oflag::Creat, right::File, 0, sub));
    add(guest.open("file", 0, right::File, 0, sub));
    add(guest.path_call("path_create_directory", "below", sub));
    add(guest.path_call("path_unlink_file", "file", sub));
    add(guest.stat("file", true, sub));
    add(guest.call("fd_readdir", {sub, kData, 1000, 0, kResult}));
    all.push_back(guest.load<uint32_t>(kResult));
    for (auto fd : {sub, same}) {
      add(guest.call("fd_filestat_get", {fd, kResult}));
      for (uint32_t at : {0u, 8u, 16u, 24u}) all.push_back(guest.load<uint64_t>(kResult + at));
    }
    return all;
  };
  std::filesystem::remove_all(dir.path("sub"));
  const auto before = answers();
  CHECK(before[0] == static_cast<uint64_t>(Errno::Noent));
  for (int round = 0; round < 2; ++round) {
    auto state = guest.save();
    CHECK(find(state, sub)->path.empty());
    auto verdicts = wasi::Wasi::examine(config, state);
    REQUIRE(verdicts);
    CHECK(describe(verdicts->at(4)).find("removed while open is made again, empty and without a name") !=
          std::string::npos);
    REQUIRE(guest.restore(state));
    CHECK(answers() == before);
    CHECK(std::filesystem::is_empty(dir.path()));
  }
  auto state = guest.save();
  config.preopens[0].read_only = true;
  auto refused = guest.restore(state, config);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().cause.find("a removed directory cannot be made again: every directory is read-only") !=
        std::string::npos);
}

TEST_CASE("What could not be opened again is not saved", "[wasi][restore]") {
  TempDir dir;
  auto config = Guest::in(dir);
  config.embed_limit = 3;
  Guest guest(config);
  auto fd = guest.must_open("file", oflag::Creat);
  std::string problem;
  SECTION("too large") {
    REQUIRE(guest.write(fd, "four") == Errno::Success);
    REQUIRE(guest.path_call("path_unlink_file", "file") == Errno::Success);
    problem = "descriptor 4: is a file without a name that can be reached, of 4 bytes: with the others, more than";
  }
  SECTION("too large together") {
    REQUIRE(guest.write(fd, "ab") == Errno::Success);
    auto second = guest.must_open("second", oflag::Creat);
    REQUIRE(guest.write(second, "cd") == Errno::Success);
    REQUIRE(guest.path_call("path_unlink_file", "file") == Errno::Success);
    REQUIRE(guest.path_call("path_unlink_file", "second") == Errno::Success);
    problem = "descriptor 5: is a file without a name that can be reached, of 2 bytes";
  }
  TempDir elsewhere;
  SECTION("a directory, moved out of reach") {
    dir.mkdir("sub");
    REQUIRE(guest.open("sub", oflag::Directory, right::Directory) == Errno::Success);
    std::filesystem::rename(dir.path("sub"), elsewhere.path("sub"));
    problem = "descriptor 5: is a directory that somebody else has moved out of reach";
  }
  auto saved = guest.try_save();
  REQUIRE_FALSE(saved);
  INFO(saved.error().cause);
  CHECK(saved.error().cause.find(problem) != std::string::npos);
  CHECK(guest.is_open(fd));  // the guest goes on
}

TEST_CASE("Changed files: noted or refused, by the policy", "[wasi][restore]") {
  TempDir dir;
  for (auto name : {"same", "grown", "newer"}) dir.write(name, "0123456789");
  auto config = Guest::in(dir);
  Guest guest(config);
  for (auto name : {"same", "grown", "newer"}) {
    REQUIRE(guest.read(guest.must_open(name), 4) == Errno::Success);
  }
  auto state = guest.save();
  auto strict = config;
  strict.policy = wasi::RestorePolicy::Strict;
  REQUIRE(guest.restore(state, strict));
  dir.write("grown", "0123456789 and more");
  std::filesystem::last_write_time(dir.path("newer"),
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));

  using Kind = wasi::Verdict::Kind;
  auto kinds = [&](const wasi::Config& with) {
    auto verdicts = wasi::Wasi::examine(with, state);
    REQUIRE(verdicts);
    std::vector<Kind> kinds;
    for (const auto& verdict : *verdicts) kinds.push_back(verdict.kind);
    return kinds;
  };
  CHECK(kinds(config) ==
        std::vector{Kind::Fine, Kind::Fine, Kind::Fine, Kind::Fine, Kind::Fine, Kind::Changed, Kind::Fine});
  CHECK(kinds(strict) ==
        std::vector{Kind::Fine, Kind::Fine, Kind::Fine, Kind::Fine, Kind::Fine, Kind::Refused, Kind::Refused});
  auto refused = guest.restore(state, strict);
  REQUIRE_FALSE(refused);
  const auto& text = refused.error().cause;
  CHECK(text.find("descriptor 5: \"grown\" in \".\" has changed: it had 10 bytes, and has 19") != std::string::npos);
  CHECK(text.find("descriptor 6: \"newer\" in \".\" has its size, but another date") != std::string::npos);
  CHECK(text.find("--restore-policy lenient") != std::string::npos);
  CHECK(text.find("same") == std::string::npos);
  REQUIRE(guest.restore(state, config));
  REQUIRE(guest.read(5, 100) == Errno::Success);
  CHECK(guest.got == "456789 and more");
}

TEST_CASE("Problems of every kind are told together", "[wasi][restore]") {
  TempDir dir, second;
  dir.write("gone", "x");
  auto config = Guest::in(dir);
  config.preopens.push_back({second.path(), "second"});
  Guest guest(config);
  guest.must_open("gone");
  auto state = guest.save();
  std::filesystem::remove(dir.path("gone"));
  auto refused = guest.restore(state, Guest::in(dir));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().cause.find("descriptor 4: no directory is given as \"second\"") != std::string::npos);
  CHECK(refused.error().cause.find("descriptor 5: \"gone\" in \".\" does not exist any more") != std::string::npos);
}

TEST_CASE("A path through a link is saved as the way it was", "[wasi][restore]") {
  TempDir dir;
  dir.mkdir("real/deep");
  dir.write("real/file", "text");
  dir.symlink("real/deep", "link");
  Guest guest(Guest::in(dir));
  auto fd = guest.must_open("link/../file");
  auto state = guest.save();
  CHECK(find(state, fd)->path == "real/file");
  CHECK(guest.restore(state));
}

TEST_CASE("Files keep the identity that the guest knows", "[wasi][restore]") {
  TempDir dir, copy;
  for (auto* each : {&dir, &copy}) {
    each->write("a", "a");
    each->write("b", "b");
    each->write("c", "c");
  }
  Guest guest(Guest::in(dir));
  auto a = guest.must_open("a");
  auto b = guest.must_open("b");
  auto ino = [&](uint32_t fd) {
    REQUIRE(guest.call("fd_filestat_get", {fd, kResult}) == Errno::Success);
    return std::pair{guest.load<uint64_t>(kResult), guest.load<uint64_t>(kResult + 8)};
  };
  auto path_ino = [&](std::string_view path) {
    REQUIRE(guest.stat(path) == Errno::Success);
    return std::pair{guest.load<uint64_t>(kResult), guest.load<uint64_t>(kResult + 8)};
  };
  auto ino_a = ino(a), ino_b = ino(b);
  for (int round = 0; round < 3; ++round) {
    REQUIRE(guest.restore(guest.save(), Guest::in(round % 2 == 0 ? copy : dir)));
    CHECK(ino(a) == ino_a);
    CHECK(ino(b) == ino_b);
    CHECK(path_ino("a") == ino_a);
    CHECK(path_ino("c") != ino_a);
    CHECK(path_ino("c") != ino_b);
  }
}

TEST_CASE("All problems are told at once, and nothing is touched", "[wasi][restore]") {
  TempDir dir;
  for (auto name : {"gone", "short", "good", "dir"}) dir.write(name, "0123456789");
  Guest guest(Guest::in(dir));
  guest.must_open("gone");
  auto fd = guest.must_open("short");
  REQUIRE(guest.read(fd, 8) == Errno::Success);
  auto good = guest.must_open("good");
  REQUIRE(guest.write(good, "x") == Errno::Success);
  guest.must_open("dir");
  auto state = guest.save();
  std::filesystem::remove(dir.path("gone"));
  std::filesystem::remove(dir.path("dir"));
  dir.mkdir("dir");
  dir.write("short", "0123");
  auto restored = guest.restore(state);
  REQUIRE_FALSE(restored);
  const auto& text = restored.error().cause;
  CHECK(text.find("descriptor 4: \"gone\" in \".\" does not exist any more") != std::string::npos);
  CHECK(text.find("descriptor 5: \"short\" in \".\" has become too short") != std::string::npos);
  CHECK(text.find("descriptor 7: \"dir\" in \".\" is not a file") != std::string::npos);
  CHECK(text.find("good") == std::string::npos);
  CHECK(guest.tell(good) == 1);  // the running guest is not disturbed

  dir.write("short", "0123456789 and more");
  dir.write("gone", "back");
  std::filesystem::remove(dir.path("dir"));
  dir.write("dir", "0123456789");
  CHECK(guest.restore(state));
}

TEST_CASE("A position behind the end may stay behind the end", "[wasi][restore]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  auto fd = guest.must_open("file", oflag::Creat);
  REQUIRE(guest.call("fd_seek", {fd, 1000, 0, kResult}) == Errno::Success);
  REQUIRE(guest.restore(guest.save()));
  CHECK(guest.tell(fd) == 1000);
}

TEST_CASE("Rights and permissions are not widened by a restore", "[wasi][restore]") {
  TempDir dir;
  dir.write("file", "text");
  Guest guest(Guest::in(dir));
  guest.must_open("file");
  auto state = guest.save();
  auto restored = guest.restore(state, Guest::in(dir, 0, true));
  REQUIRE_FALSE(restored);
  CHECK(restored.error().cause.find("read-only") != std::string::npos);

  for (auto& record : state.descriptors) record.rights_base = record.rights_inheriting = right::All;
  REQUIRE(guest.restore(state));
  CHECK(guest.read(1, 1) == Errno::Notcapable);
  CHECK(guest.call("fd_filestat_set_times", {0, 0, 0, 0}) == Errno::Notcapable);
  CHECK(guest.read(3, 1) == Errno::Isdir);
}

TEST_CASE("States that nobody saved", "[wasi][restore]") {
  TempDir dir;
  dir.write("file", "0123456789");
  dir.mkdir("sub");
  TempDir outside;
  outside.write("secret", "");
  dir.symlink(outside.path("secret"), "link");
  Guest guest(Guest::in(dir));
  guest.must_open("file");
  const auto good = guest.save();
  REQUIRE(guest.restore(good));

  const std::pair<const char*, std::function<void(wasi::State&, DescriptorRecord&)>> forgeries[] = {
      {"out of order", [](auto& s, auto&) { std::swap(s.descriptors[1], s.descriptors[2]); }},
      {"listed twice", [](auto& s, auto& f) { s.descriptors.push_back(f); }},
      {"too large a number", [](auto&, auto& f) { f.number = 65536; }},
      {"too large a number", [](auto&, auto& f) { f.number = 0xFFFFFFFF; }},
      {"kind that does not exist", [](auto&, auto& f) { f.kind = static_cast<DescriptorKind>(8); }},
      {"kind that does not exist", [](auto&, auto& f) { f.kind = static_cast<DescriptorKind>(255); }},
      {"rights that do not exist", [](auto&, auto& f) { f.rights_base = ~uint64_t{0}; }},
      {"rights that do not exist", [](auto&, auto& f) { f.rights_inheriting = uint64_t{1} << 30; }},
      {"flags that do not exist", [](auto&, auto& f) { f.fdflags = 0x20; }},
      {"offset that is too large", [](auto&, auto& f) { f.offset = uint64_t{1} << 63; }},
      {"no directory is given as", [](auto&, auto& f) { f.preopen = "/etc"; }},
      {"absolute path", [&](auto&, auto& f) { f.path = outside.path("secret"); }},
      {"not plain", [](auto&, auto& f) { f.path = "../x"; }},
      {"not plain", [](auto&, auto& f) { f.path = "sub/../file"; }},
      {"not plain", [](auto&, auto& f) { f.path = "sub/.."; }},
      {"not plain", [](auto&, auto& f) { f.path = "./file"; }},
      {"not plain", [](auto&, auto& f) { f.path = "sub//file"; }},
      {"not plain", [](auto&, auto& f) { f.path = "file/"; }},
      {"not text", [](auto&, auto& f) { f.path = std::string("file\0", 5); }},
      {"not text", [](auto&, auto& f) { f.path = "\xff"; }},
      {"too long", [](auto&, auto& f) { f.path = std::string(100'000, 'x'); }},
      {"no name", [](auto&, auto& f) { f.path.clear(); }},
      {"removed file that it cannot be", [](auto&, auto& f) { f.removed_file = 0; }},
      {"removed file that it cannot be", [](auto&, auto& f) { f.path.clear(), f.removed_file = 7; }},
      {"removed file that it cannot be", [](auto& s, auto& f) { s.removed_files.resize(1), f.removed_file = 0; }},
      {"removed file that it cannot be",
       [](auto& s, auto&) { s.removed_files.resize(1), s.descriptors[1].removed_file = 0; }},
      {"cannot be opened", [](auto&, auto& f) { f.path = "link"; }},
      {"is not a file", [](auto&, auto& f) { f.path = "sub"; }},
      {"is not a file", [](auto&, auto& f) { f.path = "."; }},
      {"is not a directory", [](auto&, auto& f) { f.kind = DescriptorKind::Directory; }},
      {"standard stream that another one is", [](auto&, auto& f) { f.kind = DescriptorKind::Stdin; }},
      {"preopen that another one is", [](auto&, auto& f) { f.kind = DescriptorKind::Preopen; }},
      {"zero byte", [](auto& s, auto&) { s.args.push_back(std::string("a\0b", 3)); }},
      {"zero byte", [](auto& s, auto&) { s.environ.push_back(std::string(1, '\0')); }},
  };
  for (const auto& [problem, forge] : forgeries) {
    INFO(problem);
    auto state = good;
    forge(state, state.descriptors.back());
    auto restored = guest.restore(state);
    REQUIRE_FALSE(restored);
    CHECK(restored.error().phase == Phase::Snapshot);
    INFO(restored.error().cause);
    CHECK(restored.error().cause.find(problem) != std::string::npos);
  }

  // Wrong, but harmless.
  auto state = good;
  state.monotonic = ~uint64_t{0};
  state.sleep = wasi::SleepRecord{~uint64_t{0}};
  state.descriptors.back().mtime = state.descriptors.back().size = ~uint64_t{0};
  REQUIRE(guest.restore(state));
  CHECK(guest.call("clock_time_get", {1, 0, kResult}) == Errno::Success);
  state = {};
  REQUIRE(guest.restore(state));
  CHECK_FALSE(guest.is_open(1));
  CHECK(guest.call("fd_write", {1, 0, 0, 0}) == Errno::Badf);

  state.descriptors.resize(1000, good.descriptors.back());
  auto many = guest.restore(state);
  REQUIRE_FALSE(many);
  CHECK(many.error().cause.size() < 10'000);
}

TEST_CASE("Directories that cannot be given", "[wasi][restore]") {
  TempDir dir;
  wasi::Config config;
  config.preopens = {{dir.path("missing"), "/"}};
  auto made = wasi::Wasi::create(config);
  REQUIRE_FALSE(made);
  CHECK(made.error().phase == Phase::Io);
  config.preopens = {{dir.path(), "/"}, {dir.path(), "/"}};
  made = wasi::Wasi::create(config);
  REQUIRE_FALSE(made);
  CHECK(made.error().cause.find("two directories") != std::string::npos);
}
