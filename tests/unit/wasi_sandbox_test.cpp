// Each way out of a directory that we know of, and that it is closed: by the kernel, and by our own walk.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include <catch2/generators/catch_generators.hpp>

#include "wasi/host_os.hpp"
#include "wasi_fixture.hpp"

using namespace wasi_test;
using wasi::Handle;
using wasi::HostOs;

namespace {

/// outside/secret, and inside/ which the guest gets, with links that lead out.
struct Trap {
  TempDir dir;
  Trap() {
    dir.mkdir("inside/sub/deep");
    dir.mkdir("outside/dir");
    dir.write("outside/secret", "secret");
    dir.write("inside/file", "file");
    dir.symlink("../outside/secret", "inside/to_secret");
    dir.symlink(dir.path("outside/secret"), "inside/to_secret_absolute");
    dir.symlink("../outside", "inside/to_outside");
    dir.symlink(dir.path("outside"), "inside/to_outside_absolute");
    dir.symlink("..", "inside/up");
    dir.symlink("../..", "inside/sub/up2");
    dir.symlink("/", "inside/root");
    dir.symlink("to_secret", "inside/twice");
    dir.symlink("../file", "inside/sub/harmless");
    dir.symlink("../../outside/new", "inside/sub/to_new");
    dir.symlink("self", "inside/self");
    dir.symlink("sub/deep", "inside/deep");
  }
  bool untouched() const {
    return dir.read("outside/secret") == "secret" && !dir.exists("outside/new") && dir.exists("outside/dir");
  }
};

constexpr std::string_view kWaysToTheSecret[] = {"../outside/secret",
                                                 "sub/../../outside/secret",
                                                 "./sub/./../../outside/secret",
                                                 "to_secret",
                                                 "to_secret_absolute",
                                                 "to_outside/secret",
                                                 "to_outside_absolute/secret",
                                                 "up/outside/secret",
                                                 "sub/up2/outside/secret",
                                                 "twice",
                                                 "sub/harmless/../../outside/secret",
                                                 "deep/../../../outside/secret",
                                                 "to_outside/../outside/secret"};

constexpr std::string_view kWaysToTheOutside[] = {"..",           "../",   "../outside", "to_outside/",
                                                  "to_outside/.", "up",    "up/",        "to_outside/dir",
                                                  "sub/../..",    "root/", "root/tmp",   "to_outside/.."};

bool refused(Errno e) { return e == Errno::Notcapable || e == Errno::Notdir; }

void try_all(HostOs& os, Handle dir, const Trap& trap) {
  wasi::OpenOptions read;
  read.read = true;
  read.follow = true;
  wasi::OpenOptions create = read;
  create.write = true;
  create.create = true;
  wasi::OpenOptions directory = read;
  directory.directory = true;
  wasi::OpenOptions truncate = create;
  truncate.truncate = true;
  wasi::Times times;
  times.modification = wasi::Times::Kind::Now;
  char buffer[100];
  auto absolute = trap.dir.path("outside/secret");

  std::vector<std::string> secrets(std::begin(kWaysToTheSecret), std::end(kWaysToTheSecret));
  secrets.push_back(absolute);
  secrets.push_back("//" + absolute);
  for (const auto& path : secrets) {
    INFO(path);
    CHECK(refused(os.open(dir, path, read).error));
    CHECK(refused(os.open(dir, path, create).error));
    CHECK(refused(os.open(dir, path, truncate).error));
    CHECK(refused(os.stat_at(dir, path, true).error));
    CHECK(refused(os.set_times_at(dir, path, true, times)));
    CHECK(refused(os.link(dir, path, true, dir, "stolen")));
    CHECK(refused(os.open(dir, path + "/", read).error));
    CHECK(refused(os.stat_at(dir, path + "/", false).error));
    CHECK(refused(os.read_link(dir, path + "/x", {reinterpret_cast<uint8_t*>(buffer), sizeof buffer}).error));
    CHECK(refused(os.unlink_file(dir, path + "/../secret")));
    CHECK(refused(os.create_directory(dir, path + "/../new")));
  }
  // The links themselves can be handled.
  CHECK(os.stat_at(dir, "to_secret", false).value.type == wasi::Filetype::SymbolicLink);
  wasi::OpenOptions nofollow = read;
  nofollow.follow = false;
  CHECK(os.open(dir, "to_secret", nofollow).error == Errno::Loop);

  for (auto way : kWaysToTheOutside) {
    std::string path(way);
    INFO(path);
    CHECK_FALSE(os.open(dir, path, directory).ok());
    CHECK_FALSE(os.stat_at(dir, path, true).ok());
    CHECK(refused(os.open(dir, path + "/secret", read).error));
    CHECK(refused(os.open(dir, path + "/new", create).error));
    CHECK(refused(os.stat_at(dir, path + "/secret", false).error));
    CHECK(refused(os.create_directory(dir, path + "/new")));
    CHECK(refused(os.remove_directory(dir, path + "/dir")));
    CHECK(refused(os.unlink_file(dir, path + "/secret")));
    CHECK(refused(os.rename(dir, path + "/secret", dir, "stolen")));
    CHECK(refused(os.rename(dir, "file", dir, path + "/new")));
    CHECK(refused(os.link(dir, path + "/secret", false, dir, "stolen")));
    CHECK(refused(os.link(dir, "file", false, dir, path + "/new")));
    CHECK(refused(os.symlink("x", dir, path + "/new")));
    CHECK(refused(os.read_link(dir, path + "/x", {reinterpret_cast<uint8_t*>(buffer), sizeof buffer}).error));
    CHECK(refused(os.set_times_at(dir, path + "/secret", false, times)));
  }
  for (auto name : {"..", "../", "sub/../.."}) {
    CHECK(os.remove_directory(dir, name) == Errno::Notcapable);
    CHECK(os.unlink_file(dir, name) == Errno::Notcapable);
    CHECK(os.create_directory(dir, name) == Errno::Notcapable);
    CHECK(os.rename(dir, name, dir, "stolen") == Errno::Notcapable);
    CHECK(os.stat_at(dir, name, false).error == Errno::Notcapable);
  }
  // Through a dangling link nothing is created outside.
  CHECK(refused(os.open(dir, "sub/to_new", create).error));
  CHECK(os.create_directory(dir, "sub/to_new") == Errno::Exist);
  CHECK(os.symlink("/etc/passwd", dir, "new_link") == Errno::Notcapable);
  CHECK(os.open(dir, "self", read).error == Errno::Loop);
  CHECK(os.stat_at(dir, "self", true).error == Errno::Loop);
  CHECK(os.open(dir, "self/x", read).error == Errno::Loop);

  // What only looks like a way out is none.
  for (auto path : {"sub/../file", "sub/harmless", "deep/../../file", "./././file", "sub/deep/../../sub/harmless"}) {
    INFO(path);
    auto file = os.open(dir, path, read);
    CHECK(file.ok());
    if (file.ok()) os.close(file.value);
    CHECK(os.stat_at(dir, path, true).ok());
  }
  CHECK_FALSE(trap.dir.exists("inside/stolen"));
  CHECK(trap.untouched());
}

}  // namespace

