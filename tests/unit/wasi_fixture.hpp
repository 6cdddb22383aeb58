// A guest without a program: a memory, a temporary directory, and WASI's functions to call by name.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/catch_tostring.hpp>

#include "interp/store.hpp"
#include "wasi/abi.hpp"
#include "wasi/wasi.hpp"

namespace wasi_test {

using namespace chiwawa;
using wasi::Errno;
namespace right = wasi::right;
namespace oflag = wasi::oflag;
namespace fdflag = wasi::fdflag;

/// A directory that is removed in the end.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "chiwawa-wasi-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string path(std::string_view name = "") const { return name.empty() ? path_ : path_ + "/" + std::string(name); }
  void write(std::string_view name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  std::string read(std::string_view name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool exists(std::string_view name) const {
    return std::filesystem::exists(std::filesystem::symlink_status(path(name)));
  }
  void mkdir(std::string_view name) const { std::filesystem::create_directories(path(name)); }
  void symlink(std::string_view target, std::string_view name) const {
    std::filesystem::create_symlink(target, path(name));
  }

 private:
  std::string path_;
};

constexpr uint32_t kSizeBytes = 2 * 65536;
/// Addresses in the guest's memory that the helpers below use.
constexpr uint32_t kResult = 64;
constexpr uint32_t kIovecs = 128;
constexpr uint32_t kText = 1024;
constexpr uint32_t kText2 = 8192;
constexpr uint32_t kData = 16384;

class Guest {
 public:
  explicit Guest(wasi::Config config, std::string module = "wasi_snapshot_preview1")
      : config_(std::move(config)), module_(std::move(module)) {
    auto made = wasi::Wasi::create(config_);
    REQUIRE(made);
    wasi_ = std::move(*made);
    auto memory = store_.add_memory({{2, 2}});
    REQUIRE(memory);
    memory_ = &store_[*memory].memory;
    instance_.cache.memories = {&store_[*memory]};
  }

  /// With one preopen, descriptor 3, named ".".
  static wasi::Config in(const TempDir& dir, uint64_t slice = 0, bool read_only = false) {
    wasi::Config config;
    config.args = {"program", "argument"};
    config.environ = {"A=1", "B=two"};
    config.preopens = {{dir.path(), ".", read_only}};
    config.slice = slice;
    return config;
  }

  HostResult call_raw(std::string_view name, std::initializer_list<uint64_t> args) {
    auto f = wasi_->function(module_, name);
    REQUIRE(f);
    REQUIRE(f->type.params.size() == args.size());
    for (auto& slot : slots_) slot = 0xDEADBEEF;
    std::copy(args.begin(), args.end(), slots_);
    HostCall call{store_, has_caller ? &instance_ : nullptr, slots_};
    return f->call(call, f->context);
  }

  Errno call(std::string_view name, std::initializer_list<uint64_t> args) {
    auto result = call_raw(name, args);
    REQUIRE(result.kind == HostResult::Kind::Return);
    return static_cast<Errno>(slots_[0]);
  }

  bool waits(std::string_view name, std::initializer_list<uint64_t> args) {
    auto result = call_raw(name, args);
    if (result.kind != HostResult::Kind::Wait) return false;
    REQUIRE(std::equal(args.begin(), args.end(), slots_));
    return true;
  }

  uint8_t* at(uint32_t address) { return memory_->data() + address; }
  template <typename T>
  T load(uint32_t address) {
    T value;
    std::memcpy(&value, at(address), sizeof value);
    return value;
  }
  template <typename T>
  void store(uint32_t address, T value) {
    std::memcpy(at(address), &value, sizeof value);
  }
  std::string text(uint32_t address, size_t size) { return {reinterpret_cast<char*>(at(address)), size}; }
  uint32_t put(std::string_view text, uint32_t address = kText) {
    std::memcpy(at(address), text.data(), text.size());
    return static_cast<uint32_t>(text.size());
  }

  static constexpr uint64_t kAll = ~uint64_t{0};

  /// path_open; the new descriptor's number is in `opened`.
  Errno open(std::string_view path, uint32_t oflags = 0,
             uint64_t rights = right::FdRead | right::FdSeek | right::FdTell | right::FdFilestatGet,
             uint32_t fdflags = 0, uint32_t dir = 3, bool follow = true, uint64_t inheriting = 0) {
    auto n = put(path);
    Errno e = call("path_open", {dir, follow, kText, n, oflags, rights, inheriting, fdflags, kResult});
    if (e == Errno::Success) opened = load<uint32_t>(kResult);
    return e;
  }
  uint32_t must_open(std::string_view path, uint32_t oflags = 0, uint64_t rights = right::File, uint32_t fdflags = 0) {
    REQUIRE(open(path, oflags, rights, fdflags) == Errno::Success);
    return opened;
  }
  Errno write(uint32_t fd, std::string_view text) {
    put(text, kData);
    store<uint32_t>(kIovecs, kData);
    store<uint32_t>(kIovecs + 4, static_cast<uint32_t>(text.size()));
    return call("fd_write", {fd, kIovecs, 1, kResult});
  }
  /// fd_read; the bytes are in `got`.
  Errno read(uint32_t fd, uint32_t size) {
    store<uint32_t>(kIovecs, kData);
    store<uint32_t>(kIovecs + 4, size);
    Errno e = call("fd_read", {fd, kIovecs, 1, kResult});
    if (e == Errno::Success) got = text(kData, load<uint32_t>(kResult));
    return e;
  }
  Errno path_call(std::string_view name, std::string_view path, uint32_t dir = 3) {
    auto n = put(path);
    return call(name, {dir, kText, n});
  }
  Errno stat(std::string_view path, bool follow = true, uint32_t dir = 3) {
    auto n = put(path);
    return call("path_filestat_get", {dir, follow, kText, n, kResult});
  }
  Errno rename(std::string_view from, std::string_view to, uint32_t from_dir = 3, uint32_t to_dir = 3) {
    auto n = put(from);
    auto m = put(to, kText2);
    return call("path_rename", {from_dir, kText, n, to_dir, kText2, m});
  }
  Errno link(std::string_view from, std::string_view to, bool follow = false, uint32_t from_dir = 3,
             uint32_t to_dir = 3) {
    auto n = put(from);
    auto m = put(to, kText2);
    return call("path_link", {from_dir, follow, kText, n, to_dir, kText2, m});
  }
  Errno symlink(std::string_view target, std::string_view path) {
    auto n = put(target);
    auto m = put(path, kText2);
    return call("path_symlink", {kText, n, 3, kText2, m});
  }
  uint64_t tell(uint32_t fd) {
    REQUIRE(call("fd_tell", {fd, kResult}) == Errno::Success);
    return load<uint64_t>(kResult);
  }
  bool is_open(uint32_t fd) { return call("fd_fdstat_get", {fd, kResult}) == Errno::Success; }

  wasi::State save() {
    auto state = try_save();
    REQUIRE(state);
    return std::move(*state);
  }
  Result<wasi::State> try_save() { return wasi_->save(); }
  /// Goes on with another Wasi that was restored from `state`.
  Result<void> restore(const wasi::State& state) { return restore(state, config_); }
  Result<void> restore(const wasi::State& state, wasi::Config config) {
    auto restored = wasi::Wasi::restore(std::move(config), state);
    if (!restored) return restored.error();
    wasi_ = std::move(*restored);
    return {};
  }

  uint32_t opened = 0;
  std::string got;
  bool has_caller = true;
  Instance& instance() { return instance_; }
  wasi::Wasi& wasi() { return *wasi_; }

 private:
  wasi::Config config_;
  std::string module_;
  std::unique_ptr<wasi::Wasi> wasi_;
  Store store_;
  Instance instance_;
  LinearMemory* memory_ = nullptr;
  uint64_t slots_[16] = {};
};

/// Makes descriptor `fd` of this process something else for a while.
class Redirected {
 public:
  Redirected(int fd, int to) : fd_(fd), saved_(dup(fd)) { dup2(to, fd); }
  ~Redirected() {
    dup2(saved_, fd_);
    close(saved_);
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;

 private:
  int fd_;
  int saved_;
};

struct Pipe {
  int ends[2];
  Pipe() { REQUIRE(pipe(ends) == 0); }
  ~Pipe() {
    for (int end : ends) {
      if (end >= 0) close(end);
    }
  }
  void close_writer() {
    close(ends[1]);
    ends[1] = -1;
  }
  void send(std::string_view text) {
    REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  int reader() const { return ends[0]; }
  int writer() const { return ends[1]; }
};

}  // namespace wasi_test

/// Failed checks show the errno's number.
template <>
struct Catch::StringMaker<chiwawa::wasi::Errno> {
  static std::string convert(chiwawa::wasi::Errno e) { return "errno " + std::to_string(static_cast<int>(e)); }
};
