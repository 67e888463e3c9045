#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/net/event_loop.h"

namespace sluice::net {

/// Where a socket connects to: IPv4, IPv6 or a unix path.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  std::string text;  ///< "127.0.0.1:4317", "[::1]:4317", "unix:/run/x.sock"

  static std::optional<SocketAddress> of_ip(std::string_view ip, std::uint16_t port);
  static std::optional<SocketAddress> of_unix_path(std::string_view path);
  bool operator==(const SocketAddress& other) const { return text == other.text; }
};

/// Names to addresses, by the system's resolver in a thread that starts with the first name (an
/// address that is written out needs none). Lives on the loop.
class Resolver {
 public:
  /// No addresses: `error` says why.
  using Done = UniqueFunction<void(std::vector<SocketAddress>, std::string error)>;
  explicit Resolver(EventLoop& loop);
  ~Resolver();  ///< what is under way is never called
  /// `done` is called on the loop, never inside this call.
  void resolve(const std::string& host, std::uint16_t port, Done done);

 private:
  struct State;
  EventLoop& loop_;
  std::shared_ptr<State> state_;
};

}  // namespace sluice::net
