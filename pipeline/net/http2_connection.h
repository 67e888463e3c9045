#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/net/client_stream.h"
#include "pipeline/net/gather.h"
#include "pipeline/net/grpc_call.h"

namespace sluice::net {

/// One HTTP/2 connection of a gRPC client: opens at once, takes calls when ready, and hands every
/// call back exactly once. Lives on the loop; the owner must not destroy it inside one of its own
/// calls.
class Http2Connection final : private ClientStream::Events {
 public:
  struct Options {
    std::string authority;  ///< :authority
    std::string tls_name;   ///< what the certificate must name
    std::string user_agent;
    std::shared_ptr<TlsClient> tls;  ///< null: plain text
    std::chrono::nanoseconds keepalive_time{0};
    std::chrono::nanoseconds keepalive_timeout = std::chrono::seconds(10);
    bool keepalive_without_stream = false;
  };
  class Owner {
   public:
    virtual void on_ready(Http2Connection& connection) = 0;
    /// It takes no new calls; those under way end, then it closes.
    virtual void on_goaway(Http2Connection& connection) = 0;
    virtual void on_closed(Http2Connection& connection, const std::string& reason) = 0;
    virtual void on_finished(ClientDone done, ClientResponse response) = 0;
    /// The peer never looked at this call: it may go elsewhere.
    virtual void on_refused(std::unique_ptr<GrpcCall> call) = 0;

   protected:
    ~Owner() = default;
  };

  Http2Connection(EventLoop& loop, const SocketAddress& address, const Options& options,
                  Owner& owner);
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  /// Only while ready.
  void send(std::unique_ptr<GrpcCall> call);
  /// Resets the call's stream and gives up the call; `done` is the caller's again.
  ClientDone cancel(GrpcCall& call);
  /// As if the peer had said GOAWAY.
  void drain();
  /// Ends everything under way as failed; `on_closed` is not called.
  void abandon(const std::string& reason);

  bool is_ready() const { return ready_ && !draining_ && !closed_; }
  bool was_ready() const { return announced_ready_; }
  bool is_connecting() const { return !ready_ && !closed_; }

 private:
  struct Session;
  struct Finished {
    ClientDone done;
    ClientResponse response;
  };

  void on_connected() override;
  void on_bytes(std::string_view bytes) override;
  void on_writable() override;
  void on_lost(const std::string& reason) override;

  void submit(GrpcCall& call);
  void pump();
  bool flush();
  void settle();
  void lose(const std::string& reason);
  std::unique_ptr<GrpcCall> take(std::int32_t stream);
  void finish(std::unique_ptr<GrpcCall> call, std::uint32_t error_code);
  void refuse(std::unique_ptr<GrpcCall> call);
  void retire(std::unique_ptr<GrpcCall> call);
  void close_when_drained();
  void stop_timers();
  void watch();
  void keep_alive();
  void ping();

  EventLoop& loop_;
  Options options_;
  Owner& owner_;
  std::shared_ptr<ClientStream> stream_;
  std::unique_ptr<Session> session_;
  std::vector<std::unique_ptr<GrpcCall>> calls_;
  /// Over, but the output may still point into their bodies.
  std::vector<std::unique_ptr<GrpcCall>> retired_;
  std::vector<Finished> finished_;
  std::vector<std::unique_ptr<GrpcCall>> refused_;
  Gather out_;
  std::vector<char> arena_;  ///< frame headers and control frames that `out_` points into
  Executor::TimePoint last_heard_{};
  Timer keepalive_;
  Timer ping_deadline_;
  Timer settings_deadline_;  ///< a peer that accepts and is silent may have to be found elsewhere
  Timer closing_;
  bool secured_ = false;
  bool ready_ = false, announced_ready_ = false;
  bool draining_ = false, announced_goaway_ = false;
  bool closed_ = false;
  bool blocked_ = false;  ///< the stream waits to write
  bool busy_ = false;     ///< inside nghttp2, which must not be entered twice
};

}  // namespace sluice::net
