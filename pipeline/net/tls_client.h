#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "pipeline/net/client.h"

struct ssl_ctx_st;  // SSL_CTX

namespace sluice::net {

struct ContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};
using ContextPointer = std::unique_ptr<ssl_ctx_st, ContextDeleter>;

/// The context in use and the options it was made from. One client may have connections on several
/// loops, so the swap on reload is under a lock, taken once a connection.
struct TlsClient::State {
  TlsClientOptions options;
  /// The context, loaded again where it is older than `reload_interval`; files that do not fit
  /// leave the old one in place and say so in the log. The caller owns a reference.
  ContextPointer current();

  std::mutex mutex;
  ContextPointer context;
  std::chrono::steady_clock::time_point loaded;
};

}  // namespace sluice::net
