#include "test/support/socket_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "pipeline/ensure.h"

namespace sluice::test {

namespace {

class PlainPeer final : public Peer {
 public:
  explicit PlainPeer(int socket) : socket_(socket) {}
  std::string read() override {
    std::array<char, 16384> buffer;
    const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), 0);
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
  }
  bool write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  std::string protocol() const override { return {}; }
  std::string server_name() const override { return {}; }

 private:
  int socket_;
};

using Context = std::unique_ptr<SSL_CTX, decltype([](SSL_CTX* context) { SSL_CTX_free(context); })>;
using Session = std::unique_ptr<SSL, decltype([](SSL* session) { SSL_free(session); })>;
using Bio = std::unique_ptr<BIO, decltype([](BIO* bio) { BIO_free(bio); })>;

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size,
                    const unsigned char* offered, unsigned, void*) {
  *out = offered + 1;  // the first that the client names
  *size = offered[0];
  return SSL_TLSEXT_ERR_OK;
}

Context make_context(const SocketServerOptions& options) {
  Context context(SSL_CTX_new(TLS_server_method()));
  const auto bio = [](const std::string& pem) {
    return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  };
  X509* const certificate =
      PEM_read_bio_X509(bio(options.tls->certificate).get(), nullptr, nullptr, nullptr);
  EVP_PKEY* const key =
      PEM_read_bio_PrivateKey(bio(options.tls->key).get(), nullptr, nullptr, nullptr);
  SSL_CTX_use_certificate(context.get(), certificate);
  SSL_CTX_use_PrivateKey(context.get(), key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (!options.accept_tls13) SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  if (!options.client_authority.empty()) {
    X509* const authority =
        PEM_read_bio_X509(bio(options.client_authority).get(), nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority);
    X509_free(authority);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  return context;
}

class TlsPeer final : public Peer {
 public:
  TlsPeer(int socket, const SocketServerOptions& options)
      : context_(make_context(options)), session_(SSL_new(context_.get())) {
    SSL_set_fd(session_.get(), socket);
    ready_ = SSL_accept(session_.get()) == 1;
  }
  bool ready() const { return ready_; }
  std::string read() override {
    std::array<char, 16384> buffer;
    const int size = SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
  }
  bool write(std::string_view bytes) override {
    return bytes.empty() ||
           SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  std::string protocol() const override {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  std::string server_name() const override {
    const char* const name = SSL_get_servername(session_.get(), TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? "" : name;
  }

 private:
  Context context_;
  Session session_;
  bool ready_ = false;
};

int listen_on(const SocketServerOptions& options) {
  const bool local = !options.unix_path.empty();
  const int listener = ::socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ensure(listener >= 0, "a test server gets a socket");
  if (local) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, options.unix_path.c_str(), sizeof address.sun_path - 1);
    ::unlink(options.unix_path.c_str());
    ensure(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
           "bind to a path");
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ensure(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
           "bind to loopback");
  }
  return listener;
}

std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

struct SocketServer::Connection {
  int socket = -1;
  bool over = false;
  std::thread thread;
};

SocketServer::SocketServer(SocketServerOptions options, Serve serve)
    : options_(std::move(options)), serve_(std::move(serve)), listener_(listen_on(options_)) {
  std::signal(SIGPIPE, SIG_IGN);  // the server's half of OpenSSL writes with write(2)
  ensure(::listen(listener_, 64) == 0, "a test server listens");
  if (options_.unix_path.empty()) port_ = port_of(listener_);
  acceptor_ = std::thread([this] { accept_all(); });
}

SocketServer::~SocketServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  break_connections();
  for (Connection& connection : connections_) connection.thread.join();
  ::close(listener_);
  if (!options_.unix_path.empty()) ::unlink(options_.unix_path.c_str());
}

std::size_t SocketServer::connection_count() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

void SocketServer::wait_for_closed(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ >= count; });
}

void SocketServer::break_connections() {
  const std::lock_guard lock(mutex_);
  for (Connection& connection : connections_) {
    if (!connection.over) ::shutdown(connection.socket, SHUT_RDWR);
  }
}

void SocketServer::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    Connection& connection = connections_.emplace_back();
    connection.socket = socket;
    connection.thread = std::thread([this, &connection] { run(connection); });
  }
}

void SocketServer::run(Connection& connection) {
  if (options_.tls) {
    TlsPeer peer(connection.socket, options_);
    if (peer.ready()) serve_(peer);
  } else {
    PlainPeer peer(connection.socket);
    serve_(peer);
  }
  const std::lock_guard lock(mutex_);
  connection.over = true;
  ++closed_;
  changed_.notify_all();
  ::close(connection.socket);
}

void tunnel(Peer& peer, std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ensure(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
         "a tunnel's far end");
  PlainPeer far(socket);
  std::thread back([&] {
    for (std::string bytes = far.read(); !bytes.empty() && peer.write(bytes);) bytes = far.read();
  });
  for (std::string bytes = peer.read(); !bytes.empty() && far.write(bytes);) bytes = peer.read();
  ::shutdown(socket, SHUT_RDWR);
  back.join();
  ::close(socket);
}

std::uint16_t free_port() {
  const int probe = listen_on({});
  const std::uint16_t port = port_of(probe);
  ::close(probe);
  return port;
}

}  // namespace sluice::test