TEST_CASE("No path leads out of a directory", "[wasi][sandbox]") {
  Trap trap;
  bool by_kernel = GENERATE(true, false);
  auto os = wasi::system_host(by_kernel);
  auto root = os->open_root(trap.dir.path("inside"));
  REQUIRE(root.ok());
  try_all(*os, root.value, trap);
  os->close(root.value);
}

TEST_CASE("Nor out of a directory that the guest opened itself", "[wasi][sandbox]") {
  Trap trap;
  wasi::Config config;
  config.preopens = {{trap.dir.path("inside"), "/"}};
  Guest guest(config);
  REQUIRE(guest.open("sub", oflag::Directory, right::Directory, 0, 3, true, right::File) == Errno::Success);
  auto sub = guest.opened;
  CHECK(guest.open("../file", 0, right::FdRead, 0, sub) == Errno::Notcapable);
  CHECK(guest.open("harmless", 0, right::FdRead, 0, sub) == Errno::Notcapable);
  CHECK(guest.open("/file", 0, right::FdRead) == Errno::Notcapable);
  CHECK(guest.open("to_secret", 0, right::FdRead) == Errno::Notcapable);
  CHECK(guest.stat("../outside/secret") == Errno::Notcapable);
  CHECK(guest.rename("file", "../outside/new") == Errno::Notcapable);
  CHECK(guest.link("to_secret", "stolen", true) == Errno::Notcapable);
  CHECK(guest.symlink("/etc/passwd", "link") == Errno::Notcapable);
  CHECK(trap.untouched());
}

