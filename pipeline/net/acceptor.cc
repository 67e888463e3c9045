#include "pipeline/net/acceptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "pipeline/log.h"

namespace sluice::net {
namespace {

using boost::asio::posix::stream_descriptor;

constexpr int accepts_per_turn = 64;
constexpr auto back_off = std::chrono::milliseconds(100);

std::string address_text(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&address)->sin_addr, text.data(),
                text.size());
  } else if (address.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr, text.data(),
                text.size());
  }
  const std::string_view view(text.data());
  constexpr std::string_view mapped = "::ffff:";  // IPv4 that came to an IPv6 socket
  return std::string(
      view.starts_with(mapped) && view.find('.') != view.npos ? view.substr(mapped.size()) : view);
}

Descriptor open_spare() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

class Acceptor::Socket {
 public:
  Socket(Acceptor& owner, EventLoop& loop, Descriptor socket)
      : owner_(owner), loop_(loop), descriptor_(loop.context(), socket.release()) {}

  void wait() {
    descriptor_.async_wait(stream_descriptor::wait_read,
                           [this](const boost::system::error_code& error) {
                             if (!error) owner_.accept_from(*this);
                           });
  }
  void wait_after(Executor::Duration delay) {
    timer_ = loop_.after(delay, [this] { wait(); });
  }
  int get() { return descriptor_.native_handle(); }
  int get() const { return const_cast<stream_descriptor&>(descriptor_).native_handle(); }

 private:
  Acceptor& owner_;
  EventLoop& loop_;
  stream_descriptor descriptor_;
  Timer timer_;
};

Acceptor::Acceptor(EventLoop& loop, const Door& door,
                   std::vector<std::unique_ptr<ConnectionSet>>& sets, Metrics& metrics,
                   std::vector<Descriptor> sockets)
    : loop_(loop),
      door_(door),
      sets_(sets),
      spare_(open_spare()),
      caps_(door.options()),
      open_(metrics.gauge("sluice_connections", "Open connections",
                          {{"endpoint", door.endpoint().to_string()}})),
      refused_total_(metrics.counter(
          "sluice_connections_refused", "Connections closed as soon as they came, by reason",
          {{"endpoint", door.endpoint().to_string()}, {"reason", "connections_max"}})),
      refused_peer_(metrics.counter(
          "sluice_connections_refused", "",
          {{"endpoint", door.endpoint().to_string()}, {"reason", "connections_per_peer_max"}})),
      refused_descriptors_(
          metrics.counter("sluice_connections_refused", "",
                          {{"endpoint", door.endpoint().to_string()}, {"reason", "descriptors"}})) {
  for (Descriptor& socket : sockets)
    sockets_.push_back(std::make_unique<Socket>(*this, loop_, std::move(socket)));
}

Acceptor::~Acceptor() = default;

void Acceptor::start() {
  for (const auto& socket : sockets_) socket->wait();
}

void Acceptor::stop() {
  sockets_.clear();
  if (const std::string& path = door_.endpoint().unix_path; !path.empty()) ::unlink(path.c_str());
}

void Acceptor::accept_from(Socket& socket) {
  for (int turn = 0; turn < accepts_per_turn; ++turn) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Descriptor connection(::accept4(socket.get(), reinterpret_cast<sockaddr*>(&address), &size,
                                    SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection) {
      take(std::move(connection), address_text(address));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      give_up_one(socket);
      return socket.wait_after(back_off);
    }
    // Anything else was the fault of the connection that came (aborted, reset): on to the next.
  }
  socket.wait();
}

void Acceptor::take(Descriptor connection, std::string peer) {
  if (!admit(peer)) return;
  open_.add(1);
  ConnectionSet& set = *sets_[next_set_];
  next_set_ = (next_set_ + 1) % sets_.size();
  auto hand_over = [this, &set, peer, held = std::move(connection)]() mutable {
    set.adopt(door_, held.release(), peer, [this, peer] { closed(peer); });
  };
  if (set.loop().is_current())
    hand_over();
  else
    set.loop().post(std::move(hand_over));
}

bool Acceptor::admit(const std::string& peer) {
  switch (caps_.admit(peer)) {
    case ConnectionCaps::Verdict::admitted: return true;
    case ConnectionCaps::Verdict::too_many:
      refused_total_.add(1);
      log::limited(log::Level::warn, "connections are refused: too many are open",
                   {{"endpoint", door_.endpoint().to_string()}});
      return false;
    case ConnectionCaps::Verdict::too_many_of_peer:
      refused_peer_.add(1);
      log::limited(log::Level::warn, "connections are refused: too many of one peer are open",
                   {{"endpoint", door_.endpoint().to_string()}, {"peer", peer}});
      return false;
  }
  return false;
}

/// No descriptor is left: the spare one makes room to accept and close, so that the peer learns at
/// once.
void Acceptor::give_up_one(const Socket& socket) {
  refused_descriptors_.add(1);
  log::limited(log::Level::warn, "connections are refused: no file descriptor is left",
               {{"endpoint", door_.endpoint().to_string()}});
  spare_ = {};
  { const Descriptor closed(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC)); }
  spare_ = open_spare();
}

void Acceptor::closed(const std::string& peer) {
  if (!loop_.is_current()) return loop_.post([this, peer] { closed(peer); });
  caps_.closed(peer);
  open_.add(-1);
}

}  // namespace sluice::net
