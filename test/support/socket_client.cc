#include "test/support/socket_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

namespace sluice::test {
namespace {

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

}  // namespace

SocketClient::SocketClient(std::uint16_t port, const std::string& from)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  set_timeouts();
  const sockaddr_in local = address_of(from, 0), remote = address_of("127.0.0.1", port);
  connected_ = ::bind(socket_, reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0 &&
               ::connect(socket_, reinterpret_cast<const sockaddr*>(&remote), sizeof remote) == 0;
}

SocketClient::SocketClient(const std::string& unix_path)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  set_timeouts();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
  connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

SocketClient::~SocketClient() { ::close(socket_); }

void SocketClient::set_timeouts() const {
  const timeval limit{10, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void SocketClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

void SocketClient::end_sending() { ::shutdown(socket_, SHUT_WR); }

std::string SocketClient::receive() {
  std::array<char, 65536> buffer;
  const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), 0);
  return size <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
}

std::string SocketClient::receive_until(std::string_view text) {
  std::string all;
  while (all.find(text) == std::string::npos) {
    const std::string more = receive();
    if (more.empty()) break;
    all += more;
  }
  return all;
}

std::string SocketClient::receive_to_end() {
  std::string all;
  for (std::string more = receive(); !more.empty(); more = receive()) all += more;
  return all;
}

const Http2Peer::Reply& GrpcSocketClient::call(std::string_view path, std::string_view message,
                                               Http2Peer::Fields more) {
  const std::int32_t stream = peer.grpc(path, message, std::move(more));
  run_until([&] { return peer.reply(stream).ended; });
  return peer.reply(stream);
}

}  // namespace sluice::test
