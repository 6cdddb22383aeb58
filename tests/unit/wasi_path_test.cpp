// path_*: what names files beneath a directory.
#include <sys/resource.h>

#include "wasi_fixture.hpp"

using namespace wasi_test;

TEST_CASE("path_open", "[wasi]") {
  TempDir dir;
  dir.write("file", "text");
  dir.mkdir("sub");
  dir.symlink("file", "link");
  dir.symlink("nowhere", "dangling");
  Guest guest(Guest::in(dir));
  CHECK(guest.open("file") == Errno::Success);
  CHECK(guest.open("missing") == Errno::Noent);
  CHECK(guest.open("file/") == Errno::Notdir);
  CHECK(guest.open("file/x") == Errno::Notdir);
  CHECK(guest.open("file", oflag::Directory) == Errno::Notdir);
  CHECK(guest.open("sub/") == Errno::Success);
  CHECK(guest.open("sub/.././/file") == Errno::Success);
  CHECK(guest.open("sub", oflag::Directory, right::FdRead | right::FdWrite) == Errno::Isdir);
  CHECK(guest.open("sub", 0, right::FdRead | right::FdWrite) == Errno::Isdir);
  CHECK(guest.open("link") == Errno::Success);
  CHECK(guest.open("link", 0, right::FdRead, 0, 3, false) == Errno::Loop);
  CHECK(guest.open("dangling", 0, right::FdRead, 0, 3, false) == Errno::Loop);
  CHECK(guest.open("dangling") == Errno::Noent);
  CHECK(guest.open("file", oflag::Creat | oflag::Excl) == Errno::Exist);
  CHECK(guest.open("file", oflag::Creat | oflag::Directory) == Errno::Inval);
  CHECK(guest.open("file", 16) == Errno::Inval);
  CHECK(guest.open("file", 0, 0, 32) == Errno::Inval);
  CHECK(guest.open("") == Errno::Noent);
  CHECK(guest.open(std::string_view("file\0", 5)) == Errno::Inval);
  CHECK(guest.open("\xff\xfe") == Errno::Ilseq);
  CHECK(guest.open(std::string(5000, 'x')) == Errno::Nametoolong);
  CHECK(guest.open("file", 0, 0, 0, 1) == Errno::Notdir);
  CHECK(guest.open("file", 0, 0, 0, 99) == Errno::Badf);
  REQUIRE(guest.open("file", oflag::Trunc, 0) == Errno::Success);
  CHECK(dir.read("file").empty());
  CHECK(guest.call("path_open", {3, 0, kSizeBytes - 1, 2, 0, 0, 0, 0, kResult}) == Errno::Fault);
  auto n = guest.put("created");
  CHECK(guest.call("path_open", {3, 0, kText, n, oflag::Creat, 0, 0, 0, kSizeBytes - 2}) == Errno::Fault);
  CHECK_FALSE(dir.exists("created"));
}

