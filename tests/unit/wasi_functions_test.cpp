// The table, and the small families: args, clock, proc, random, sock.
#include "interp/decode.hpp"
#include "interp/instantiate.hpp"
#include "interp/validate.hpp"
#include "unit/module_bytes.hpp"
#include "wasi_fixture.hpp"

using namespace wasi_test;

TEST_CASE("All 46 functions exist under both module names", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  static constexpr std::string_view kNames[] = {
#define WASI_FUNCTION(name, ...) #name,
#include "wasi/preview1.def"
  };
  CHECK(std::size(kNames) == 46);
  for (auto name : kNames) {
    for (auto module : {"wasi_snapshot_preview1", "wasi_unstable"}) {
      auto f = guest.wasi().function(module, name);
      REQUIRE(f);
      CHECK(f->module == module);
      CHECK(f->name == name);
    }
  }
  CHECK_FALSE(guest.wasi().function("wasi_snapshot_preview1", "fd_dup"));
  CHECK_FALSE(guest.wasi().function("wasi_snapshot_preview2", "fd_read"));
  CHECK_FALSE(guest.wasi().function("env", "fd_read"));
}

TEST_CASE("Signatures are those of the witx files", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  auto type = [&](std::string_view name) {
    auto f = guest.wasi().function("wasi_snapshot_preview1", name);
    REQUIRE(f);
    return f->type;
  };
  constexpr auto i32 = ValType::I32, i64 = ValType::I64;
  CHECK(type("path_open") == FuncType{{i32, i32, i32, i32, i32, i64, i64, i32, i32}, {i32}});
  CHECK(type("fd_seek") == FuncType{{i32, i64, i32, i32}, {i32}});
  CHECK(type("clock_time_get") == FuncType{{i32, i64, i32}, {i32}});
  CHECK(type("proc_exit") == FuncType{{i32}, {}});
  CHECK(type("sched_yield") == FuncType{{}, {i32}});
}

TEST_CASE("Imported under a wrong type, each function is a link error that names it", "[wasi]") {
  namespace bytes = chiwawa::test;
  TempDir dir;
  Guest guest(Guest::in(dir));
  static constexpr std::string_view kNames[] = {
#define WASI_FUNCTION(name, ...) #name,
#include "wasi/preview1.def"
  };
  for (const std::string module_name : {"wasi_snapshot_preview1", "wasi_unstable"}) {
    for (const auto name : kNames) {
      const auto binary = bytes::wasm_module(
          {bytes::section(1, bytes::vec({bytes::func_type({bytes::kF32}, {bytes::kI32})})),
           bytes::section(2, bytes::vec({bytes::join({bytes::text(module_name), bytes::text(name), {0, 0}})}))});
      auto module = decode(binary);
      REQUIRE(module);
      REQUIRE(validate(*module));
      Store store;
      const auto function = store.add_host_function(*guest.wasi().function(module_name, name));
      const std::vector<Extern> imports = {{ExternKind::Func, raw(function)}};
      const auto made = instantiate(store, std::make_shared<const Module>(std::move(*module)), imports);
      REQUIRE_FALSE(made);
      INFO(made.error().cause);
      CHECK(made.error().phase == Phase::Link);
      CHECK(made.error().cause.find(name) != std::string::npos);
      CHECK(made.error().cause.find(module_name) != std::string::npos);
      CHECK(made.error().cause.find("f32") != std::string::npos);
    }
  }
}

