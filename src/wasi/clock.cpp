// clock_*.
#include "wasi/functions.hpp"

namespace chiwawa::wasi::preview1 {
namespace {
constexpr uint32_t kClockCount = 4;
}

Answer clock_res_get(Call& call, uint32_t id, uint32_t resolution) {
  if (id >= kClockCount) return Errno::Inval;
  if (!call.memory.has(resolution, 8)) return Errno::Fault;
  auto ns = call.wasi.deterministic ? Sys<uint64_t>(Deterministic::kTick)
                                    : call.wasi.os->clock_resolution(static_cast<ClockId>(id));
  if (!ns.ok()) return ns.error;
  call.memory.store<uint64_t>(resolution, ns.value);
  return Errno::Success;
}

Answer clock_time_get(Call& call, uint32_t id, uint64_t /*precision*/, uint32_t time) {
  if (id >= kClockCount) return Errno::Inval;
  if (!call.memory.has(time, 8)) return Errno::Fault;
  auto ns = call.wasi.time(static_cast<ClockId>(id));
  if (!ns.ok()) return ns.error;
  call.memory.store<uint64_t>(time, ns.value);
  if (call.wasi.deterministic) call.wasi.deterministic->clock += Deterministic::kTick;
  return Errno::Success;
}

}  // namespace chiwawa::wasi::preview1
