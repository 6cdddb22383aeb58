// poll_oneoff: sleeping, and waiting for descriptors.
//
// With Config::slice it waits for a slice at most and is called again with the same arguments, possibly after a
// restore in another process. So everything but the time already waited is read from guest memory anew each time.
#include <algorithm>
#include <array>
#include <vector>

#include "wasi/functions.hpp"

namespace chiwawa::wasi::preview1 {
namespace {

constexpr uint32_t kMaxSubscriptions = 65536;

/// A subscription, and in the end its event.
struct Subscription {
  uint64_t userdata = 0;
  EventType type = EventType::Clock;
  Errno error = Errno::Success;
  bool happened = false;
  uint64_t remaining = 0;  ///< Clock: nanoseconds to go; 0: due
  size_t poll_item = 0;    ///< FdRead, FdWrite that has not happened: position among the items
  uint64_t nbytes = 0;
  uint16_t flags = 0;
};

/// Nanoseconds that are left. `elapsed`: since the wait began.
Sys<uint64_t> remaining(Context& wasi, uint32_t clock, uint64_t timeout, bool absolute, uint64_t elapsed) {
  // Nothing else can be waited for: CPU time stands still while we wait.
  if (clock > static_cast<uint32_t>(ClockId::Monotonic)) {
    return clock > static_cast<uint32_t>(ClockId::ThreadCputime) ? Errno::Inval : Errno::Notsup;
  }
  uint64_t passed = elapsed;
  if (absolute) {
    auto now = wasi.time(static_cast<ClockId>(clock));
    if (!now.ok()) return now;
    passed = now.value;
  }
  return timeout > passed ? timeout - passed : 0;
}

/// A descriptor's subscription: either it has happened (as far as we can tell without the host), or an item is added.
void subscribe(Call& call, uint32_t fd, Subscription& s, std::vector<PollItem>& items) {
  bool write = s.type == EventType::FdWrite;
  auto d = file_descriptor(call, fd, right::PollFdReadwrite | (write ? right::FdWrite : right::FdRead));
  s.happened = true;
  if (!d.ok()) {
    s.error = d.error == Errno::Isdir ? Errno::Badf : d.error;
    return;
  }
  if (d.value->is_reset()) {
    s.flags = kEventFdReadwriteHangup;
    return;
  }
  // A deterministic guest finds everything ready, and waits when it reads.
  if (d.value->can_block && !call.wasi.deterministic) {
    PollItem item;
    item.handle = d.value->handle;
    item.write = write;
    s.happened = false;
    s.poll_item = items.size();
    items.push_back(item);
    return;
  }
  s.nbytes = 1;
  if (!write && d.value->has_position()) {
    auto stat = call.wasi.os->stat(d.value->handle);
    auto position = call.wasi.os->seek(d.value->handle, 0, Whence::Cur);
    s.nbytes = stat.ok() && position.ok() && stat.value.size > position.value ? stat.value.size - position.value : 0;
  }
}

template <typename L>
Answer poll(Call& call, uint32_t in, uint32_t out, uint32_t count, uint32_t nevents) {
  GuestMemory memory = call.memory;
  Context& wasi = call.wasi;
  if (count == 0 || count > kMaxSubscriptions) return Errno::Inval;
  if (!memory.has(in, uint64_t{count} * L::size) || !memory.has(out, uint64_t{count} * layout::Event::size) ||
      !memory.has(nevents, 4)) {
    return Errno::Fault;
  }
  std::array<uint32_t, 4> args = {in, out, count, nevents};
  if (!wasi.waiting || (wasi.waiting->args && *wasi.waiting->args != args))
    wasi.waiting = Waiting{wasi.monotonic(), {}};
  wasi.waiting->args = args;

  std::vector<Subscription> subscriptions(count);
  std::vector<PollItem> items;
  while (true) {
    uint64_t elapsed = wasi.monotonic() - wasi.waiting->since;
    uint64_t wait = kForever;
    items.clear();
    for (uint32_t i = 0; i < count; ++i) {
      uint32_t at = in + i * L::size;
      Subscription& s = subscriptions[i];
      s = {};
      s.userdata = memory.load<uint64_t>(at + L::userdata);
      uint8_t tag = memory.load<uint8_t>(at + L::tag);
      if (tag > static_cast<uint8_t>(EventType::FdWrite)) {
        wasi.waiting.reset();
        return Errno::Inval;
      }
      s.type = static_cast<EventType>(tag);
      if (s.type != EventType::Clock) {
        subscribe(call, memory.load<uint32_t>(at + L::fd), s, items);
      } else {
        auto flags = memory.load<uint16_t>(at + L::flags);
        auto left = (flags & ~kSubscriptionClockAbstime) != 0
                        ? Sys<uint64_t>(Errno::Inval)
                        : remaining(wasi, memory.load<uint32_t>(at + L::clock_id),
                                    memory.load<uint64_t>(at + L::timeout), flags != 0, elapsed);
        s.error = left.error;
        s.remaining = left.value;
        s.happened = !left.ok() || left.value == 0;
        if (!s.happened) wait = std::min(wait, left.value);
      }
      if (s.happened) wait = 0;
    }
    if (wasi.deterministic) {
      wasi.deterministic->clock += wait;
    } else {
      if (wasi.config.slice != 0) wait = std::min(wait, wasi.config.slice);
      if (wait > 0 || !items.empty()) wasi.os->poll(items, wait);
    }

    elapsed = wasi.monotonic() - wasi.waiting->since;
    uint32_t happened = 0;
    for (uint32_t i = 0; i < count; ++i) {
      Subscription& s = subscriptions[i];
      if (!s.happened && s.type != EventType::Clock) {
        const PollItem& item = items[s.poll_item];
        s.happened = item.ready;
        s.nbytes = item.bytes;
        s.flags = item.hangup ? kEventFdReadwriteHangup : 0;
      } else if (!s.happened) {
        uint32_t at = in + i * L::size;
        auto left = remaining(wasi, memory.load<uint32_t>(at + L::clock_id), memory.load<uint64_t>(at + L::timeout),
                              memory.load<uint16_t>(at + L::flags) != 0, elapsed);
        s.happened = left.ok() && left.value == 0;
      }
      happened += s.happened;
    }
    if (happened > 0) break;
    if (wasi.config.slice != 0) return Answer::wait();
  }
  wasi.waiting.reset();

  // All subscriptions have been read: the events may lie over them.
  uint32_t events = 0;
  for (const Subscription& s : subscriptions) {
    if (!s.happened) continue;
    using E = layout::Event;
    uint32_t at = out + events++ * E::size;
    std::memset(memory.at(at), 0, E::size);
    memory.store<uint64_t>(at + E::userdata, s.userdata);
    memory.store<uint16_t>(at + E::error, static_cast<uint16_t>(s.error));
    memory.store<uint8_t>(at + E::type, static_cast<uint8_t>(s.type));
    memory.store<uint64_t>(at + E::nbytes, s.nbytes);
    memory.store<uint16_t>(at + E::flags, s.flags);
  }
  memory.store<uint32_t>(nevents, events);
  return Errno::Success;
}

}  // namespace

Answer poll_oneoff(Call& call, uint32_t in, uint32_t out, uint32_t nsubscriptions, uint32_t nevents) {
  return poll<layout::Subscription>(call, in, out, nsubscriptions, nevents);
}

Answer unstable_poll_oneoff(Call& call, uint32_t in, uint32_t out, uint32_t nsubscriptions, uint32_t nevents) {
  return poll<layout::UnstableSubscription>(call, in, out, nsubscriptions, nevents);
}

}  // namespace chiwawa::wasi::preview1
