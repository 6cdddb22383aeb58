// The in-memory host: the same calls give the same, in every run and on every machine.
#include "wasi/host_os_memory.hpp"
#include "wasi_fixture.hpp"

using namespace wasi_test;
using wasi::MemoryHost;

namespace {

struct World {
  std::shared_ptr<MemoryHost> host = std::make_shared<MemoryHost>();
  World() {
    host->write_file("/data/sub/file", "0123456789");
    host->write_file("/secret", "s");
  }
  wasi::Config config(uint64_t slice = 0) const {
    wasi::Config config;
    config.args = {"program"};
    config.preopens = {{"/data", "."}};
    config.slice = slice;
    config.host = host;
    return config;
  }
};

/// Everything a guest can learn that is not its own doing.
std::string look_around(Guest& guest) {
  std::string seen;
  for (uint32_t clock = 0; clock < 4; ++clock) {
    REQUIRE(guest.call("clock_time_get", {clock, 0, kResult}) == Errno::Success);
    seen += std::to_string(guest.load<uint64_t>(kResult)) + " ";
  }
  REQUIRE(guest.call("random_get", {kData, 16}) == Errno::Success);
  seen += guest.text(kData, 16);
  REQUIRE(guest.stat("sub/file") == Errno::Success);
  seen += guest.text(kResult, 64);
  REQUIRE(guest.call("fd_readdir", {3, kData, 4096, 0, kResult}) == Errno::Success);
  return seen + guest.text(kData, guest.load<uint32_t>(kResult));
}

}  // namespace

TEST_CASE("Two runs on an in-memory host are the same", "[wasi][memory]") {
  World a, b;
  Guest first(a.config()), second(b.config());
  const std::string seen = look_around(first);
  CHECK(look_around(second) == seen);
  CHECK(look_around(first) != seen);  // clocks and random numbers go on
}

TEST_CASE("Standard streams of an in-memory host", "[wasi][memory]") {
  World world;
  world.host->input = "line";
  Guest guest(world.config(1'000'000));
  REQUIRE(guest.read(0, 3) == Errno::Success);
  CHECK(guest.got == "lin");
  REQUIRE(guest.read(0, 3) == Errno::Success);
  CHECK(guest.got == "e");
  REQUIRE(guest.read(0, 3) == Errno::Success);
  CHECK(guest.got.empty());
  world.host->input_open = true;
  guest.put("", kData);
  guest.store<uint32_t>(kIovecs, kData);
  guest.store<uint32_t>(kIovecs + 4, 1);
  CHECK(guest.waits("fd_read", {0, kIovecs, 1, kResult}));
  REQUIRE(guest.write(1, "out") == Errno::Success);
  REQUIRE(guest.write(2, "err") == Errno::Success);
  CHECK(world.host->output == "out");
  CHECK(world.host->errors == "err");
}

TEST_CASE("Files of an in-memory host", "[wasi][memory]") {
  World world;
  {
    Guest guest(world.config());
    auto fd = guest.must_open("new", oflag::Creat);
    REQUIRE(guest.write(fd, "hello") == Errno::Success);
    REQUIRE(guest.call("fd_seek", {fd, 8, 0, kResult}) == Errno::Success);
    REQUIRE(guest.write(fd, "!") == Errno::Success);
    CHECK(world.host->read_file("/data/new") == std::string("hello\0\0\0!", 9));
    CHECK(guest.open("new", oflag::Creat | oflag::Excl) == Errno::Exist);
    CHECK(guest.open("none") == Errno::Noent);
    CHECK(guest.open("sub/file/x") == Errno::Notdir);
    CHECK(guest.rename("new", "sub/moved") == Errno::Success);
    CHECK(guest.rename("sub", "sub/in") == Errno::Inval);
    CHECK(guest.path_call("path_remove_directory", "sub") == Errno::Notempty);
    CHECK(guest.link("sub/file", "again") == Errno::Success);
    CHECK(guest.symlink("sub/../again", "link") == Errno::Success);
    REQUIRE(guest.read(guest.must_open("link"), 4) == Errno::Success);
    CHECK(guest.got == "0123");
    CHECK(guest.open("link", 0, right::FdRead, 0, 3, false) == Errno::Loop);
    CHECK(guest.path_call("path_unlink_file", "again") == Errno::Success);
    CHECK(world.host->list_all() == std::vector<std::string>{"/data/", "/data/link -> sub/../again", "/data/sub/",
                                                             "/data/sub/file", "/data/sub/moved", "/secret"});
  }
  CHECK(world.host->open_handles() == 0);
}

