#include "pipeline/net/client_stream.h"

#include <utility>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>
#include <vector>

#include "pipeline/net/tls_session.h"

namespace sluice::net {

namespace {

namespace asio = boost::asio;
using Socket = asio::generic::stream_protocol::socket;
using boost::system::error_code;

constexpr std::size_t read_size = 16 * 1024;
constexpr std::size_t pieces_max = 1024;  // IOV_MAX
constexpr std::size_t staging_size = 32 * 1024;
constexpr int reads_in_a_row_max = 16;  // then others on the loop get their turn
constexpr std::chrono::seconds connect_timeout{20};
constexpr std::chrono::seconds handshake_timeout{10};
constexpr std::chrono::seconds last_words_timeout{1};

class SocketStream final : public ClientStream {
 public:
  SocketStream(EventLoop& loop, const SocketAddress& address, Events& events)
      : loop_(loop), socket_(loop.context()), address_(address), events_(&events) {}

  void start();
  void secure(std::shared_ptr<TlsClient> tls, const std::string& host,
              std::string_view alpn) override;
  bool write(Gather& gather) override;
  void close() override;

 private:
  std::shared_ptr<SocketStream> self() {
    return std::static_pointer_cast<SocketStream>(shared_from_this());
  }
  void connected(const error_code& error);
  void handshake();
  void read_plain();
  void read_secure();
  bool write_plain(Gather& gather);
  bool write_secure(Gather& gather);
  void stage(Gather& gather);
  void wait(Socket::wait_type direction, void (SocketStream::*next)());
  void wait_writable();
  void stop_writing(std::string reason);
  void announce_connected();
  void writable() {
    if (events_ != nullptr) events_->on_writable();
  }
  void lose(const std::string& reason);
  void lose_later(std::string reason);

