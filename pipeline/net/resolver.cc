#include "pipeline/net/resolver.h"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstring>

namespace sluice::net {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

template <typename Endpoint>
SocketAddress from_endpoint(const Endpoint& endpoint, std::string text) {
  SocketAddress address;
  std::memcpy(&address.storage, endpoint.data(), endpoint.size());
  address.size = static_cast<socklen_t>(endpoint.size());
  address.text = std::move(text);
  return address;
}

SocketAddress from_tcp(const tcp::endpoint& endpoint) {
  const asio::ip::address ip = endpoint.address();
  const std::string host = ip.is_v6() ? "[" + ip.to_string() + "]" : ip.to_string();
  return from_endpoint(endpoint, host + ":" + std::to_string(endpoint.port()));
}

}  // namespace

std::optional<SocketAddress> SocketAddress::of_ip(std::string_view ip, std::uint16_t port) {
  boost::system::error_code error;
  const asio::ip::address address = asio::ip::make_address(std::string(ip), error);
  if (error) return std::nullopt;
  return from_tcp({address, port});
}

std::optional<SocketAddress> SocketAddress::of_unix_path(std::string_view path) {
  if (path.empty() || path.size() > 107) return std::nullopt;  // sun_path
  const asio::local::stream_protocol::endpoint endpoint{std::string(path)};
  return from_endpoint(endpoint, "unix:" + std::string(path));
}

struct Resolver::State {
  explicit State(asio::io_context& context) : resolver(context) {}
  tcp::resolver resolver;
};

Resolver::Resolver(EventLoop& loop)
    : loop_(loop), state_(std::make_shared<State>(loop.context())) {}
Resolver::~Resolver() { state_->resolver.cancel(); }

void Resolver::resolve(const std::string& host, std::uint16_t port, Done done) {
  std::weak_ptr<State> alive = state_;
  if (std::optional<SocketAddress> literal = SocketAddress::of_ip(host, port)) {
    loop_.post([alive, address = std::move(*literal), call = std::move(done)]() mutable {
      if (alive.lock()) call({std::move(address)}, {});
    });
    return;
  }
  state_->resolver.async_resolve(
      host, std::to_string(port),
      tcp::resolver::numeric_service | tcp::resolver::address_configured,
      [alive, call = std::make_shared<Done>(std::move(done)), host, port](
          const boost::system::error_code& error, const tcp::resolver::results_type& results) {
        if (!alive.lock()) return;
        std::vector<SocketAddress> addresses;
        for (const auto& entry : results) addresses.push_back(from_tcp(entry.endpoint()));
        // This host's own name is not to depend on a file that small containers lack (RFC
        // 6761, 6.3).
        if (addresses.empty() && host == "localhost")
          addresses.push_back(from_tcp({asio::ip::address_v4::loopback(), port}));
        std::string reason;
        if (addresses.empty()) reason = "cannot resolve \"" + host + "\": " + error.message();
        (*call)(std::move(addresses), std::move(reason));
      });
}

}  // namespace sluice::net