TEST_CASE("Nothing leads out of an in-memory host's directory", "[wasi][memory]") {
  World world;
  Guest guest(world.config());
  CHECK(guest.open("../secret") == Errno::Notcapable);
  CHECK(guest.open("/secret") == Errno::Notcapable);
  CHECK(guest.open("sub/../../secret") == Errno::Notcapable);
  REQUIRE(guest.symlink("../secret", "out") == Errno::Success);
  CHECK(guest.open("out") == Errno::Notcapable);
  REQUIRE(guest.symlink("loop", "loop") == Errno::Success);
  CHECK(guest.open("loop") == Errno::Loop);
}

TEST_CASE("A sleep takes no time on an in-memory host, and all of the guest's", "[wasi][memory]") {
  World world;
  Guest guest(world.config(1'000'000'000));
  auto subscribe = [&] {
    guest.store<uint64_t>(kData, 7);       // userdata
    guest.store<uint8_t>(kData + 8, 0);    // clock
    guest.store<uint32_t>(kData + 16, 1);  // monotonic
    guest.store<uint64_t>(kData + 24, 3'600'000'000'000);
    guest.store<uint64_t>(kData + 32, 0);
    guest.store<uint16_t>(kData + 40, 0);
  };
  subscribe();
  const uint64_t before = world.host->monotonic;
  int waits = 0;
  while (guest.waits("poll_oneoff", {kData, kText, 1, kResult})) {
    ++waits;
    // Moved to another process every now and then: no time is lost, none is added.
    if (waits % 1000 == 0) REQUIRE(guest.restore(guest.save()));
  }
  CHECK(waits >= 3599);
  CHECK(guest.load<uint64_t>(kText) == 7);
  const uint64_t passed = world.host->monotonic - before;
  CHECK(passed >= 3'600'000'000'000);
  CHECK(passed < 3'602'000'000'000);
}

TEST_CASE("Save and restore between two in-memory hosts", "[wasi][memory][restore]") {
  World here, there;
  Guest guest(here.config());
  auto file = guest.must_open("sub/file");
  REQUIRE(guest.read(file, 4) == Errno::Success);
  auto removed = guest.must_open("removed", oflag::Creat);
  REQUIRE(guest.write(removed, "abc") == Errno::Success);
  REQUIRE(guest.path_call("path_unlink_file", "removed") == Errno::Success);
  auto state = guest.save();
  const auto before = there.host->list_all();
  REQUIRE(wasi::Wasi::examine(there.config(), state));
  CHECK(there.host->open_handles() == 0);
  REQUIRE(guest.restore(state, there.config()));
  CHECK(here.host->open_handles() == 0);
  CHECK(there.host->list_all() == before);
  REQUIRE(guest.read(file, 2) == Errno::Success);
  CHECK(guest.got == "45");
  REQUIRE(guest.call("fd_seek", {removed, 0, 0, kResult}) == Errno::Success);
  REQUIRE(guest.read(removed, 9) == Errno::Success);
  CHECK(guest.got == "abc");

  // No directory where it could be made again.
  auto read_only = there.config();
  read_only.preopens[0].read_only = true;
  state.descriptors.erase(state.descriptors.begin() + 4);
  auto refused = guest.restore(state, read_only);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().cause.find("a removed file cannot be made again") != std::string::npos);
}
