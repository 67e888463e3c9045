#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "pipeline/ledger.h"
#include "pipeline/metrics.h"
#include "pipeline/net/compression.h"
#include "pipeline/net/server.h"

namespace sluice::net {

/// A service at a path, and how the transport treats its requests.
struct Route {
  std::string component;
  RouteOptions options;
  Service* service = nullptr;

  /// The encoding that a header names, where this route takes it.
  std::optional<Encoding> encoding(std::string_view name) const;
};

/// What is offered on one address, and within which limits. Complete before the first connection,
/// read by all loops from then on; only `draining` changes.
class Door {
 public:
  Door(Endpoint endpoint, const ServerOptions& options, Metrics& metrics);
  ~Door();

  /// Empty, or why not.
  std::string add(std::string_view component, std::string path, const RouteOptions& options,
                  Service& service);

  /// Null where nothing is offered. "*" takes every path but those of gRPC.
  const Route* find(std::string_view path, bool is_grpc) const;
  bool offers_grpc() const { return !grpc_services_.empty(); }
  bool offers_grpc(std::string_view service) const {
    return grpc_services_.contains(std::string(service));
  }

  const Endpoint& endpoint() const { return endpoint_; }
  const ServerOptions& options() const { return options_; }
  bool draining() const { return draining_.load(std::memory_order_relaxed); }
  void drain() { draining_.store(true, std::memory_order_relaxed); }

  /// Connections closed by us, by reason.
  struct Ended {
    Counter& timeout;   ///< a deadline passed
    Counter& abuse;     ///< a budget against floods was used up
    Counter& protocol;  ///< what came was not HTTP
  };
  const Ended& ended() const { return ended_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  class Health;
  Endpoint endpoint_;
  ServerOptions options_;
  std::unordered_map<std::string, Route, Hash, std::equal_to<>> routes_;
  std::unordered_set<std::string> grpc_services_;
  std::unique_ptr<Health> health_;
  std::atomic<bool> draining_{false};
  Ended ended_;
};

/// What the requests of one connection have in common. Outlives none of them: each exchange copies
/// the references, and uses the peer only while it is attached.
struct ConnectionContext {
  const Door& door;
  Ledger& ledger;
  Executor& executor;
  std::string peer;
  std::size_t worker = 0;
};

}  // namespace sluice::net
