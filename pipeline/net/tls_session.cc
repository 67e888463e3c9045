#include "pipeline/net/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "pipeline/net/tls_client.h"

namespace sluice::net {

namespace {

int clamp(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

// OpenSSL's own socket BIO writes with write(2), which kills the process by SIGPIPE when the peer
// is gone; this one says MSG_NOSIGNAL.
int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int bio_write(BIO* bio, const char* data, int size) {
  const ssize_t sent =
      ::send(socket_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  BIO_clear_retry_flags(bio);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* data, int size) {
  const ssize_t got = ::recv(socket_of(bio), data, static_cast<std::size_t>(size), MSG_DONTWAIT);
  BIO_clear_retry_flags(bio);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made =
        BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "socket without SIGPIPE");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

/// Both are read after a failure, and both keep what earlier calls left.
void forget_errors() {
  ERR_clear_error();
  errno = 0;
}

bool expect_name(SSL* ssl, std::string name) {
  if (!name.empty() && name.back() == '.') name.pop_back();
  X509_VERIFY_PARAM* const param = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1) return true;  // no SNI for addresses
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size()) == 1 &&
         SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

}  // namespace

struct TlsSession::State {
  explicit State(SSL* session) : ssl(session) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { SSL_free(ssl); }
  SSL* ssl;
  bool broken = false;
};

TlsSession::TlsSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsSession::~TlsSession() = default;

std::unique_ptr<TlsSession> TlsSession::create(TlsClient& tls, int socket, const std::string& host,
                                               std::string_view alpn, std::string& error) {
  const ContextPointer context = tls.state->current();
  auto state = std::make_unique<State>(SSL_new(context.get()));
  BIO* const bio = BIO_new(socket_method());
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  SSL_set_bio(state->ssl, bio, bio);
  SSL_set_connect_state(state->ssl);
  const std::string protocols = static_cast<char>(alpn.size()) + std::string(alpn);
  SSL_set_alpn_protos(state->ssl, reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned>(protocols.size()));
  const std::string& override_name = tls.state->options.server_name_override;
  const std::string& name = override_name.empty() ? host : override_name;
  if (!expect_name(state->ssl, name)) {
    error = "\"" + name + "\" is no name that a certificate could hold";
    return nullptr;
  }
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(state)));
}

TlsSession::Want TlsSession::handshake() {
  forget_errors();
  const int result = SSL_do_handshake(state_->ssl);
  return result == 1 ? Want::nothing : failure(result, "handshake");
}

TlsSession::Progress TlsSession::read(char* data, std::size_t size) {
  forget_errors();
  const int result = SSL_read(state_->ssl, data, clamp(size));
  if (result > 0) return {Want::nothing, static_cast<std::size_t>(result)};
  return {failure(result, "read"), 0};
}

TlsSession::Progress TlsSession::write(const char* data, std::size_t size) {
  forget_errors();
  const int result = SSL_write(state_->ssl, data, clamp(size));
  if (result > 0) return {Want::nothing, static_cast<std::size_t>(result)};
  return {failure(result, "write"), 0};
}

void TlsSession::close() {
  if (state_->broken || !SSL_is_init_finished(state_->ssl)) return;
  ERR_clear_error();
  SSL_shutdown(state_->ssl);
  state_->broken = true;
}

TlsSession::Want TlsSession::failure(int result, const char* doing) {
  const int saved_errno = errno;
  const int kind = SSL_get_error(state_->ssl, result);
  if (kind == SSL_ERROR_WANT_READ) return Want::read;
  if (kind == SSL_ERROR_WANT_WRITE) return Want::write;
  if (kind == SSL_ERROR_ZERO_RETURN) return Want::closed;
  state_->broken = true;
  const long verified = SSL_get_verify_result(state_->ssl);
  const unsigned long code = ERR_peek_last_error();
  if (verified != X509_V_OK && SSL_get_verify_mode(state_->ssl) != SSL_VERIFY_NONE) {
    error_ = std::string("certificate refused: ") + X509_verify_cert_error_string(verified);
  } else if (code != 0) {
    const char* const reason = ERR_reason_error_string(code);
    error_ = reason == nullptr ? std::string(doing) + " failed" : reason;
  } else {
    error_ = saved_errno == 0 ? "connection closed" : std::strerror(saved_errno);
  }
  ERR_clear_error();
  return Want::failed;
}

}  // namespace sluice::net
