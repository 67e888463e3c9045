#pragma once

#include <string>
#include <utility>

#include "test/support/http2_peer.h"
#include "test/support/net_session.h"

namespace sluice::test {

/// A door and a client that is connected to it.
struct Http2Link {
  explicit Http2Link(const net::ServerOptions& options = {}, const net::RouteOptions& route = {},
                     std::size_t ledger = 128 << 20, std::uint32_t window = 1 << 20)
      : door(options, route, ledger), peer(window) {
    exchange();
    exchange();
  }
  /// Until both sides have said what they have to say.
  void exchange() {
    for (std::string out = peer.output(); !out.empty(); out = peer.output()) {
      peer.receive(door.send(out));
    }
    peer.receive(door.output());
  }
  void pass(Executor::Duration time) {
    peer.receive(door.pass(time));
    exchange();
  }
  const Http2Peer::Reply& grpc(std::string_view message, Http2Peer::Fields more = {}) {
    const std::int32_t stream = peer.grpc(NetSession::method, message, std::move(more));
    exchange();
    return peer.reply(stream);
  }
  double ended(const std::string& reason) const {
    return door.metrics.value("sluice_connections_ended", {{"reason", reason}});
  }

  NetSession door;
  Http2Peer peer;
};

/// The status and its message, wherever they stand.
inline std::string grpc_status(const Http2Peer::Reply& reply) {
  const std::string trailer = reply.trailer("grpc-status");
  return trailer.empty() ? reply.field("grpc-status") : trailer;
}
inline std::string grpc_text(const Http2Peer::Reply& reply) {
  const std::string trailer = reply.trailer("grpc-message");
  return trailer.empty() ? reply.field("grpc-message") : trailer;
}

}  // namespace sluice::test