TEST_CASE("More files than the host allows", "[wasi]") {
  TempDir dir;
  dir.write("file", "text");
  Guest guest(Guest::in(dir));
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{64, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
  Errno error = Errno::Success;
  uint32_t last = 0;
  while ((error = guest.open("file")) == Errno::Success) last = guest.opened;
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(error == Errno::Mfile);
  REQUIRE(guest.read(last, 10) == Errno::Success);
  CHECK(guest.got == "text");
  CHECK(guest.open("file") == Errno::Success);
}

TEST_CASE("Directories, links and names", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  CHECK(guest.path_call("path_create_directory", "d") == Errno::Success);
  CHECK(guest.path_call("path_create_directory", "d") == Errno::Exist);
  CHECK(guest.path_call("path_create_directory", "d/e/") == Errno::Success);
  CHECK(guest.path_call("path_remove_directory", "d") == Errno::Notempty);
  CHECK(guest.path_call("path_unlink_file", "d/e") == Errno::Isdir);
  CHECK(guest.path_call("path_remove_directory", "d/e") == Errno::Success);
  guest.must_open("d/f", oflag::Creat);
  CHECK(guest.path_call("path_remove_directory", "d/f") == Errno::Notdir);
  CHECK(guest.path_call("path_unlink_file", "d/f/") == Errno::Notdir);
  CHECK(guest.link("d/f", "g") == Errno::Success);
  CHECK(guest.link("d/f", "g") == Errno::Exist);
  CHECK(guest.link("d", "h") == Errno::Perm);
  REQUIRE(guest.stat("g") == Errno::Success);
  CHECK(guest.load<uint64_t>(kResult + 24) == 2);
  CHECK(guest.symlink("d/f", "s") == Errno::Success);
  CHECK(guest.symlink("x", "s") == Errno::Exist);
  CHECK(guest.symlink("x", "t/") == Errno::Noent);
  CHECK(guest.symlink("x", "g/") == Errno::Notdir);
  CHECK(guest.link("s", "u", true) == Errno::Success);
  REQUIRE(guest.stat("u", false) == Errno::Success);
  CHECK(guest.load<uint8_t>(kResult + 16) == 4);
  CHECK(guest.link("s", "v", false) == Errno::Success);
  REQUIRE(guest.stat("v", false) == Errno::Success);
  CHECK(guest.load<uint8_t>(kResult + 16) == 7);
  CHECK(guest.rename("g", "d/g") == Errno::Success);
  CHECK(guest.rename("d", "d2/") == Errno::Success);
  CHECK(dir.exists("d2/g"));
  CHECK(guest.rename("nothing", "x") == Errno::Noent);
  CHECK(guest.path_call("path_unlink_file", "d2/g") == Errno::Success);
  CHECK(guest.path_call("path_unlink_file", "d2/g") == Errno::Noent);
}

TEST_CASE("path_readlink", "[wasi]") {
  TempDir dir;
  dir.symlink("target", "link");
  dir.write("file", "");
  Guest guest(Guest::in(dir));
  auto n = guest.put("link");
  guest.put("..........", kData);
  REQUIRE(guest.call("path_readlink", {3, kText, n, kData, 10, kResult}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == 6);
  CHECK(guest.text(kData, 10) == "target....");
  REQUIRE(guest.call("path_readlink", {3, kText, n, kData, 3, kResult}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == 3);
  REQUIRE(guest.call("path_readlink", {3, kText, n, kData, 0, kResult}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == 0);
  CHECK(guest.call("path_readlink", {3, kText, n, kSizeBytes, 1, kResult}) == Errno::Fault);
  n = guest.put("file");
  CHECK(guest.call("path_readlink", {3, kText, n, kData, 10, kResult}) == Errno::Inval);
}

TEST_CASE("Times through paths", "[wasi]") {
  TempDir dir;
  dir.write("file", "");
  dir.symlink("file", "link");
  Guest guest(Guest::in(dir));
  auto set = [&](std::string_view path, bool follow, uint64_t mtim, uint32_t flags) {
    auto n = guest.put(path);
    return guest.call("path_filestat_set_times", {3, follow, kText, n, 0, mtim, flags});
  };
  auto mtim = [&](std::string_view path) {
    REQUIRE(guest.stat(path, false) == Errno::Success);
    return guest.load<uint64_t>(kResult + 48);
  };
  CHECK(set("file", false, 1000, 4) == Errno::Success);
  CHECK(mtim("file") == 1000);
  CHECK(set("link", false, 2000, 4) == Errno::Success);
  CHECK(mtim("link") == 2000);
  CHECK(mtim("file") == 1000);
  CHECK(set("link", true, 3000, 4) == Errno::Success);
  CHECK(mtim("file") == 3000);
  CHECK(mtim("link") == 2000);
  CHECK(set("file", true, 0, 4 | 8) == Errno::Inval);
  CHECK(set("nothing", true, 0, 4) == Errno::Noent);
}

TEST_CASE("A read-only directory", "[wasi]") {
  TempDir dir;
  dir.write("file", "text");
  dir.mkdir("sub");
  TempDir other;
  auto config = Guest::in(dir, 0, true);
  config.preopens.push_back({other.path(), "other"});
  Guest guest(config);
  CHECK(guest.open("file") == Errno::Success);
  CHECK(guest.open("file", oflag::Creat) == Errno::Success);
  CHECK(guest.open("new", oflag::Creat) == Errno::Rofs);
  CHECK(guest.open("file", oflag::Creat | oflag::Excl) == Errno::Rofs);
  CHECK(guest.open("file", 0, right::FdWrite) == Errno::Rofs);
  CHECK(guest.open("file", oflag::Trunc, 0) == Errno::Rofs);
  CHECK(guest.path_call("path_create_directory", "d") == Errno::Rofs);
  CHECK(guest.path_call("path_remove_directory", "sub") == Errno::Rofs);
  CHECK(guest.path_call("path_unlink_file", "file") == Errno::Rofs);
  CHECK(guest.symlink("file", "link") == Errno::Rofs);
  CHECK(guest.rename("file", "f2") == Errno::Rofs);
  CHECK(guest.rename("file", "f2", 3, 4) == Errno::Rofs);
  CHECK(guest.link("file", "f2", false, 3, 4) == Errno::Rofs);
  auto fd = guest.must_open("file", 0, right::File & ~right::FdWrite);
  CHECK(guest.call("fd_filestat_set_times", {fd, 0, 0, 4}) == Errno::Rofs);
  CHECK(guest.call("fd_filestat_set_size", {fd, 0}) != Errno::Success);
  // What is opened beneath it is read-only, too.
  REQUIRE(guest.open("sub", oflag::Directory, right::Directory, 0, 3, true,
                     right::All & (right::File | right::Directory)) == Errno::Success);
  CHECK(guest.open("new", oflag::Creat, right::FdWrite, 0, guest.opened) == Errno::Rofs);
  CHECK(dir.read("file") == "text");
  CHECK(std::filesystem::is_empty(dir.path("sub")));
  CHECK(std::filesystem::is_empty(other.path()));
}
