#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "pipeline/net/client.h"
#include "pipeline/net/gather.h"
#include "pipeline/net/resolver.h"

namespace sluice::net {

/// The near end of a connection: TCP or a unix socket, plain or (after `secure`) TLS. Reads all the
/// time; writes straight from the pieces it is given, by one gathered system call while the socket
/// takes them. Lives on one loop; keeps itself alive until it is closed or lost.
class ClientStream : public std::enable_shared_from_this<ClientStream> {
 public:
  /// Who is told. Never called inside a call to the stream, but for `on_bytes` and `on_connected`,
  /// in which the stream may be used and closed.
  class Events {
   public:
    virtual void on_connected() = 0;  ///< and again when `secure` is through
    virtual void on_bytes(std::string_view bytes) = 0;
    virtual void on_writable() = 0;                       ///< go on with `write`
    virtual void on_lost(const std::string& reason) = 0;  ///< the last call; an end of file is one
   protected:
    ~Events() = default;
  };

  static std::shared_ptr<ClientStream> connect(EventLoop& loop, const SocketAddress& address,
                                               Events& events);
  virtual ~ClientStream() = default;

  /// TLS from here on; `on_connected` follows within ten seconds, or `on_lost`.
  virtual void secure(std::shared_ptr<TlsClient> tls, const std::string& host,
                      std::string_view alpn) = 0;
  /// Writes and consumes what the socket takes. True: all of it went; false: `on_writable` follows.
  virtual bool write(Gather& gather) = 0;
  /// No event follows.
  virtual void close() = 0;
};

}  // namespace sluice::net
