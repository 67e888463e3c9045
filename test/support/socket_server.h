#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "test/support/certificates.h"

namespace sluice::test {

/// The far end of one connection, blocking.
class Peer {
 public:
  virtual ~Peer() = default;
  /// Some bytes; empty: the connection is over.
  virtual std::string read() = 0;
  virtual bool write(std::string_view bytes) = 0;
  virtual std::string protocol() const = 0;     ///< by ALPN
  virtual std::string server_name() const = 0;  ///< by SNI
};

struct SocketServerOptions {
  std::string unix_path;  ///< else 127.0.0.1, any port
  std::optional<Certificate> tls;
  std::string client_authority;  ///< PEM; a client certificate is required
  bool accept_tls13 = true;
};

/// A server that a test scripts: `serve` runs once per connection, on a thread of its own, and the
/// connection closes when it returns. The destructor ends all of them.
class SocketServer {
 public:
  using Serve = std::function<void(Peer& peer)>;
  explicit SocketServer(Serve serve) : SocketServer(SocketServerOptions{}, std::move(serve)) {}
  SocketServer(SocketServerOptions options, Serve serve);
  ~SocketServer();
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::size_t connection_count() const;
  /// Waits until that many connections are over.
  void wait_for_closed(std::size_t count);
  /// Breaks every open connection; new ones are accepted.
  void break_connections();

 private:
  struct Connection;
  void accept_all();
  void run(Connection& connection);

  SocketServerOptions options_;
  Serve serve_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t closed_ = 0;
  std::list<Connection> connections_;
  std::thread acceptor_;
};

/// Carries bytes between `peer` and a port on loopback until one side ends.
void tunnel(Peer& peer, std::uint16_t port);

/// A port on loopback on which nobody listens.
std::uint16_t free_port();

}  // namespace sluice::test
