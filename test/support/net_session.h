#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/net/session.h"
#include "test/support/manual_executor.h"
#include "test/support/net_service.h"

namespace sluice::test {

/// A door with one service at "/v1/traces" and at a gRPC method, and one connection to it without a
/// socket: bytes in, bytes out, on a clock that the test moves.
class NetSession : private net::SessionHost {
 public:
  static constexpr std::string_view path = "/v1/traces";
  static constexpr std::string_view method = "/test.Traces/Export";

  explicit NetSession(const net::ServerOptions& options = {}, const net::RouteOptions& route = {},
                      std::size_t ledger_limit = 128 << 20)
      : ledger(ledger_limit),
        door(net::Endpoint{"127.0.0.1", 4317, ""}, options, metrics),
        context_{door, ledger, executor, "127.0.0.1", 0} {
    door.add("test", std::string(path), route, service);
    door.add("test", std::string(method), route, service);
    connect();
  }

  /// Another connection in the place of the one there was.
  void connect() { session_ = net::make_session(context_, *this); }
  void disconnect() { session_ = nullptr; }

  /// What comes back for these bytes at once.
  std::string send(std::string_view bytes) {
    session_->receive(bytes);
    return output();
  }
  std::string send_in_pieces(std::string_view bytes, std::size_t size) {
    std::string out;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size())))
      out += send(bytes.substr(0, size));
    return out;
  }
  /// As a connection reads from its socket: into the session's own room where it has some, else in
  /// pieces of `size` at most.
  std::string send_as_read(std::string_view bytes, std::size_t size) {
    std::string out;
    while (!bytes.empty()) {
      const std::span<char> room = session_->room();
      if (room.empty()) {
        const std::size_t piece = std::min({size, session_->read_max(), bytes.size()});
        session_->receive(bytes.substr(0, piece));
        bytes.remove_prefix(piece);
      } else {
        const std::size_t piece = std::min({size, room.size(), bytes.size()});
        std::memcpy(room.data(), bytes.data(), piece);
        session_->filled(piece);
        bytes.remove_prefix(piece);
      }
      out += output();
    }
    return out;
  }
  std::string output() {
    std::string out;
    for (std::size_t before = 1; before != out.size();) {
      before = out.size();
      session_->produce(out);
    }
    return out;
  }
  /// Moves the clock in steps of 100 ms, as a connection set looks after its timeouts; what comes
  /// back.
  std::string pass(Executor::Duration time) {
    std::string out;
    constexpr auto step = std::chrono::milliseconds(100);
    for (Executor::Duration passed{0}; passed < time; passed += step) {
      executor.advance(step);
      session_->tick(executor.now());
      out += output();
    }
    return out;
  }
  bool finished() const { return session_->finished(); }
  net::Session& session() { return *session_; }

  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger;
  NetService service;
  net::Door door;
  int pending = 0;  ///< how often the session asked to be flushed

 private:
  void output_pending() override { ++pending; }
  net::ConnectionContext context_;
  std::unique_ptr<net::Session> session_;
};

}  // namespace sluice::test
