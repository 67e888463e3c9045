#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/net/event_loop.h"
#include "pipeline/net/listen_socket.h"
#include "pipeline/net/server.h"

namespace sluice::net {

/// One address on which datagrams are taken. A socket is read by one loop, up to `round_max`
/// datagrams a call to the kernel, and handed to the service as one round. While rounds come full,
/// that is, while more is waiting, they are dealt out to the other loops in turn, so that reading
/// goes on while they are worked on.
///
/// Why one socket and not one for each worker (SO_REUSEPORT): the kernel would choose the socket by
/// the sender's address, and a Jaeger client sends from one port for ever; few clients would fill
/// the buffer of one worker while those of the others stay empty. With one socket the whole buffer
/// is there for any burst. And one reader: watched by all loops, each datagram would wake them all.
///
/// Nobody is told of a datagram that does not fit the kernel's buffer, so the count of these is
/// read from the socket: with each round (SO_RXQ_OVFL), every second and before it closes
/// (SO_MEMINFO). What was sent is what the service was given and what it was told was dropped.
class DatagramDoor {
 public:
  static constexpr std::size_t round_max = 32;

  DatagramDoor(EventLoops& loops, std::size_t home, const Endpoint& endpoint,
               const DatagramOptions& options, DatagramService& service);
  ~DatagramDoor();

  /// False with a sentence in `error` when the address cannot be had.
  bool open(std::string& error);
  /// After `open`, once the service may be called.
  void start();
  /// Lets nothing more in, takes what the kernel still holds, waits for the rounds that are being
  /// worked on. A datagram that comes during this is taken, counted as dropped or, as by a closed
  /// port, refused to its sender.
  void stop(Task done);

  const Endpoint& endpoint() const { return endpoint_; }
  std::uint16_t port() const { return port_; }
  /// Bytes of the kernel's receive buffer, as it counts them.
  std::size_t buffer_size() const { return buffer_size_; }

 private:
  class Socket;
  EventLoop& home() { return loops_[home_]; }

  EventLoops& loops_;
  const std::size_t home_;
  const Endpoint endpoint_;
  const DatagramOptions options_;
  DatagramService& service_;
  std::vector<Descriptor> opened_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::uint16_t port_ = 0;
  std::size_t buffer_size_ = 0;
};

}  // namespace sluice::net
