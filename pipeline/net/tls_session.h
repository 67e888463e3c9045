#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "pipeline/net/client.h"

namespace sluice::net {

/// One TLS session of a client over a non-blocking socket that stays its owner's. Every operation
/// goes as far as the socket allows and says what to wait for.
class TlsSession {
 public:
  enum class Want { nothing, read, write, closed, failed };
  struct Progress {
    Want want = Want::nothing;
    std::size_t bytes = 0;
  };

  /// `host` is what the certificate must name (server_name_override goes first) and the SNI; `alpn`
  /// the protocol asked for ("h2", "http/1.1"). Null with a sentence in `error`.
  static std::unique_ptr<TlsSession> create(TlsClient& tls, int socket, const std::string& host,
                                            std::string_view alpn, std::string& error);
  ~TlsSession();

  Want handshake();
  Progress read(char* data, std::size_t size);
  Progress write(const char* data, std::size_t size);
  /// Says goodbye, as far as that goes without waiting.
  void close();
  const std::string& error() const { return error_; }

 private:
  struct State;
  explicit TlsSession(std::unique_ptr<State> state);
  Want failure(int result, const char* doing);
  std::unique_ptr<State> state_;
  std::string error_;
};

}  // namespace sluice::net