TEST_CASE("A link that a guest makes is followed only inside", "[wasi][sandbox]") {
  Trap trap;
  wasi::Config config;
  config.preopens = {{trap.dir.path("inside"), "/"}};
  Guest guest(config);
  REQUIRE(guest.symlink("../../outside/secret", "sub/l1") == Errno::Success);
  CHECK(guest.open("sub/l1") == Errno::Notcapable);
  REQUIRE(guest.symlink("sub/l1", "l2") == Errno::Success);
  CHECK(guest.open("l2") == Errno::Notcapable);
  // Moving a link to where it means something else is no way, either.
  REQUIRE(guest.symlink("../../outside", "sub/deep/l3") == Errno::Success);
  REQUIRE(guest.rename("sub/deep/l3", "sub/l3") == Errno::Success);
  CHECK(guest.open("sub/l3/secret") == Errno::Notcapable);
}

TEST_CASE("Renames and hard links between directories are no way out", "[wasi][sandbox]") {
  Trap trap;
  TempDir second;
  TempDir third;
  third.write("kept", "kept");
  wasi::Config config;
  config.preopens = {{trap.dir.path("inside"), "/"}, {second.path(), "/second"}, {third.path(), "/read", true}};
  Guest guest(config);
  constexpr uint32_t kFirst = 3, kSecond = 4, kRead = 5;
  // What may be written in both may go from one to the other, and is beneath the other one then.
  REQUIRE(guest.open("sub", oflag::Directory, right::Directory, 0, kFirst, true, right::File) == Errno::Success);
  const auto sub = guest.opened;
  REQUIRE(guest.rename("sub", "moved", kFirst, kSecond) == Errno::Success);
  CHECK(guest.open("../file", 0, right::FdRead, 0, sub) == Errno::Notcapable);
  CHECK(guest.open("up2/outside/secret", 0, right::FdRead, 0, sub) == Errno::Notcapable);
  CHECK(guest.open("moved/harmless", 0, right::FdRead, 0, kSecond) == Errno::Noent);  // ../file means another one now
  CHECK(guest.open("moved/to_new", oflag::Creat, right::FdWrite, 0, kSecond) == Errno::Notcapable);
  REQUIRE(guest.link("file", "linked", false, kFirst, kSecond) == Errno::Success);
  CHECK(guest.open("linked", 0, right::FdRead | right::FdWrite, 0, kSecond) == Errno::Success);
  // Nothing gets out of a read-only directory under a name by which it could be written, and nothing in.
  CHECK(guest.link("kept", "stolen", false, kRead, kSecond) == Errno::Rofs);
  CHECK(guest.rename("kept", "stolen", kRead, kSecond) == Errno::Rofs);
  CHECK(guest.rename("file", "kept", kFirst, kRead) == Errno::Rofs);
  CHECK(guest.link("file", "new", false, kFirst, kRead) == Errno::Rofs);
  // Of a hard link that leads to the same file from both the guest may write only by the name that it may write.
  std::filesystem::create_hard_link(third.path("kept"), second.path("same"));
  CHECK(guest.open("kept", 0, right::FdWrite, 0, kRead) == Errno::Rofs);
  trap.dir.mkdir("inside/sub");
  // Neither end of a rename or link can be outside.
  for (auto way : kWaysToTheOutside) {
    const auto path = std::string(way) + "/secret";
    INFO(path);
    CHECK(refused(guest.rename(path, "stolen", kFirst, kSecond)));
    CHECK(refused(guest.link(path, "stolen", false, kFirst, kSecond)));
    CHECK(refused(guest.rename("linked", path, kSecond, kFirst)));
    CHECK(refused(guest.link("linked", path, false, kSecond, kFirst)));
  }
  CHECK_FALSE(second.exists("stolen"));
  CHECK(third.read("kept") == "kept");
  CHECK(trap.untouched());
}

