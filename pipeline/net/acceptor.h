#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/net/connection_caps.h"
#include "pipeline/net/connection_set.h"
#include "pipeline/net/door.h"
#include "pipeline/net/listen_socket.h"

namespace sluice::net {

/// Takes the connections that come to one door and deals them out to the loops in turn: what the
/// kernel would do by itself (SO_REUSEPORT) is uneven when senders are few. Lives on one loop.
/// Connections over the caps are accepted and closed, because left in the backlog they would be
/// found there again and again.
class Acceptor {
 public:
  Acceptor(EventLoop& loop, const Door& door, std::vector<std::unique_ptr<ConnectionSet>>& sets,
           Metrics& metrics, std::vector<Descriptor> sockets);
  ~Acceptor();

  void start();
  /// Closes the listening sockets.
  void stop();

 private:
  class Socket;
  void accept_from(Socket& socket);
  void take(Descriptor connection, std::string peer);
  bool admit(const std::string& peer);
  void give_up_one(const Socket& socket);
  void closed(const std::string& peer);

  EventLoop& loop_;
  const Door& door_;
  std::vector<std::unique_ptr<ConnectionSet>>& sets_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  Descriptor spare_;  ///< given up for a moment when the process has no descriptor left
  std::size_t next_set_ = 0;
  ConnectionCaps caps_;
  Gauge& open_;
  Counter& refused_total_;
  Counter& refused_peer_;
  Counter& refused_descriptors_;
};

}  // namespace sluice::net
