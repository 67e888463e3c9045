#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/executor.h"
#include "pipeline/net/client.h"
#include "pipeline/net/client_stream.h"
#include "pipeline/net/gather.h"
#include "pipeline/net/url.h"

namespace sluice::net {

/// One POST, from the first attempt to `done`. Its request stays in place until it is over.
struct HttpCall {
  ClientRequest request;
  ClientDone done;
  Executor::TimePoint due = Executor::TimePoint::max();
  Timer deadline = {};
  bool resent = false;  ///< a stale connection was its first; there is no third
};

/// One connection of an HTTP/1.1 client, for one call at a time: opens (through a proxy, under
/// TLS), sends, reads the response, and is idle again or closed. Lives on the loop; the owner must
/// not destroy it inside one of its own calls.
class Http1Connection final : private ClientStream::Events {
 public:
  struct Options {
    std::string scheme, host;
    std::uint16_t port = 0;
    bool keep_alive = true;
    std::shared_ptr<TlsClient> tls;  ///< for https
    std::optional<Url> proxy;
  };
  class Owner {
   public:
    /// The call is over; `reusable`: the connection is idle, otherwise closed.
    virtual void on_response(Http1Connection& connection, std::unique_ptr<HttpCall> call,
                             ClientResponse response, bool reusable) = 0;
    /// Closed. `call` is what was under way, if anything was; `stale`: it was sent on a connection
    /// that had been idle, and nothing came back, so it may be sent once more.
    virtual void on_closed(Http1Connection& connection, std::unique_ptr<HttpCall> call, bool stale,
                           const std::string& reason) = 0;

   protected:
    ~Owner() = default;
  };

  Http1Connection(EventLoop& loop, const Options& options, Owner& owner);
  ~Http1Connection();
  Http1Connection(const Http1Connection&) = delete;
  Http1Connection& operator=(const Http1Connection&) = delete;

  /// The first call of a connection; `addresses` are tried in order.
  void open(std::vector<SocketAddress> addresses, std::unique_ptr<HttpCall> call);
  /// A further call, while idle.
  void send(std::unique_ptr<HttpCall> call);
  /// Closes and gives the call back; `on_closed` is not called.
  std::unique_ptr<HttpCall> close();
  const HttpCall* call() const { return call_.get(); }

  Timer idle;  ///< the owner's: when to close it

 private:
  enum class Phase { connecting, proxy, securing, idle, busy, closed };
  struct Parser;

  void on_connected() override;
  void on_bytes(std::string_view bytes) override;
  void on_writable() override;
  void on_lost(const std::string& reason) override;

  void connect_next();
  void ask_proxy();
  void transmit();
  void write();
  void read_proxy_answer();
  void read_response();
  void finish();
  void fail(const std::string& reason);
  bool through_proxy() const { return options_.proxy.has_value(); }
  std::string request_head() const;

  EventLoop& loop_;
  const Options& options_;
  Owner& owner_;
  std::shared_ptr<ClientStream> stream_;
  std::vector<SocketAddress> addresses_;  ///< those that are left to try
  std::unique_ptr<HttpCall> call_;
  std::unique_ptr<Parser> parser_;
  std::string head_;
  std::string input_;
  Gather out_;
  Phase phase_ = Phase::connecting;
  bool blocked_ = false;  ///< the stream waits to write
  bool reused_ = false;
  bool heard_ = false;
};

}  // namespace sluice::net
