// A small guest that touches everything a snapshot holds, and ways to stop, save and restore it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "inspect/diff.hpp"
#include "interp/decode.hpp"
#include "interp/instantiate.hpp"
#include "interp/machine.hpp"
#include "interp/validate.hpp"
#include "snapshot/read.hpp"
#include "snapshot/restore.hpp"
#include "snapshot/write.hpp"

namespace snapshot_test {

using namespace chiwawa;

// wat2wasm of:
// (module
//   (import "env" "wait" (func $wait (param i32 i64) (result i32)))
//   (memory 17 40)
//   (table $t 4 10 funcref)
//   (table $x 2 externref)
//   (global $count (mut i32) (i32.const 7))
//   (global $ref (mut funcref) (ref.func $twice))
//   (global $half (mut f64) (f64.const 0.5))
//   (data $passive "hello")
//   (data (i32.const 70000) "active")
//   (elem $e func $twice $run)
//   (elem (i32.const 1) func $twice)
//   (func $twice (export "twice") (param i64) (result i64)
//     local.get 0 i64.const 2 i64.mul)
//   (func $down (param i32 f32) (result i64) (local i64 externref)
//     local.get 0 i64.extend_i32_u local.set 2
//     local.get 0 i32.eqz
//     if (result i64)
//       i64.const 1
//     else
//       local.get 2
//       local.get 0 i32.const 1 i32.sub local.get 1 call $down
//       i64.add
//       i32.const 1 call_indirect (param i64) (result i64)
//     end)
//   (func $run (export "run") (param i32) (result i64) (local i64)
//     i32.const 80000 i32.const 0 i32.const 5 memory.init $passive
//     data.drop $passive
//     i32.const 2 i32.const 0 i32.const 2 table.init $t $e
//     elem.drop $e
//     i32.const 2 memory.grow drop
//     ref.func $run i32.const 3 table.grow $t drop
//     loop
//       local.get 1
//       local.get 0 f32.const 1.5 call $down
//       i64.add
//       local.get 0 local.get 1 call $wait i64.extend_i32_u
//       i64.add
//       local.set 1
//       local.get 0 i32.const 110000 i32.mul local.get 1 i64.store
//       global.get $count i32.const 1 i32.add global.set $count
//       local.get 0 i32.const 1 i32.sub local.tee 0
//       br_if 0
//     end
//     local.get 1)
// )
inline constexpr uint8_t kGuest[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x17, 0x04, 0x60, 0x02, 0x7f, 0x7e, 0x01, 0x7f, 0x60, 0x01,
    0x7e, 0x01, 0x7e, 0x60, 0x02, 0x7f, 0x7d, 0x01, 0x7e, 0x60, 0x01, 0x7f, 0x01, 0x7e, 0x02, 0x0c, 0x01, 0x03, 0x65,
    0x6e, 0x76, 0x04, 0x77, 0x61, 0x69, 0x74, 0x00, 0x00, 0x03, 0x04, 0x03, 0x01, 0x02, 0x03, 0x04, 0x08, 0x02, 0x70,
    0x01, 0x04, 0x0a, 0x6f, 0x00, 0x02, 0x05, 0x04, 0x01, 0x01, 0x11, 0x28, 0x06, 0x17, 0x03, 0x7f, 0x01, 0x41, 0x07,
    0x0b, 0x70, 0x01, 0xd2, 0x01, 0x0b, 0x7c, 0x01, 0x44, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe0, 0x3f, 0x0b, 0x07,
    0x0f, 0x02, 0x05, 0x74, 0x77, 0x69, 0x63, 0x65, 0x00, 0x01, 0x03, 0x72, 0x75, 0x6e, 0x00, 0x03, 0x09, 0x0c, 0x02,
    0x01, 0x00, 0x02, 0x01, 0x03, 0x00, 0x41, 0x01, 0x0b, 0x01, 0x01, 0x0c, 0x01, 0x02, 0x0a, 0x94, 0x01, 0x03, 0x07,
    0x00, 0x20, 0x00, 0x42, 0x02, 0x7e, 0x0b, 0x25, 0x02, 0x01, 0x7e, 0x01, 0x6f, 0x20, 0x00, 0xad, 0x21, 0x02, 0x20,
    0x00, 0x45, 0x04, 0x7e, 0x42, 0x01, 0x05, 0x20, 0x02, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x20, 0x01, 0x10, 0x02, 0x7c,
    0x41, 0x01, 0x11, 0x01, 0x00, 0x0b, 0x0b, 0x64, 0x01, 0x01, 0x7e, 0x41, 0x80, 0xf1, 0x04, 0x41, 0x00, 0x41, 0x05,
    0xfc, 0x08, 0x00, 0x00, 0xfc, 0x09, 0x00, 0x41, 0x02, 0x41, 0x00, 0x41, 0x02, 0xfc, 0x0c, 0x00, 0x00, 0xfc, 0x0d,
    0x00, 0x41, 0x02, 0x40, 0x00, 0x1a, 0xd2, 0x03, 0x41, 0x03, 0xfc, 0x0f, 0x00, 0x1a, 0x03, 0x40, 0x20, 0x01, 0x20,
    0x00, 0x43, 0x00, 0x00, 0xc0, 0x3f, 0x10, 0x02, 0x7c, 0x20, 0x00, 0x20, 0x01, 0x10, 0x00, 0xad, 0x7c, 0x21, 0x01,
    0x20, 0x00, 0x41, 0xb0, 0xdb, 0x06, 0x6c, 0x20, 0x01, 0x37, 0x03, 0x00, 0x23, 0x00, 0x41, 0x01, 0x6a, 0x24, 0x00,
    0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00, 0x0d, 0x00, 0x0b, 0x20, 0x01, 0x0b, 0x0b, 0x15, 0x02, 0x01, 0x05, 0x68,
    0x65, 0x6c, 0x6c, 0x6f, 0x00, 0x41, 0xf0, 0xa2, 0x04, 0x0b, 0x06, 0x61, 0x63, 0x74, 0x69, 0x76, 0x65,
};

/// Whether two snapshots have the same bytes. If not, the test's output says what differs, as snapshot-diff says it.
inline bool same_snapshot(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  if (a == b) return true;
  const std::string difference = inspect::explain_difference(a, b);
  UNSCOPED_INFO((difference.empty() ? "the states are equal, the files are not" : difference));
  return false;
}

inline std::shared_ptr<const Module> load(std::span<const uint8_t> bytes) {
  Result<Module> module = decode({bytes.begin(), bytes.end()});
  REQUIRE(module);
  REQUIRE(validate(*module));
  return std::make_shared<const Module>(std::move(*module));
}

/// env.wait: waits every other time, then returns 3.
struct Host {
  bool waited = false;
  static HostResult wait(HostCall& call, void* context) {
    Host& host = *static_cast<Host*>(context);
    host.waited = !host.waited;
    if (host.waited) return HostResult::wait();
    call.result(0, 3);
    return HostResult::done();
  }
  HostFunction function() { return {"env", "wait", {{ValType::I32, ValType::I64}, {ValType::I32}}, &Host::wait, this}; }
};

/// The guest, called as run(rounds), able to stop at every step.
struct Guest {
  std::shared_ptr<const Module> module = load(kGuest);
  Host host;
  std::unique_ptr<Store> store = std::make_unique<Store>();
  std::unique_ptr<Machine> machine;

