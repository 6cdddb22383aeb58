// fd_*: what works on open descriptors.
#include <algorithm>
#include <set>

#include "wasi_fixture.hpp"

using namespace wasi_test;

namespace {

/// Writes iovecs for these (address, length) pairs.
void put_iovecs(Guest& guest, std::initializer_list<std::pair<uint32_t, uint32_t>> list) {
  uint32_t at = kIovecs;
  for (auto [buf, len] : list) {
    guest.store<uint32_t>(at, buf);
    guest.store<uint32_t>(at + 4, len);
    at += 8;
  }
}

}  // namespace

TEST_CASE("Reading and writing through several buffers", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  auto fd = guest.must_open("file", oflag::Creat);
  guest.put("Hello, world", kData);
  put_iovecs(guest, {{kData, 5}, {kData + 5, 0}, {kData + 5, 7}});
  REQUIRE(guest.call("fd_write", {fd, kIovecs, 3, kResult}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == 12);
  CHECK(dir.read("file") == "Hello, world");

  put_iovecs(guest, {{kData + 100, 3}, {kData + 200, 100}});
  REQUIRE(guest.call("fd_pread", {fd, kIovecs, 2, 7, kResult}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == 5);
  CHECK(guest.text(kData + 100, 3) == "wor");
  CHECK(guest.text(kData + 200, 2) == "ld");
  CHECK(guest.tell(fd) == 12);
  REQUIRE(guest.call("fd_pwrite", {fd, kIovecs, 1, 0, kResult}) == Errno::Success);
  CHECK(dir.read("file") == "worlo, world");
  CHECK(guest.tell(fd) == 12);
}

TEST_CASE("More buffers than the host takes at once", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  auto fd = guest.must_open("file", oflag::Creat);
  constexpr uint32_t kCount = 1000;
  const uint32_t iovecs = 65536;
  std::string expected;
  for (uint32_t i = 0; i < kCount; ++i) {
    guest.store<uint8_t>(kData + i, static_cast<uint8_t>('a' + i % 26));
    expected += static_cast<char>('a' + i % 26);
    guest.store<uint32_t>(iovecs + 8 * i, kData + i);
    guest.store<uint32_t>(iovecs + 8 * i + 4, 1);
  }
  REQUIRE(guest.call("fd_write", {fd, iovecs, kCount, kResult}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == kCount);
  CHECK(dir.read("file") == expected);
  std::memset(guest.at(kData), 0, kCount);
  REQUIRE(guest.call("fd_pread", {fd, iovecs, kCount, 10, kResult}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == kCount - 10);
  CHECK(guest.text(kData, kCount - 10) == expected.substr(10));

  // The last one is bad: nothing is written.
  guest.store<uint32_t>(iovecs + 8 * (kCount - 1), kSizeBytes);
  CHECK(guest.call("fd_write", {fd, iovecs, kCount, kResult}) == Errno::Fault);
  CHECK(dir.read("file") == expected);
}

TEST_CASE("Bad pointers are faults and nothing happens", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  dir.write("file", "0123456789");
  auto fd = guest.must_open("file");
  put_iovecs(guest, {{kData, 4}});
  CHECK(guest.call("fd_read", {fd, kIovecs, 1, kSizeBytes - 3}) == Errno::Fault);
  CHECK(guest.call("fd_read", {fd, kSizeBytes - 7, 1, kResult}) == Errno::Fault);
  CHECK(guest.call("fd_read", {fd, 0xFFFFFFF8, 0x20000001, kResult}) == Errno::Fault);
  CHECK(guest.call("fd_write", {fd, kIovecs, 0xFFFFFFFF, kResult}) == Errno::Fault);
  put_iovecs(guest, {{kData, 4}, {kSizeBytes - 1, 2}});
  CHECK(guest.call("fd_read", {fd, kIovecs, 2, kResult}) == Errno::Fault);
  put_iovecs(guest, {{0xFFFFFFFF, 0xFFFFFFFF}});
  CHECK(guest.call("fd_read", {fd, kIovecs, 1, kResult}) == Errno::Fault);
  CHECK(guest.call("fd_pwrite", {fd, kIovecs, 1, 0, kResult}) == Errno::Fault);
  CHECK(guest.tell(fd) == 0);
  CHECK(guest.call("fd_fdstat_get", {fd, kSizeBytes - 23}) == Errno::Fault);
  CHECK(guest.call("fd_filestat_get", {fd, kSizeBytes - 63}) == Errno::Fault);
  CHECK(guest.call("fd_seek", {fd, 5, 0, 0xFFFFFFFC}) == Errno::Fault);
  CHECK(guest.tell(fd) == 0);
  CHECK(guest.call("fd_prestat_get", {3, kSizeBytes}) == Errno::Fault);
  CHECK(guest.call("fd_prestat_dir_name", {3, kSizeBytes, 1}) == Errno::Fault);
  CHECK(guest.call("fd_readdir", {3, kData, kSizeBytes, 0, kResult}) == Errno::Fault);
  CHECK(dir.read("file") == "0123456789");
}

TEST_CASE("Seeking", "[wasi]") {
  TempDir dir;
  dir.write("file", "0123456789");
  Guest guest(Guest::in(dir));
  auto fd = guest.must_open("file");
  auto seek = [&](int64_t offset, uint32_t whence) {
    Errno e = guest.call("fd_seek", {fd, static_cast<uint64_t>(offset), whence, kResult});
    return e == Errno::Success ? static_cast<int64_t>(guest.load<uint64_t>(kResult)) : -static_cast<int64_t>(e);
  };
  CHECK(seek(4, 0) == 4);
  CHECK(seek(-1, 1) == 3);
  CHECK(seek(-1, 2) == 9);
  CHECK(seek(int64_t{5} << 32, 0) == int64_t{5} << 32);
  CHECK(seek(-1, 0) == -static_cast<int64_t>(Errno::Inval));
  CHECK(seek(0, 3) == -static_cast<int64_t>(Errno::Inval));
  CHECK(guest.call("fd_seek", {3, 0, 1, kResult}) == Errno::Isdir);
  CHECK(guest.call("fd_seek", {1, 0, 1, kResult}) == Errno::Spipe);
  CHECK(guest.call("fd_tell", {0, kResult}) == Errno::Spipe);
  CHECK(guest.call("fd_seek", {99, 0, 1, kResult}) == Errno::Badf);
  CHECK(guest.call("fd_pread", {fd, kIovecs, 0, uint64_t{1} << 63, kResult}) == Errno::Inval);
}

TEST_CASE("The older module numbers whence and lays out filestat differently", "[wasi]") {
  TempDir dir;
  dir.write("file", "0123456789");
  Guest guest(Guest::in(dir), "wasi_unstable");
  auto fd = guest.must_open("file");
  auto seek = [&](uint64_t offset, uint32_t whence) {
    REQUIRE(guest.call("fd_seek", {fd, offset, whence, kResult}) == Errno::Success);
    return guest.load<uint64_t>(kResult);
  };
  CHECK(seek(4, 2) == 4);
  CHECK(seek(1, 0) == 5);
  CHECK(seek(0, 1) == 10);
  std::memset(guest.at(kResult), 0xAA, 64);
  REQUIRE(guest.call("fd_filestat_get", {fd, kResult}) == Errno::Success);
  CHECK(guest.load<uint8_t>(kResult + 16) == 4);
  CHECK(guest.load<uint32_t>(kResult + 20) == 1);
  CHECK(guest.load<uint64_t>(kResult + 24) == 10);
  CHECK(guest.load<uint64_t>(kResult + 56) == 0xAAAAAAAAAAAAAAAA);
  REQUIRE(guest.stat("file") == Errno::Success);
  CHECK(guest.load<uint64_t>(kResult + 24) == 10);
}

TEST_CASE("fd_filestat_get and the setters", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  auto fd = guest.must_open("file", oflag::Creat);
  REQUIRE(guest.call("fd_filestat_set_size", {fd, 1000}) == Errno::Success);
  REQUIRE(guest.call("fd_filestat_set_times", {fd, 11, 22, 1 | 4}) == Errno::Success);
  std::memset(guest.at(kResult), 0xAA, 72);
  REQUIRE(guest.call("fd_filestat_get", {fd, kResult}) == Errno::Success);
  CHECK(guest.load<uint8_t>(kResult + 16) == 4);
  CHECK(guest.load<uint64_t>(kResult + 24) == 1);
  CHECK(guest.load<uint64_t>(kResult + 32) == 1000);
  CHECK(guest.load<uint64_t>(kResult + 40) == 11);
  CHECK(guest.load<uint64_t>(kResult + 48) == 22);
  CHECK(guest.load<uint64_t>(kResult + 64) == 0xAAAAAAAAAAAAAAAA);
  CHECK(guest.call("fd_filestat_set_times", {fd, 1, 1, 3}) == Errno::Inval);
  CHECK(guest.call("fd_filestat_set_times", {fd, 1, 1, 12}) == Errno::Inval);
  CHECK(guest.call("fd_filestat_set_times", {fd, 1, 1, 16}) == Errno::Inval);
  CHECK(guest.call("fd_filestat_set_size", {3, 0}) == Errno::Isdir);
  CHECK(guest.call("fd_filestat_set_size", {fd, uint64_t{1} << 63}) == Errno::Fbig);

  REQUIRE(guest.call("fd_allocate", {fd, 900, 200}) == Errno::Success);
  CHECK(std::filesystem::file_size(dir.path("file")) == 1100);
  CHECK(guest.call("fd_allocate", {fd, 0, 0}) == Errno::Inval);
  CHECK(guest.call("fd_allocate", {fd, INT64_MAX, 2}) == Errno::Fbig);
  CHECK(guest.call("fd_advise", {fd, 0, 100, 5}) == Errno::Success);
  CHECK(guest.call("fd_advise", {fd, 0, 100, 6}) == Errno::Inval);
  CHECK(guest.call("fd_sync", {fd}) == Errno::Success);
  CHECK(guest.call("fd_datasync", {fd}) == Errno::Success);
  CHECK(guest.call("fd_sync", {3}) == Errno::Success);
  // The host's standard streams are not shown.
  REQUIRE(guest.call("fd_filestat_get", {1, kResult}) == Errno::Success);
  CHECK(guest.load<uint64_t>(kResult + 8) == 0);
}

TEST_CASE("Rights", "[wasi]") {
  TempDir dir;
  dir.write("file", "text");
  dir.mkdir("sub");
  Guest guest(Guest::in(dir));
  auto reader = guest.must_open("file", 0, right::FdRead);
  CHECK(guest.write(reader, "x") == Errno::Notcapable);
  CHECK(guest.call("fd_tell", {reader, kResult}) == Errno::Notcapable);
  CHECK(guest.call("fd_filestat_get", {reader, kResult}) == Errno::Notcapable);
  auto writer = guest.must_open("file", 0, right::FdWrite);
  CHECK(guest.read(writer, 1) == Errno::Notcapable);
  CHECK(guest.write(writer, "T") == Errno::Success);
  CHECK(guest.read(reader, 9) == Errno::Success);
  CHECK(guest.got == "Text");

  REQUIRE(guest.call("fd_fdstat_get", {reader, kResult}) == Errno::Success);
  CHECK(guest.load<uint8_t>(kResult) == 4);
  CHECK(guest.load<uint64_t>(kResult + 8) == right::FdRead);
  CHECK(guest.call("fd_fdstat_set_rights", {reader, right::FdRead | right::FdWrite, 0}) == Errno::Notcapable);
  REQUIRE(guest.call("fd_fdstat_set_rights", {reader, 0, 0}) == Errno::Success);
  CHECK(guest.read(reader, 1) == Errno::Notcapable);

  // Directories pass on what they have, not more.
  REQUIRE(guest.open("sub", oflag::Directory, right::PathOpen | right::PathCreateFile, 0, 3, true, right::FdRead) ==
          Errno::Success);
  auto sub = guest.opened;
  CHECK(guest.open("new", oflag::Creat, right::FdWrite, 0, sub) == Errno::Notcapable);
  CHECK(guest.open("new", oflag::Creat, right::FdRead, 0, sub) == Errno::Success);
  CHECK(guest.open("new", oflag::Trunc, right::FdRead, 0, sub) == Errno::Notcapable);
  CHECK(guest.open("new", 0, right::FdRead, fdflag::Sync, sub) == Errno::Notcapable);
  CHECK(guest.path_call("path_create_directory", "d", sub) == Errno::Notcapable);
  CHECK(guest.path_call("path_unlink_file", "new", sub) == Errno::Notcapable);
  // Rights that do not exist are nobody's to refuse.
  CHECK(guest.open("file", 0, ~right::All | right::FdRead) == Errno::Success);
}

TEST_CASE("Descriptors get the lowest free number, and can be moved", "[wasi]") {
  TempDir dir;
  dir.write("a", "aaa");
  dir.write("b", "bbb");
  Guest guest(Guest::in(dir));
  auto a = guest.must_open("a");
  auto b = guest.must_open("b");
  CHECK(a == 4);
  CHECK(b == 5);
  REQUIRE(guest.call("fd_close", {a}) == Errno::Success);
  CHECK(guest.call("fd_close", {a}) == Errno::Badf);
  CHECK(guest.call("fd_renumber", {b, a}) == Errno::Badf);
  a = guest.must_open("a");
  CHECK(a == 4);
  REQUIRE(guest.call("fd_renumber", {b, a}) == Errno::Success);
  CHECK_FALSE(guest.is_open(b));
  CHECK(guest.read(a, 3) == Errno::Success);
  CHECK(guest.got == "bbb");
  CHECK(guest.call("fd_renumber", {a, a}) == Errno::Success);
  CHECK(guest.is_open(a));
  // Standard streams and preopens are no different.
  REQUIRE(guest.call("fd_close", {0}) == Errno::Success);
  CHECK(guest.must_open("a") == 0);
  REQUIRE(guest.call("fd_renumber", {3, 0}) == Errno::Success);
  CHECK(guest.call("fd_prestat_get", {0, kResult}) == Errno::Success);
  CHECK(guest.call("fd_prestat_get", {3, kResult}) == Errno::Badf);
}

TEST_CASE("Preopens tell their name", "[wasi]") {
  TempDir dir;
  auto config = Guest::in(dir);
  config.preopens[0].guest_name = "/data/here";
  Guest guest(config);
  REQUIRE(guest.call("fd_prestat_get", {3, kResult}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == 0);
  CHECK(guest.load<uint32_t>(kResult + 4) == 10);
  REQUIRE(guest.call("fd_prestat_dir_name", {3, kText, 10}) == Errno::Success);
  CHECK(guest.text(kText, 10) == "/data/here");
  CHECK(guest.call("fd_prestat_dir_name", {3, kText, 9}) == Errno::Nametoolong);
  CHECK(guest.call("fd_prestat_get", {1, kResult}) == Errno::Badf);
  CHECK(guest.call("fd_prestat_get", {4, kResult}) == Errno::Badf);
}

TEST_CASE("Append and the other flags", "[wasi]") {
  TempDir dir;
  dir.write("log", "one\n");
  Guest guest(Guest::in(dir));
  auto fd = guest.must_open("log", 0, right::File, fdflag::Append);
  REQUIRE(guest.write(fd, "two\n") == Errno::Success);
  CHECK(dir.read("log") == "one\ntwo\n");
  CHECK(guest.call("fd_fdstat_set_flags", {fd, fdflag::Append | fdflag::Sync}) == Errno::Notsup);
  CHECK(guest.call("fd_fdstat_set_flags", {fd, 32}) == Errno::Inval);
  REQUIRE(guest.call("fd_fdstat_set_flags", {fd, 0}) == Errno::Success);
  REQUIRE(guest.call("fd_seek", {fd, 0, 0, kResult}) == Errno::Success);
  REQUIRE(guest.write(fd, "ONE") == Errno::Success);
  CHECK(dir.read("log") == "ONE\ntwo\n");
  REQUIRE(guest.call("fd_fdstat_get", {fd, kResult}) == Errno::Success);
  CHECK(guest.load<uint16_t>(kResult + 2) == 0);
}

namespace {

struct Listing {
  std::vector<std::string> names;
  std::vector<uint64_t> cookies;
  bool complete = false;
};

/// One fd_readdir with a buffer of `size` bytes.
Listing readdir(Guest& guest, uint32_t fd, uint64_t cookie, uint32_t size) {
  REQUIRE(guest.call("fd_readdir", {fd, kData, size, cookie, kResult}) == Errno::Success);
  auto used = guest.load<uint32_t>(kResult);
  REQUIRE(used <= size);
  Listing listing;
  listing.complete = used < size;
  for (uint32_t at = 0; at + 24 <= used;) {
    auto length = guest.load<uint32_t>(kData + at + 16);
    if (at + 24 + length > used) break;
    listing.cookies.push_back(guest.load<uint64_t>(kData + at));
    listing.names.push_back(guest.text(kData + at + 24, length));
    at += 24 + length;
  }
  return listing;
}

std::vector<std::string> read_all(Guest& guest, uint32_t fd, uint64_t cookie, uint32_t size) {
  std::vector<std::string> names;
  while (true) {
    auto part = readdir(guest, fd, cookie, size);
    names.insert(names.end(), part.names.begin(), part.names.end());
    if (part.complete) return names;
    REQUIRE_FALSE(part.names.empty());
    cookie = part.cookies.back();
  }
}

}  // namespace

TEST_CASE("fd_readdir lists everything once, whatever the buffer", "[wasi]") {
  TempDir dir;
  std::set<std::string> expected = {".", ".."};
  for (int i = 0; i < 300; ++i) {
    auto name = "entry" + std::to_string(i);
    dir.write(name, "");
    expected.insert(name);
  }
  Guest guest(Guest::in(dir));
  for (uint32_t size : {64u, 100u, 4096u, 65536u}) {
    auto names = read_all(guest, 3, 0, size);
    CHECK(names.size() == expected.size());
    CHECK(std::set<std::string>(names.begin(), names.end()) == expected);
  }
  CHECK(guest.call("fd_readdir", {1, kData, 100, 0, kResult}) == Errno::Notdir);
  CHECK(guest.call("fd_readdir", {9, kData, 100, 0, kResult}) == Errno::Badf);
}

TEST_CASE("A directory can be emptied while it is read, also over a restore", "[wasi]") {
  TempDir dir;
  for (int i = 0; i < 200; ++i) dir.write("entry" + std::to_string(i), "");
  Guest guest(Guest::in(dir));
  REQUIRE(guest.open(".", oflag::Directory, right::Directory) == Errno::Success);
  auto fd = guest.opened;
  uint64_t cookie = 0;
  int removed = 0;
  for (int round = 0;; ++round) {
    if (round % 3 == 2) REQUIRE(guest.restore(guest.save()));
    auto part = readdir(guest, fd, cookie, 512);
    for (const auto& name : part.names) {
      if (name != "." && name != "..") {
        REQUIRE(guest.path_call("path_unlink_file", name) == Errno::Success);
        ++removed;
      }
    }
    if (part.complete) break;
    cookie = part.cookies.back();
  }
  CHECK(removed == 200);
  CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("A large directory is read in linear time", "[wasi]") {
  TempDir dir;
  for (int i = 0; i < 10'000; ++i) dir.write(std::to_string(i), "");
  Guest guest(Guest::in(dir));
  CHECK(read_all(guest, 3, 0, 256).size() == 10'002);  // 2,500 calls
}

TEST_CASE("Writing to a pipe that nobody reads is an error, not a signal", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  Pipe pipe;
  Errno e;
  {
    Redirected stdout_to(1, pipe.writer());
    close(pipe.ends[0]);
    pipe.ends[0] = -1;
    e = guest.write(1, "x");
  }
  CHECK(e == Errno::Pipe);
}
