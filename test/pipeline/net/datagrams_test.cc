#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "pipeline/net/listen_socket.h"
#include "pipeline/net/server.h"

namespace sluice::net {
namespace {

using std::chrono::seconds;

class CountingService final : public DatagramService {
 public:
  void receive(std::span<const Datagram> datagrams, std::size_t) override {
    received += datagrams.size();
  }
  void dropped_by_kernel(std::uint64_t count) override { dropped += count; }
  std::atomic<std::uint64_t> received = 0, dropped = 0;
};

/// Sends to a port of this machine and keeps account of what comes back as refused.
class Sender {
 public:
  explicit Sender(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    const int on = 1;
    REQUIRE(::setsockopt(socket_.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0);
  }

  /// False when what was sent before has been refused, and this was not sent.
  bool send(const std::string& bytes) {
    if (::send(socket_.get(), bytes.data(), bytes.size(), 0) < 0) return false;
    ++sent;
    return true;
  }
  /// Waits for a refusal, ten seconds at most.
  bool next_refusal() {
    pollfd wait{socket_.get(), 0, 0};
    if (::poll(&wait, 1, 10'000) != 1) return false;
    char room[512];
    msghdr message{};
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    if (::recvmsg(socket_.get(), &message, MSG_ERRQUEUE) < 0) return false;
    ++refused;
    return true;
  }

  std::atomic<std::uint64_t> sent = 0;
  std::uint64_t refused = 0;

 private:
  Descriptor socket_;
};

}  // namespace

TEST_CASE("a datagram that comes while its door shuts is taken, dropped or refused",
          "[datagrams]") {
  const std::size_t workers = GENERATE(1U, 3U);
  const Endpoint endpoint{"127.0.0.1", 0, ""};
  CountingService service;
  Metrics metrics;
  Ledger ledger(1 << 20);
  EventLoops loops(workers);
  Listeners listeners(loops, ledger, metrics);
  std::string error;
  REQUIRE(listeners.datagrams("test", endpoint, {.size_max = 100, .buffer_size = 20'000}, service,
                              error));
  loops.start();
  REQUIRE(listeners.open(error));
  Sender sender(listeners.datagram_port(endpoint));

  std::thread flood([&] {
    while (sender.sent < 2'000'000 && sender.send("a datagram")) continue;
  });
  while (sender.sent < 1000) std::this_thread::yield();
  std::promise<void> stopped;
  listeners.stop(seconds(5), [&] { stopped.set_value(); });
  stopped.get_future().wait();
  flood.join();
  loops.stop();

  const std::uint64_t told = service.received + service.dropped;
  while (told + sender.refused < sender.sent && sender.next_refusal()) continue;
  CHECK(service.received > 0);
  CHECK(sender.sent == told + sender.refused);
}

}  // namespace sluice::net