  static CompileOptions exact() {
    CompileOptions options;
    options.exact = true;
    return options;
  }

  explicit Guest(uint32_t rounds) {
    store->compile_options = exact();
    const Extern import{ExternKind::Func, raw(store->add_host_function(host.function()))};
    Result<Instantiation> made = instantiate(*store, module, std::span(&import, 1));
    REQUIRE(made);
    REQUIRE(made->trap == TrapKind::None);
    machine = std::make_unique<Machine>(*store);
    const Value rounds_value{ValType::I32, rounds};
    REQUIRE(
        machine->invoke(FuncAddr{store->find_export(*made->instance, "run")->address}, std::span(&rounds_value, 1)));
  }

  /// Goes on for at most `steps` steps; host calls that wait are made again at once.
  Outcome run(uint64_t steps) {
    const uint64_t end = machine->steps() + steps;
    for (;;) {
      Outcome outcome = machine->run(end - machine->steps());
      if (outcome.kind != Outcome::Kind::Paused || outcome.pause != PauseReason::HostWait) return outcome;
    }
  }

  std::vector<uint8_t> save(std::optional<wasi::State> wasi = some_wasi()) {
    snapshot::MemorySink sink;
    const snapshot::WriteOptions options{"test 1.0", {"guest.wasm"}};
    const Result<void> written = snapshot::write(sink, *store, machine->capture(), std::move(wasi), options);
    REQUIRE(written);
    return sink.data;
  }

  /// Replaces store and machine by the saved ones.
  Result<void> load_from(std::span<const uint8_t> bytes) {
    snapshot::MemorySource source(bytes);
    snapshot::Reader reader(source);
    CHIWAWA_TRY(reader.open());
    const auto resolve = [&](std::string_view, std::string_view, const FuncType&) {
      return std::optional<HostFunction>(host.function());
    };
    auto restored = snapshot::restore(reader, std::span(&module, 1), resolve, {{}, exact()});
    if (!restored) return restored.error();
    auto fresh = std::make_unique<Machine>(*restored->store);
    CHIWAWA_TRY(fresh->restore(restored->machine));
    machine = std::move(fresh);
    store = std::move(restored->store);
    return {};
  }

  static wasi::State some_wasi() {
    wasi::State state;
    state.args = {"guest", "-v"};
    state.environ = {"HOME=/"};
    for (uint32_t fd = 0; fd < 3; ++fd) {
      wasi::DescriptorRecord record;
      record.number = fd;
      record.kind = static_cast<wasi::DescriptorKind>(fd);
      state.descriptors.push_back(record);
    }
    const auto add = [&](uint32_t number, wasi::DescriptorKind kind) -> wasi::DescriptorRecord& {
      wasi::DescriptorRecord& record = state.descriptors.emplace_back();
      record.number = number;
      record.kind = kind;
      record.rights_base = 0x42;
      record.preopen = "/data";
      return record;
    };
    add(3, wasi::DescriptorKind::Preopen).rights_inheriting = ~0u;
    auto& file = add(5, wasi::DescriptorKind::File);
    file.fdflags = 1;
    file.path = "log.txt";
    file.offset = 12;
    file.size = 34;
    file.mtime = 56;
    file.device = 7;
    file.inode = 8;
    auto& removed = add(6, wasi::DescriptorKind::File);
    removed.offset = 1;
    removed.size = 3;
    removed.removed_file = 1;
    removed.elsewhere = true;
    auto& listener = add(7, wasi::DescriptorKind::Listener);
    listener.preopen.clear();
    listener.listener = 1;
    listener.address = "127.0.0.1:80";
    state.removed_files = {{}, {1, 2, 3}};
    state.monotonic = 123456789;
    state.sleep = wasi::SleepRecord{1000};
    return state;
  }
};

}  // namespace snapshot_test
