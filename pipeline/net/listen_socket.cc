#include "pipeline/net/listen_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace sluice::net {
namespace {

constexpr int backlog = 4096;

std::string because(const Endpoint& endpoint, const std::string& why) {
  return "cannot listen on " + endpoint.to_string() + ": " + why;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

/// errno says why not. `type`: SOCK_STREAM, or SOCK_DGRAM, which is bound alone.
Descriptor bind_and_listen(int family, int type, const sockaddr* address, socklen_t size) {
  Descriptor socket(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return {};
  const int on = 1, off = 0;
  if (family != AF_UNIX && type == SOCK_STREAM) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // Accepted sockets inherit these: a call less for each connection.
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  if (family == AF_INET6) {
    const bool any = std::memcmp(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr,
                                 &in6addr_any, sizeof in6addr_any) == 0;
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, any ? &off : &on, sizeof on);
  }
  if (::bind(socket.get(), address, size) != 0) return {};
  if (type == SOCK_STREAM && ::listen(socket.get(), backlog) != 0) return {};
  return socket;
}

std::uint16_t bound_port(const Descriptor& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
}

Descriptor listen_on_address(const std::string& host, std::uint16_t port, int type,
                             std::string& why) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = type;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(list);
  if (failed != 0) {
    why = ::gai_strerror(failed);
    return {};
  }
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    if (Descriptor socket = bind_and_listen(each->ai_family, type, each->ai_addr, each->ai_addrlen))
      return socket;
    why = std::strerror(errno);
  }
  return {};
}

std::vector<Descriptor> listen_ip(const Endpoint& endpoint, int type, std::uint16_t& port,
                                  std::string& error) {
  std::vector<std::string> hosts = {endpoint.host};
  if (endpoint.host.empty()) hosts = {"::", "0.0.0.0"};
  if (endpoint.host == "localhost") hosts = {"127.0.0.1", "::1"};
  std::vector<Descriptor> sockets;
  std::string why;
  port = endpoint.port;
  for (const std::string& host : hosts) {
    Descriptor socket = listen_on_address(host, port, type, why);
    if (!socket) continue;
    port = bound_port(socket);
    sockets.push_back(std::move(socket));
    if (endpoint.host.empty()) break;  // "::" takes IPv4 as well
  }
  // Of the two loopback addresses a host may have one alone; but another's socket on either is in
  // the way.
  const bool taken = endpoint.host == "localhost" && sockets.size() == 1 &&
                     why == std::strerror(EADDRINUSE) && endpoint.port != 0;
  if (sockets.empty() || taken) {
    error = because(endpoint, why);
    return {};
  }
  return sockets;
}

/// Empty when the path is free, or was left behind by a process that is gone and has been removed.
std::string clear_stale(const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(address.sun_path, &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return "the file exists and is no socket";
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const bool refused =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno == ECONNREFUSED;
  if (!refused) return "another process listens there";
  if (::unlink(address.sun_path) != 0)
    return std::string("the stale socket cannot be removed: ") + std::strerror(errno);
  return {};
}

std::vector<Descriptor> listen_unix(const Endpoint& endpoint, std::string& error) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (endpoint.unix_path.size() >= sizeof address.sun_path) {
    error = because(endpoint, "the path of a unix socket has at most 107 bytes");
    return {};
  }
  endpoint.unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (const std::string why = clear_stale(address); !why.empty()) {
    error = because(endpoint, why);
    return {};
  }
  std::vector<Descriptor> sockets;
  Descriptor socket = bind_and_listen(AF_UNIX, SOCK_STREAM,
                                      reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (socket)
    sockets.push_back(std::move(socket));
  else
    error = because(endpoint, std::strerror(errno));
  return sockets;
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

std::vector<Descriptor> listen_on(const Endpoint& endpoint, std::uint16_t& port,
                                  std::string& error) {
  if (!endpoint.unix_path.empty()) return listen_unix(endpoint, error);
  return listen_ip(endpoint, SOCK_STREAM, port, error);
}

std::vector<Descriptor> bind_datagrams(const Endpoint& endpoint, std::uint16_t& port,
                                       std::string& error) {
  return listen_ip(endpoint, SOCK_DGRAM, port, error);
}

}  // namespace sluice::net
