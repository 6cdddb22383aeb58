// sock_*, fd_read, fd_write and poll_oneoff on sockets, with somebody at the other end. All on 127.0.0.1.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "wasi_fixture.hpp"

using namespace wasi_test;
using wasi::DescriptorKind;

namespace {

constexpr uint32_t kListener = 4;
constexpr uint64_t kSlice = 1'000'000;

wasi::Config listening(const TempDir& dir, uint64_t slice = 0) {
  auto config = Guest::in(dir, slice);
  config.listeners = {{"127.0.0.1:0", -1}};
  return config;
}

class Client {
 public:
  explicit Client(Guest& guest) {
    const std::string where = guest.wasi().listening_on().at(0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(where.substr(where.rfind(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Client() { leave(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view text) {
    REQUIRE(::send(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }
  void no_more() { REQUIRE(shutdown(fd_, SHUT_WR) == 0); }
  void leave() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  /// Leaves with a reset.
  void abort() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    leave();
  }
  /// What comes within a second, at most `size` bytes; "END" at the end.
  std::string receive(size_t size = 100) {
    pollfd ready{fd_, POLLIN, 0};
    REQUIRE(poll(&ready, 1, 1000) == 1);
    std::string text(size, '\0');
    const ssize_t n = recv(fd_, text.data(), size, 0);
    if (n == 0) return "END";
    text.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return text;
  }

 private:
  int fd_ = -1;
};

uint32_t accept(Guest& guest, uint32_t flags = 0) {
  REQUIRE(guest.call("sock_accept", {kListener, flags, kResult}) == Errno::Success);
  return guest.load<uint32_t>(kResult);
}

void one_buffer(Guest& guest, uint32_t size) {
  guest.store<uint32_t>(kIovecs, kData);
  guest.store<uint32_t>(kIovecs + 4, size);
}

Errno receive(Guest& guest, uint32_t fd, uint32_t size, uint32_t flags = 0) {
  one_buffer(guest, size);
  Errno e = guest.call("sock_recv", {fd, kIovecs, 1, flags, kResult, kResult + 4});
  if (e == Errno::Success) guest.got = guest.text(kData, guest.load<uint32_t>(kResult));
  return e;
}

Errno send(Guest& guest, uint32_t fd, std::string_view text) {
  one_buffer(guest, guest.put(text, kData));
  return guest.call("sock_send", {fd, kIovecs, 1, 0, kResult});
}

}  // namespace

TEST_CASE("Bytes go both ways", "[wasi][sock]") {
  TempDir dir;
  Guest guest(listening(dir));
  Client client(guest);
  const uint32_t fd = accept(guest);
  CHECK(fd == 5);
  client.send("hello, world");
  REQUIRE(receive(guest, fd, 5, wasi::riflag::Peek) == Errno::Success);
  CHECK(guest.got == "hello");
  REQUIRE(receive(guest, fd, 5) == Errno::Success);
  CHECK(guest.got == "hello");
  REQUIRE(guest.read(fd, 100) == Errno::Success);
  CHECK(guest.got == ", world");
  REQUIRE(send(guest, fd, "one") == Errno::Success);
  CHECK(guest.load<uint32_t>(kResult) == 3);
  CHECK(client.receive() == "one");
  REQUIRE(guest.write(fd, "two") == Errno::Success);
  CHECK(client.receive() == "two");

  CHECK(guest.call("sock_shutdown", {fd, 0}) == Errno::Inval);
  CHECK(guest.call("sock_shutdown", {fd, 4}) == Errno::Inval);
  REQUIRE(guest.call("sock_shutdown", {fd, wasi::sdflag::Write}) == Errno::Success);
  CHECK(client.receive() == "END");
  CHECK(send(guest, fd, "more") == Errno::Pipe);
  client.send("last");
  client.no_more();
  REQUIRE(receive(guest, fd, 100, wasi::riflag::Waitall) == Errno::Success);
  CHECK(guest.got == "last");
  REQUIRE(receive(guest, fd, 100) == Errno::Success);
  CHECK(guest.got.empty());
  REQUIRE(guest.call("fd_close", {fd}) == Errno::Success);
  CHECK(receive(guest, fd, 1) == Errno::Badf);
}

TEST_CASE("What is wrong with a call on a connection", "[wasi][sock]") {
  TempDir dir;
  Guest guest(listening(dir));
  Client client(guest);
  const uint32_t fd = accept(guest, fdflag::Nonblock);
  CHECK(receive(guest, fd, 1) == Errno::Again);
  CHECK(receive(guest, fd, 1, 4) == Errno::Inval);
  CHECK(guest.call("sock_send", {fd, kIovecs, 1, 1, kResult}) == Errno::Inval);
  CHECK(guest.call("sock_accept", {fd, 0, kResult}) == Errno::Notcapable);
  CHECK(guest.call("fd_seek", {fd, 0, 0, kResult}) == Errno::Spipe);
  CHECK(guest.call("fd_readdir", {fd, kData, 10, 0, kResult}) == Errno::Notdir);
  client.send("text");
  CHECK(guest.call("sock_recv", {fd, kSizeBytes - 4, 1, 0, kResult, kResult}) == Errno::Fault);
  CHECK(guest.call("sock_recv", {fd, kIovecs, 1, 0, kSizeBytes - 3, kResult}) == Errno::Fault);
  CHECK(guest.call("sock_recv", {fd, kIovecs, 1, 0, kResult, kSizeBytes - 1}) == Errno::Fault);
  CHECK(guest.call("sock_send", {fd, kIovecs, 0x20000001, 0, kResult}) == Errno::Fault);
  one_buffer(guest, kSizeBytes);
  CHECK(guest.call("sock_recv", {fd, kIovecs, 1, 0, kResult, kResult}) == Errno::Fault);
  CHECK(guest.call("sock_send", {fd, kIovecs, 1, 0, kResult}) == Errno::Fault);
  REQUIRE(receive(guest, fd, 100) == Errno::Success);
  CHECK(guest.got == "text");  // none of these took anything
  REQUIRE(receive(guest, fd, 0) == Errno::Success);
  CHECK(guest.got.empty());
  client.abort();
  CHECK(receive(guest, fd, 1) == Errno::Connreset);
  CHECK(send(guest, fd, "x") == Errno::Pipe);
  REQUIRE(guest.call("fd_fdstat_set_rights", {fd, 0, 0}) == Errno::Success);
  CHECK(receive(guest, fd, 1) == Errno::Notcapable);
  CHECK(send(guest, fd, "x") == Errno::Notcapable);
  CHECK(guest.call("sock_shutdown", {fd, 1}) == Errno::Notcapable);
}

TEST_CASE("Sockets wait in slices", "[wasi][sock]") {
  TempDir dir;
  Guest guest(listening(dir, kSlice));
  CHECK(guest.waits("sock_accept", {kListener, 0, kResult}));
  Client client(guest);
  const uint32_t fd = accept(guest);
  one_buffer(guest, 6);
  for (auto name : {"sock_recv", "all"}) {
    const uint32_t flags = name == std::string("all") ? wasi::riflag::Waitall : 0;
    CHECK(guest.waits("sock_recv", {fd, kIovecs, 1, flags, kResult, kResult + 4}));
  }
  // All six bytes, which come one after the other; what has come is in the buffer.
  for (char c : std::string("abcde")) {
    client.send(std::string(1, c));
    while (guest.text(kData, 5).find(c) == std::string::npos) {
      REQUIRE(guest.waits("sock_recv", {fd, kIovecs, 1, wasi::riflag::Waitall, kResult, kResult + 4}));
    }
  }
  client.send("fgh");
  REQUIRE(receive(guest, fd, 6, wasi::riflag::Waitall) == Errno::Success);
  CHECK(guest.got == "abcdef");
  REQUIRE(receive(guest, fd, 6) == Errno::Success);
  CHECK(guest.got == "gh");
  // A peer that does not read makes writing wait, and nothing is sent twice.
  const std::string block(60'000, 'x');
  size_t sent = 0;
  one_buffer(guest, guest.put(block, kData));
  for (;;) {
    const HostResult result = guest.call_raw("sock_send", {fd, kIovecs, 1, 0, kResult});
    if (result.kind == HostResult::Kind::Wait) break;
    sent += guest.load<uint32_t>(kResult);
    REQUIRE(sent < 100'000'000);
  }
  REQUIRE(guest.call("sock_shutdown", {fd, 2}) == Errno::Success);
  size_t received = 0;
  for (std::string part; (part = client.receive(1 << 20)) != "END";) received += part.size();
  CHECK(received == sent);
}

TEST_CASE("After a restore listeners listen and connections are reset", "[wasi][sock][restore]") {
  TempDir dir;
  auto config = listening(dir);
  Guest guest(config);
  Client client(guest);
  const uint32_t fd = accept(guest);
  client.send("never read");
  auto state = guest.save();
  REQUIRE(state.descriptors.size() == 6);
  CHECK(state.descriptors[4].kind == DescriptorKind::Listener);
  CHECK(state.descriptors[4].address == guest.wasi().listening_on().at(0));
  CHECK(state.descriptors[5].kind == DescriptorKind::Connection);
  for (int round = 0; round < 2; ++round) {
    REQUIRE(guest.restore(state));
    CHECK(receive(guest, fd, 100) == Errno::Connreset);
    CHECK(guest.read(fd, 100) == Errno::Connreset);
    CHECK(send(guest, fd, "x") == Errno::Connreset);
    CHECK(guest.write(fd, "x") == Errno::Connreset);
    CHECK(guest.call("sock_shutdown", {fd, 1}) == Errno::Connreset);
    // poll_oneoff does not wait for it.
    guest.store<uint64_t>(kText, 7);
    guest.store<uint64_t>(kText + 8, 1);
    guest.store<uint64_t>(kText + 16, fd);
    REQUIRE(guest.call("poll_oneoff", {kText, kText2, 1, kResult}) == Errno::Success);
    CHECK(guest.load<uint64_t>(kText2) == 7);
    CHECK(guest.load<uint16_t>(kText2 + 24) == wasi::kEventFdReadwriteHangup);
    Client other(guest);
    const uint32_t fresh = accept(guest);
    other.send("hello");
    REQUIRE(receive(guest, fresh, 100) == Errno::Success);
    CHECK(guest.got == "hello");
    REQUIRE(guest.call("fd_close", {fresh}) == Errno::Success);
    state = guest.save();
  }

  std::vector<wasi::Verdict> verdicts;
  config.listeners.clear();
  auto refused = wasi::Wasi::restore(config, state, &verdicts);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().cause.find("descriptor 4: a listening socket, as it was on \"127.0.0.1:") != std::string::npos);
  CHECK(verdicts.back().kind == wasi::Verdict::Kind::Changed);
  // Forged: two descriptors of one listener, one that there is not.
  config = listening(dir);
  auto twice = state;
  twice.descriptors[5].kind = DescriptorKind::Listener;
  CHECK_FALSE(guest.restore(twice, config));
  twice.descriptors[5].listener = 0xFFFFFFFF;
  CHECK_FALSE(guest.restore(twice, config));
  // Rights are not widened.
  auto wide = state;
  wide.descriptors[5].rights_base = right::All;
  REQUIRE(guest.restore(wide, config));
  REQUIRE(guest.call("fd_fdstat_get", {fd, kResult}) == Errno::Success);
  CHECK(guest.load<uint64_t>(kResult + 8) == right::Connection);
}

TEST_CASE("Where the guest listened no more nobody listens after a restore", "[wasi][sock][restore]") {
  TempDir dir;
  auto config = listening(dir);
  config.listeners.push_back(config.listeners.front());
  Guest guest(config);
  REQUIRE(guest.call("fd_close", {kListener}) == Errno::Success);
  REQUIRE(guest.restore(guest.save(), config));
  const auto where = guest.wasi().listening_on();
  CHECK(where.at(0).empty());
  CHECK_FALSE(where.at(1).empty());
  CHECK(guest.call("sock_accept", {kListener, 0, kResult}) == Errno::Badf);
  CHECK(guest.is_open(kListener + 1));
}

TEST_CASE("Listeners that cannot be had", "[wasi][sock]") {
  TempDir dir;
  auto config = Guest::in(dir);
  const std::pair<wasi::Listener, const char*> bad[] = {
      {{"192.0.2.1:0", -1}, "cannot listen on 192.0.2.1:0: the address is not one of this host"},
      {{"no colon", -1}, "cannot listen on no colon"},
      {{"", 999}, "cannot listen on descriptor 999: it is not open"},
      {{"", 0}, "cannot listen on descriptor 0: it is no listening socket"},
  };
  for (const auto& [listener, problem] : bad) {
    config.listeners = {listener};
    auto made = wasi::Wasi::create(config);
    REQUIRE_FALSE(made);
    CHECK(made.error().phase == Phase::Io);
    CHECK(made.error().cause.find(problem) != std::string::npos);
  }
}
