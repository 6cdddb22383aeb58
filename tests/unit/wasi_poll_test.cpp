// Waiting: poll_oneoff, and reads that block; in one go and in slices, also over a restore.
#include <chrono>
#include <thread>

#include "wasi/host_os_memory.hpp"
#include "wasi_fixture.hpp"

using namespace wasi_test;

namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint32_t kSubscriptions = 32768;
constexpr uint32_t kEvents = 49152;

void put_clock(Guest& guest, uint32_t index, uint64_t userdata, uint32_t clock, uint64_t timeout,
               bool absolute = false) {
  uint32_t at = kSubscriptions + index * 48;
  std::memset(guest.at(at), 0, 48);
  guest.store<uint64_t>(at, userdata);
  guest.store<uint32_t>(at + 16, clock);
  guest.store<uint64_t>(at + 24, timeout);
  guest.store<uint16_t>(at + 40, absolute);
}

void put_fd(Guest& guest, uint32_t index, uint64_t userdata, uint32_t fd, bool write) {
  uint32_t at = kSubscriptions + index * 48;
  std::memset(guest.at(at), 0, 48);
  guest.store<uint64_t>(at, userdata);
  guest.store<uint8_t>(at + 8, write ? 2 : 1);
  guest.store<uint32_t>(at + 16, fd);
}

struct Event {
  uint64_t userdata;
  Errno error;
  uint8_t type;
  uint64_t nbytes;
  uint16_t flags;
};

Event event(Guest& guest, uint32_t index) {
  uint32_t at = kEvents + index * 32;
  return {guest.load<uint64_t>(at), static_cast<Errno>(guest.load<uint16_t>(at + 8)), guest.load<uint8_t>(at + 10),
          guest.load<uint64_t>(at + 16), guest.load<uint16_t>(at + 24)};
}

/// Number of events.
uint32_t poll(Guest& guest, uint32_t count) {
  REQUIRE(guest.call("poll_oneoff", {kSubscriptions, kEvents, count, kResult}) == Errno::Success);
  return guest.load<uint32_t>(kResult);
}

bool poll_waits(Guest& guest, uint32_t count) {
  return guest.waits("poll_oneoff", {kSubscriptions, kEvents, count, kResult});
}

uint64_t monotonic(Guest& guest) {
  REQUIRE(guest.call("clock_time_get", {1, 0, kResult + 16}) == Errno::Success);
  return guest.load<uint64_t>(kResult + 16);
}

/// A guest whose time is made by the test alone.
wasi::Config on_memory_host(uint64_t slice) {
  auto host = std::make_shared<wasi::MemoryHost>();
  host->write_file("/data/file", "");
  wasi::Config config;
  config.preopens = {{"/data", "."}};
  config.slice = slice;
  config.host = host;
  return config;
}

class Stopwatch {
 public:
  uint64_t ms() const {
    using namespace std::chrono;
    return static_cast<uint64_t>(duration_cast<milliseconds>(steady_clock::now() - begin_).count());
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

TEST_CASE("Sleeping", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  uint64_t before = monotonic(guest);
  SECTION("relative") { put_clock(guest, 0, 7, 1, 20 * kMs); }
  SECTION("relative, by the wall clock") { put_clock(guest, 0, 7, 0, 20 * kMs); }
  SECTION("absolute") { put_clock(guest, 0, 7, 1, before + 20 * kMs, true); }
  CHECK(poll(guest, 1) == 1);
  CHECK(event(guest, 0).userdata == 7);
  CHECK(event(guest, 0).type == 0);
  CHECK(event(guest, 0).error == Errno::Success);
  CHECK(monotonic(guest) - before >= 20 * kMs);
  CHECK(monotonic(guest) - before < 2000 * kMs);
}

TEST_CASE("The earliest clock ends the wait; what is due is told together", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  put_clock(guest, 0, 1, 1, 10'000'000 * kMs);
  put_clock(guest, 1, 2, 1, 5 * kMs);
  put_clock(guest, 2, 3, 1, 5 * kMs);
  put_clock(guest, 3, 4, 0, 1, true);
  CHECK(poll(guest, 4) == 1);
  CHECK(event(guest, 0).userdata == 4);
  CHECK(poll(guest, 3) == 2);
  CHECK(event(guest, 0).userdata == 2);
  CHECK(event(guest, 1).userdata == 3);
}

TEST_CASE("A sleep in slices", "[wasi]") {
  Guest guest(on_memory_host(10 * kMs));
  put_clock(guest, 0, 7, 1, 55 * kMs);
  const uint64_t begin = monotonic(guest);
  int slices = 0;
  while (poll_waits(guest, 1)) ++slices;
  CHECK(slices == 5);
  CHECK(monotonic(guest) - begin >= 55 * kMs);
  CHECK(monotonic(guest) - begin < 60 * kMs);
  CHECK(guest.load<uint32_t>(kResult) == 1);
}

TEST_CASE("After a restore a sleep goes on with the time that was left", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir, 10 * kMs));
  uint64_t before = monotonic(guest);
  SECTION("relative") { put_clock(guest, 0, 7, 1, 100 * kMs); }
  SECTION("absolute") { put_clock(guest, 0, 7, 1, before + 100 * kMs, true); }
  Stopwatch watch;
  for (int i = 0; i < 5; ++i) REQUIRE(poll_waits(guest, 1));
  auto state = guest.save();
  REQUIRE(state.sleep);
  CHECK(state.sleep->elapsed >= 50 * kMs);
  CHECK(state.monotonic >= before + 50 * kMs);
  auto worked = watch.ms();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // on the way to another host
  REQUIRE(guest.restore(state));
  Stopwatch rest;
  while (poll_waits(guest, 1)) {
  }
  CHECK(rest.ms() + worked >= 98);
  CHECK(rest.ms() < 90);
  uint64_t slept = monotonic(guest) - before;
  CHECK(slept >= 100 * kMs);
  CHECK(slept < 200 * kMs);  // the guest's clock stood still meanwhile
  CHECK_FALSE(guest.save().sleep);
}