TEST_CASE("Arguments and environment", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  REQUIRE(guest.call("args_sizes_get", {kResult, kResult + 4}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == 2);
  CHECK(guest.load<uint32_t>(kResult + 4) == 17);
  REQUIRE(guest.call("args_get", {kResult, kText}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == kText);
  CHECK(guest.load<uint32_t>(kResult + 4) == kText + 8);
  CHECK(guest.text(kText, 17) == std::string("program\0argument\0", 17));
  REQUIRE(guest.call("environ_sizes_get", {kResult, kResult + 4}) == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult + 4) == 10);
  REQUIRE(guest.call("environ_get", {kResult, kText}) == Errno::Success);
  CHECK(guest.text(kText, 10) == std::string("A=1\0B=two\0", 10));

  CHECK(guest.call("args_get", {kSizeBytes - 4, kText}) == Errno::Fault);
  CHECK(guest.call("args_get", {kResult, kSizeBytes - 16}) == Errno::Fault);
  CHECK(guest.call("args_sizes_get", {kSizeBytes - 3, kResult}) == Errno::Fault);
  CHECK(guest.call("environ_sizes_get", {kResult, 0xFFFFFFFF}) == Errno::Fault);
}

TEST_CASE("A caller without a memory gets a fault, not a crash", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  SECTION("no caller") { guest.has_caller = false; }
  SECTION("no memory") { guest.instance().cache.memories.clear(); }
  CHECK(guest.call("args_sizes_get", {0, 0}) == Errno::Fault);
  CHECK(guest.call("fd_write", {1, 0, 0, 0}) == Errno::Fault);
  CHECK(guest.call("path_open", {3, 0, 0, 1, 0, 0, 0, 0, 0}) == Errno::Fault);
  CHECK(guest.call("random_get", {0, 1}) == Errno::Fault);
  CHECK(guest.call("random_get", {0, 0}) == Errno::Success);
  CHECK(guest.call("sched_yield", {}) == Errno::Success);
}

TEST_CASE("Clocks", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  uint64_t last = 0;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(guest.call("clock_time_get", {1, 0, kResult}) == Errno::Success);
    REQUIRE(guest.load<uint64_t>(kResult) >= last);
    last = guest.load<uint64_t>(kResult);
  }
  CHECK(last > 0);
  CHECK(last < 60'000'000'000);  // it begins with the guest
  REQUIRE(guest.call("clock_time_get", {0, 0, kResult}) == Errno::Success);
  CHECK(guest.load<uint64_t>(kResult) > 1'600'000'000'000'000'000);
  for (const uint64_t id : {0u, 1u, 2u, 3u}) {
    REQUIRE(guest.call("clock_res_get", {id, kResult}) == Errno::Success);
    CHECK(guest.load<uint64_t>(kResult) > 0);
    CHECK(guest.call("clock_time_get", {id, 0, kResult}) == Errno::Success);
  }
  CHECK(guest.call("clock_time_get", {4, 0, kResult}) == Errno::Inval);
  CHECK(guest.call("clock_res_get", {4, kResult}) == Errno::Inval);
  CHECK(guest.call("clock_time_get", {0, 0, kSizeBytes - 7}) == Errno::Fault);
}

TEST_CASE("random_get fills exactly what it is given", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  std::memset(guest.at(kData), 0, 2000);
  REQUIRE(guest.call("random_get", {kData + 100, 1000}) == Errno::Success);
  CHECK(guest.text(kData, 100) == std::string(100, '\0'));
  CHECK(guest.text(kData + 100, 1000) != std::string(1000, '\0'));
  CHECK(guest.text(kData + 1100, 900) == std::string(900, '\0'));
  CHECK(guest.call("random_get", {kSizeBytes - 10, 11}) == Errno::Fault);
  CHECK(guest.call("random_get", {0xFFFFFFFF, 0xFFFFFFFF}) == Errno::Fault);
}

TEST_CASE("proc_exit and proc_raise", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  auto result = guest.call_raw("proc_exit", {77});
  CHECK(result.kind == HostResult::Kind::Exit);
  CHECK(result.exit_code == 77);
  result = guest.call_raw("proc_raise", {6});
  CHECK(result.kind == HostResult::Kind::Exit);
  CHECK(result.exit_code == 134);
  CHECK(guest.call("proc_raise", {0}) == Errno::Success);
  CHECK(guest.call("proc_raise", {16}) == Errno::Success);
  CHECK(guest.call("proc_raise", {18}) == Errno::Notsup);
  CHECK(guest.call("proc_raise", {31}) == Errno::Inval);
}

TEST_CASE("What is no socket", "[wasi]") {
  TempDir dir;
  Guest guest(Guest::in(dir));
  CHECK(guest.call("sock_accept", {3, 0, kResult}) == Errno::Notsock);
  CHECK(guest.call("sock_accept", {9, 0, kResult}) == Errno::Badf);
  CHECK(guest.call("sock_recv", {0, kIovecs, 0, 0, kResult, kResult + 8}) == Errno::Notsock);
  CHECK(guest.call("sock_send", {1, kIovecs, 0, 0, kResult}) == Errno::Notsock);
  CHECK(guest.call("sock_shutdown", {1, 1}) == Errno::Notsock);
  CHECK(guest.call("sock_shutdown", {9, 1}) == Errno::Badf);
}
