#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "test/support/socket_server.h"

namespace sluice::test {

/// An HTTP/1.1 server that answers every request with the bytes that a test says.
class HttpServer {
 public:
  struct Seen {
    std::string line;                            ///< "POST /v1/traces HTTP/1.1"
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
    std::size_t connection = 0;  ///< counted from 1
    std::string server_name;     ///< by SNI
  };
  struct Answer {
    std::string bytes;                   ///< empty: no answer
    bool close = false;                  ///< hang up behind it
    bool before_body = false;            ///< do not read the body at all
    std::function<void(Peer&)> instead;  ///< takes the connection over
  };
  /// Called when the head is there, without the body.
  using Script = std::function<Answer(const Seen& seen)>;

  explicit HttpServer(Script script) : HttpServer(SocketServerOptions{}, std::move(script)) {}
  HttpServer(SocketServerOptions options, Script script);

  std::string address() const { return server_.address(); }
  std::uint16_t port() const { return server_.port(); }
  std::vector<Seen> seen() const;
  void wait_for_seen(std::size_t count);
  SocketServer& sockets() { return server_; }

 private:
  void serve(Peer& peer);
  Script script_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Seen> seen_;
  std::size_t connections_ = 0;
  SocketServer server_;  // last: its threads end before the rest goes
};

std::string http_response(std::string_view status, std::string_view body = "",
                          std::string_view headers = "");

}  // namespace sluice::test