TEST_CASE("Another poll than the one that waited starts anew", "[wasi]") {
  Guest guest(on_memory_host(10 * kMs));
  put_clock(guest, 0, 1, 1, 1000 * kMs);
  for (int i = 0; i < 3; ++i) REQUIRE(poll_waits(guest, 1));
  put_clock(guest, 1, 2, 1, 25 * kMs);
  CHECK(poll_waits(guest, 2));
  CHECK(poll_waits(guest, 2));
}

TEST_CASE("poll_oneoff on descriptors", "[wasi]") {
  TempDir dir;
  dir.write("file", "0123456789");
  Guest guest(Guest::in(dir));
  auto file = guest.must_open("file", 0, right::File & ~right::FdWrite);
  REQUIRE(guest.read(file, 4) == Errno::Success);
  Pipe pipe;
  Redirected stdin_from(0, pipe.reader());
  Guest piped(Guest::in(dir));
  SECTION("a regular file is always ready") {
    put_fd(guest, 0, 1, file, false);
    put_clock(guest, 1, 2, 1, 10'000'000 * kMs);
    CHECK(poll(guest, 2) == 1);
    CHECK(event(guest, 0).type == 1);
    CHECK(event(guest, 0).nbytes == 6);
  }
  SECTION("bad ones are told in the event") {
    put_fd(guest, 0, 1, 99, false);
    put_fd(guest, 1, 2, file, true);
    put_fd(guest, 2, 3, 3, false);
    put_clock(guest, 3, 4, 3, 1);
    put_clock(guest, 4, 5, 9, 1);
    CHECK(poll(guest, 5) == 5);
    CHECK(event(guest, 0).error == Errno::Badf);
    CHECK(event(guest, 1).error == Errno::Notcapable);
    CHECK(event(guest, 2).error == Errno::Badf);
    CHECK(event(guest, 3).error == Errno::Notsup);
    CHECK(event(guest, 4).error == Errno::Inval);
  }
  SECTION("an empty pipe is not, until there is something") {
    put_fd(piped, 0, 1, 0, false);
    put_clock(piped, 1, 2, 1, 20 * kMs);
    CHECK(poll(piped, 2) == 1);
    CHECK(event(piped, 0).userdata == 2);
    pipe.send("hello");
    CHECK(poll(piped, 2) == 1);
    CHECK(event(piped, 0).userdata == 1);
    CHECK(event(piped, 0).nbytes == 5);
    CHECK(event(piped, 0).flags == 0);
  }
  SECTION("an end is told") {
    pipe.close_writer();
    put_fd(piped, 0, 1, 0, false);
    CHECK(poll(piped, 1) == 1);
    CHECK(event(piped, 0).flags == 1);
  }
  CHECK(guest.call("poll_oneoff", {kSubscriptions, kEvents, 0, kResult}) == Errno::Inval);
  CHECK(guest.call("poll_oneoff", {kSizeBytes - 47, kEvents, 1, kResult}) == Errno::Fault);
  CHECK(guest.call("poll_oneoff", {kSubscriptions, kSizeBytes - 31, 1, kResult}) == Errno::Fault);
  CHECK(guest.call("poll_oneoff", {kSubscriptions, kEvents, 0xFFFFFFFF, kResult}) == Errno::Inval);
  guest.store<uint8_t>(kSubscriptions + 8, 3);
  CHECK(guest.call("poll_oneoff", {kSubscriptions, kEvents, 1, kResult}) == Errno::Inval);
}