  EventLoop& loop_;
  Socket socket_;
  SocketAddress address_;
  Events* events_;
  Timer deadline_;
  std::unique_ptr<TlsSession> tls_;
  std::array<char, read_size> buffer_;
  std::vector<char> staging_;  // TLS alone: what is taken over for the session, from staged_ on
  std::size_t staged_ = 0;
  bool waits_to_write_ = false;
};

void SocketStream::start() {
  error_code error;
  socket_.open(asio::generic::stream_protocol(address_.storage.ss_family, 0), error);
  if (!error) socket_.non_blocking(true, error);
  if (error) return lose_later(error.message());
  if (address_.storage.ss_family != AF_UNIX) {
    socket_.set_option(asio::ip::tcp::no_delay(true), error);
    socket_.set_option(asio::socket_base::keep_alive(true), error);
  }
  deadline_ = loop_.after(connect_timeout,
                          [this] { lose("connecting to " + address_.text + " took too long"); });
  const asio::generic::stream_protocol::endpoint endpoint(&address_.storage, address_.size);
  socket_.async_connect(endpoint,
                        [stream = self()](const error_code& result) { stream->connected(result); });
}

void SocketStream::connected(const error_code& error) {
  if (events_ == nullptr) return;
  if (error) return lose("cannot connect to " + address_.text + ": " + error.message());
  deadline_.cancel();
  announce_connected();
  if (events_ != nullptr && tls_ == nullptr) read_plain();
}

void SocketStream::announce_connected() { events_->on_connected(); }

void SocketStream::secure(std::shared_ptr<TlsClient> tls, const std::string& host,
                          std::string_view alpn) {
  std::string error;
  // A reading that is under way (behind a proxy's answer) would take the handshake's bytes.
  error_code ignored;
  socket_.cancel(ignored);
  tls_ = TlsSession::create(*tls, socket_.native_handle(), host, alpn, error);
  if (tls_ == nullptr) return lose_later(std::move(error));
  deadline_ = loop_.after(handshake_timeout, [this] {
    lose("TLS handshake with " + address_.text + " took too long");
  });
  loop_.post([stream = self()] { stream->handshake(); });
}

void SocketStream::handshake() {
  if (events_ == nullptr) return;
  switch (tls_->handshake()) {
    case TlsSession::Want::read: return wait(Socket::wait_read, &SocketStream::handshake);
    case TlsSession::Want::write: return wait(Socket::wait_write, &SocketStream::handshake);
    case TlsSession::Want::closed:
    case TlsSession::Want::failed:
      return lose("TLS handshake with " + address_.text + ": " + tls_->error());
    case TlsSession::Want::nothing: break;
  }
  deadline_.cancel();
  announce_connected();
  read_secure();
}

void SocketStream::read_plain() {
  socket_.async_read_some(asio::buffer(buffer_), [stream = self()](const error_code& error,
                                                                   std::size_t size) {
    if (stream->events_ == nullptr || stream->tls_ != nullptr) return;
    if (error) {
      return stream->lose(error == asio::error::eof
                              ? "connection closed by " + stream->address_.text
                              : "reading from " + stream->address_.text + ": " + error.message());
    }
    stream->events_->on_bytes({stream->buffer_.data(), size});
    if (stream->events_ != nullptr && stream->tls_ == nullptr) stream->read_plain();
  });
}

void SocketStream::read_secure() {
  for (int round = 0; events_ != nullptr && round < reads_in_a_row_max; ++round) {
    const TlsSession::Progress progress = tls_->read(buffer_.data(), buffer_.size());
    switch (progress.want) {
      case TlsSession::Want::nothing: events_->on_bytes({buffer_.data(), progress.bytes}); break;
      case TlsSession::Want::read: return wait(Socket::wait_read, &SocketStream::read_secure);
      case TlsSession::Want::write: return wait(Socket::wait_write, &SocketStream::read_secure);
      case TlsSession::Want::closed: return lose("connection closed by " + address_.text);
      case TlsSession::Want::failed:
        return lose("reading from " + address_.text + ": " + tls_->error());
    }
  }
  if (events_ != nullptr) loop_.post([stream = self()] { stream->read_secure(); });
}

bool SocketStream::write(Gather& gather) {
  if (events_ == nullptr || waits_to_write_) return false;
  return tls_ == nullptr ? write_plain(gather) : write_secure(gather);
}

bool SocketStream::write_plain(Gather& gather) {
  while (!gather.empty()) {
    msghdr message{};
    message.msg_iov = gather.pieces();
    message.msg_iovlen = std::min(gather.piece_count(), pieces_max);
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      gather.consume(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      wait_writable();
      return false;
    } else if (errno != EINTR) {
      stop_writing("writing to " + address_.text + ": " + std::strerror(errno));
      return false;
    }
  }
  return true;
}

bool SocketStream::write_secure(Gather& gather) {
  for (;;) {
    if (staged_ == staging_.size()) stage(gather);
    if (staging_.empty()) return true;
    const TlsSession::Progress progress =
        tls_->write(staging_.data() + staged_, staging_.size() - staged_);
    switch (progress.want) {
      case TlsSession::Want::nothing: staged_ += progress.bytes; break;
      // Only a renegotiation or a key update makes a write wait for reading; the reader runs
      // anyway.
      case TlsSession::Want::read:
      case TlsSession::Want::write: wait_writable(); return false;
      case TlsSession::Want::closed:
      case TlsSession::Want::failed:
        stop_writing("writing to " + address_.text + ": " + tls_->error());
        return false;
    }
  }
}

/// Encryption reads the bytes anyway, and wants them in one piece: whole records, whatever the
/// pieces.
void SocketStream::stage(Gather& gather) {
  staging_.clear();
  staged_ = 0;
  while (!gather.empty() && staging_.size() < staging_size) {
    const iovec piece = *gather.pieces();
    const std::size_t size = std::min(piece.iov_len, staging_size - staging_.size());
    const char* const from = static_cast<const char*>(piece.iov_base);
    staging_.insert(staging_.end(), from, from + size);
    gather.consume(size);
  }
}

void SocketStream::wait_writable() {
  if (std::exchange(waits_to_write_, true)) return;
  socket_.async_wait(Socket::wait_write, [stream = self()](const error_code&) {
    stream->waits_to_write_ = false;
    stream->writable();
  });
}

/// What the peer said before it closed may still be on its way in: the reader goes on until it
/// meets the end.
void SocketStream::stop_writing(std::string reason) {
  waits_to_write_ = true;
  deadline_ = loop_.after(last_words_timeout, [this, why = std::move(reason)] { lose(why); });
}

void SocketStream::wait(Socket::wait_type direction, void (SocketStream::*next)()) {
  socket_.async_wait(direction, [stream = self(), next](const error_code&) {
    if (stream->events_ != nullptr) (stream.get()->*next)();
  });
}

void SocketStream::lose(const std::string& reason) {
  const std::shared_ptr<SocketStream> keep = self();
  Events* const events = std::exchange(events_, nullptr);
  if (events == nullptr) return;
  close();
  events->on_lost(reason);
}

void SocketStream::lose_later(std::string reason) {
  loop_.post([stream = self(), why = std::move(reason)] { stream->lose(why); });
}

void SocketStream::close() {
  events_ = nullptr;
  deadline_.cancel();
  if (tls_ != nullptr) tls_->close();
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace

std::shared_ptr<ClientStream> ClientStream::connect(EventLoop& loop, const SocketAddress& address,
                                                    Events& events) {
  const auto stream = std::make_shared<SocketStream>(loop, address, events);
  stream->start();
  return stream;
}

}  // namespace sluice::net
