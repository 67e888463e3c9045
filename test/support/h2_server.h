#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "test/support/socket_server.h"

namespace sluice::test {

/// An HTTP/2 server that answers every request as a test says; a reference that owes nothing to the
/// doors of the product.
class H2Server {
 public:
  struct Seen {
    std::map<std::string, std::string> headers;
    std::string body;
    std::size_t connection = 0;  ///< counted from 1
    std::string server_name;     ///< by SNI
  };
  struct Answer {
    std::vector<std::pair<std::string, std::string>> headers = {
        {":status", "200"}, {"content-type", "application/grpc"}};
    std::string body;
    std::vector<std::pair<std::string, std::string>> trailers = {{"grpc-status", "0"}};
    std::uint32_t reset = 0;     ///< HTTP/2 error code instead of an answer
    bool silent = false;         ///< no answer at all
    bool close = false;          ///< hang up instead
    bool goaway_before = false;  ///< refuse this stream and all later ones with GOAWAY
    bool goaway_after = false;   ///< the answer, then GOAWAY
  };
  using Script = std::function<Answer(const Seen& seen)>;
  struct Options {
    SocketServerOptions socket;
    std::uint32_t streams_max = 100;
    std::uint32_t window = 65535;
    bool settings = true;  ///< else it stays silent after the connection opened
    bool ack_pings = true;
    bool answer_at_headers = false;  ///< without waiting for the body
  };

  explicit H2Server(Script script) : H2Server(Options{}, std::move(script)) {}
  H2Server(Options options, Script script);

  std::string address() const { return server_.address(); }
  std::uint16_t port() const { return server_.port(); }
  std::vector<Seen> seen() const;
  std::uint32_t streams_at_once() const;
  std::size_t resets() const;
  /// Waits until that many requests were seen, or stream resets came.
  void wait_for_seen(std::size_t count);
  void wait_for_resets(std::size_t count);
  void wait_for_pings(std::size_t count);
  SocketServer& sockets() { return server_; }

 private:
  struct Connection;
  void serve(Peer& peer);

  Options options_;
  Script script_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Seen> seen_;
  std::uint32_t streams_at_once_ = 0;
  std::size_t connections_ = 0;
  std::size_t resets_ = 0;
  std::size_t pings_ = 0;
  SocketServer server_;  // last: its threads end before the rest goes
};

/// A message with its five bytes in front.
std::string grpc_message(std::string_view message, bool compressed = false);

}  // namespace sluice::test
