#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "test/support/http2_peer.h"

namespace sluice::test {

/// A client that blocks, on a loopback port or a unix socket. Gives up after ten seconds, so that a
/// test fails and does not hang.
class SocketClient {
 public:
  explicit SocketClient(std::uint16_t port, const std::string& from = "127.0.0.1");
  explicit SocketClient(const std::string& unix_path);
  ~SocketClient();
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view bytes);
  void end_sending();
  /// What comes next; empty when the other side has closed.
  std::string receive();
  /// Reads until `text` has come (or the end); returns everything that came.
  std::string receive_until(std::string_view text);
  std::string receive_to_end();

 private:
  void set_timeouts() const;
  int socket_ = -1;
  bool connected_ = false;
};

/// One gRPC call at a time over a socket.
class GrpcSocketClient {
 public:
  explicit GrpcSocketClient(std::uint16_t port) : socket_(port) {}
  const Http2Peer::Reply& call(std::string_view path, std::string_view message,
                               Http2Peer::Fields more = {});
  /// Exchanges bytes until `done` says so or the connection ends; false for the latter.
  template <typename Done>
  bool run_until(Done done) {
    for (;;) {
      if (const std::string out = peer.output(); !out.empty()) socket_.send(out);
      if (done()) return true;
      const std::string in = socket_.receive();
      if (in.empty()) return false;
      peer.receive(in);
    }
  }
  Http2Peer peer;

 private:
  SocketClient socket_;
};

}  // namespace sluice::test