TEST_CASE("The older module's subscriptions have an identifier before the clock", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir), "wasi_unstable");
  std::memset(guest.at(kSubscriptions), 0, 56);
  guest.store<uint64_t>(kSubscriptions, 7);
  guest.store<uint64_t>(kSubscriptions + 16, 99);
  guest.store<uint32_t>(kSubscriptions + 24, 1);
  guest.store<uint64_t>(kSubscriptions + 32, 5 * kMs);
  Stopwatch watch;
  CHECK(poll(guest, 1) == 1);
  CHECK(event(guest, 0).userdata == 7);
  CHECK(watch.ms() >= 5);
}

TEST_CASE("Reading stdin in slices loses nothing", "[wasi]") {
  TempDir dir;
  Pipe pipe;
  Redirected stdin_from(0, pipe.reader());
  Guest guest(Guest::in(dir, 10 * kMs));
  guest.store<uint32_t>(kIovecs, kData);
  guest.store<uint32_t>(kIovecs + 4, 4);
  auto waits = [&] { return guest.waits("fd_read", {0, kIovecs, 1, kResult}); };
  CHECK(waits());
  CHECK(waits());
  REQUIRE(guest.restore(guest.save()));
  CHECK(waits());
  pipe.send("abcdef");
  REQUIRE(guest.read(0, 4) == Errno::Success);
  CHECK(guest.got == "abcd");
  REQUIRE(guest.restore(guest.save()));
  REQUIRE(guest.read(0, 4) == Errno::Success);
  CHECK(guest.got == "ef");
  CHECK(waits());
  pipe.close_writer();
  REQUIRE(guest.read(0, 4) == Errno::Success);
  CHECK(guest.got.empty());
}

TEST_CASE("A standard stream can be nonblocking for the guest alone", "[wasi]") {
  TempDir dir;
  Pipe pipe;
  Redirected stdin_from(0, pipe.reader());
  Guest guest(Guest::in(dir));
  REQUIRE(guest.call("fd_fdstat_set_flags", {0, fdflag::Nonblock}) == Errno::Success);
  CHECK(guest.read(0, 4) == Errno::Again);
  CHECK((fcntl(0, F_GETFL) & O_NONBLOCK) == 0);
  pipe.send("x");
  REQUIRE(guest.read(0, 4) == Errno::Success);
  CHECK(guest.got == "x");
}

TEST_CASE("Writing into a full pipe waits in slices, too", "[wasi]") {
  TempDir dir;
  Pipe pipe;
  Guest guest(Guest::in(dir, 10 * kMs));
  bool waited = false;
  size_t sent = 0, received = 0;
  {
    Redirected stdout_to(1, pipe.writer());
    Guest writer(Guest::in(dir, 10 * kMs));
    std::memset(writer.at(kData), 'x', 100'000);
    for (int i = 0; i < 5 && !waited; ++i) {
      writer.store<uint32_t>(kIovecs, kData);
      writer.store<uint32_t>(kIovecs + 4, 50'000);
      auto result = writer.call_raw("fd_write", {1, kIovecs, 1, kResult});
      waited = result.kind == HostResult::Kind::Wait;
      if (!waited) sent += writer.load<uint32_t>(kResult);
    }
  }
  std::vector<char> buffer(1 << 20);
  pipe.close_writer();
  for (ssize_t n; (n = ::read(pipe.reader(), buffer.data(), buffer.size())) > 0;) received += static_cast<size_t>(n);
#ifdef __linux__
  CHECK(waited);
#endif
  CHECK(sent == received);
}

TEST_CASE("A FIFO in a directory", "[wasi]") {
  TempDir dir;
  REQUIRE(mkfifo(dir.path("fifo").c_str(), 0600) == 0);
  Guest guest(Guest::in(dir, 10 * kMs));
  auto fd = guest.must_open("fifo", 0, right::FdRead);  // does not wait for a writer
  int writer = ::open(dir.path("fifo").c_str(), O_WRONLY);
  REQUIRE(writer >= 0);
  guest.store<uint32_t>(kIovecs, kData);
  guest.store<uint32_t>(kIovecs + 4, 4);
  CHECK(guest.waits("fd_read", {fd, kIovecs, 1, kResult}));
  REQUIRE(::write(writer, "hi", 2) == 2);
  REQUIRE(guest.read(fd, 4) == Errno::Success);
  CHECK(guest.got == "hi");
  ::close(writer);
}