TEST_CASE("Between file systems nothing can be renamed or linked", "[wasi][sandbox]") {
  TempDir dir;
  dir.write("file", "");
  struct Other {
    std::string path = "/dev/shm/chiwawa-wasi-XXXXXX";
    bool made = mkdtemp(path.data()) != nullptr;
    ~Other() {
      std::error_code ignored;
      if (made) std::filesystem::remove_all(path, ignored);
    }
  } other;
  struct stat here{}, there{};
  if (!other.made || ::stat(other.path.c_str(), &there) != 0 || ::stat(dir.path().c_str(), &here) != 0 ||
      here.st_dev == there.st_dev) {
    SKIP("there is no second file system in /dev/shm");
  }
  wasi::Config config;
  config.preopens = {{dir.path(), "/"}, {other.path, "/other"}};
  Guest guest(config);
  CHECK(guest.rename("file", "file", 3, 4) == Errno::Xdev);
  CHECK(guest.link("file", "file", false, 3, 4) == Errno::Xdev);
  CHECK(dir.exists("file"));
}

TEST_CASE("Links of /proc are not followed", "[wasi][sandbox]") {
  bool by_kernel = GENERATE(true, false);
  auto os = wasi::system_host(by_kernel);
  auto root = os->open_root("/proc/self");
  if (!root.ok()) SKIP("there is no /proc");
  Trap trap;
  int secret = ::open(trap.dir.path("outside/secret").c_str(), O_RDONLY);
  REQUIRE(secret >= 0);
  wasi::OpenOptions read;
  read.read = true;
  read.follow = true;
  CHECK_FALSE(os->open(root.value, "fd/" + std::to_string(secret), read).ok());
  CHECK_FALSE(os->open(root.value, "root/etc/passwd", read).ok());
  CHECK_FALSE(os->open(root.value, "cwd/x", read).ok());
  CHECK_FALSE(os->stat_at(root.value, "exe", true).ok());
  ::close(secret);
  os->close(root.value);
}

TEST_CASE("A directory that becomes a link while it is walked is no way out", "[wasi][sandbox]") {
  Trap trap;
  trap.dir.mkdir("inside/flip");
  trap.dir.write("inside/flip/secret", "harmless");
  trap.dir.symlink("../outside", "inside/flip2");
  bool by_kernel = GENERATE(true, false);
  auto os = wasi::system_host(by_kernel);
  auto root = os->open_root(trap.dir.path("inside"));
  REQUIRE(root.ok());
  std::atomic<bool> stop = false;
  std::thread flipper([&] {
    auto a = trap.dir.path("inside/flip"), b = trap.dir.path("inside/flip2"), c = trap.dir.path("inside/flip3");
    while (!stop) {
      // a -> c, b -> a, c -> b
      std::rename(a.c_str(), c.c_str());
      std::rename(b.c_str(), a.c_str());
      std::rename(c.c_str(), b.c_str());
    }
  });
  wasi::OpenOptions read;
  read.read = true;
  read.follow = true;
  int opened = 0, stolen = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto file = os->open(root.value, "flip/secret", read);
    if (!file.ok()) continue;
    ++opened;
    uint8_t text[20];
    wasi::Buffer buffer{text, sizeof text};
    auto n = os->read(file.value, {&buffer, 1});
    stolen += n.value != 8;
    os->close(file.value);
  }
  stop = true;
  flipper.join();
  os->close(root.value);
  CHECK(stolen == 0);
  CHECK(opened > 0);
}
