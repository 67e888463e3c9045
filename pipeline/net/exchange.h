#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/ledger.h"
#include "pipeline/net/door.h"
#include "pipeline/net/grpc_framing.h"
#include "pipeline/net/head_lines.h"

namespace sluice::net {

/// One request and its answer, whatever protocol carries it: finds the route, has the service admit
/// the head, reserves the body's size in the ledger before any of it is kept, collects and inflates
/// it, and hands it over. Lives on its connection's loop; `respond` alone may come from any thread.
/// It may outlive the connection, which then has abandoned it: a late answer goes nowhere.
class Exchange : public Reply::Target, public std::enable_shared_from_this<Exchange> {
 public:
  /// The head as the protocol's reader fills it.
  struct Head {
    HeadLines lines;
    HeadLines::Place method, path, query, authority;
    std::optional<std::uint64_t> content_length;
  };

  Exchange(const ConnectionContext& context, Executor::TimePoint now);
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Head& head() { return head_; }
  const Head& head() const { return head_; }

  /// The head is complete. From here on the answer may come, inside any of these calls too.
  void begin(bool over_http2);
  /// The next piece of the body; dropped once there is an answer.
  void body(std::string_view bytes);
  /// Where the next bytes of a body of known length belong, at most `wanted`, so that they can be
  /// read there; empty where `body` must have them. `filled` says how many were.
  std::span<char> room(std::size_t wanted);
  void filled(std::size_t bytes);
  /// The body is complete: the service takes over.
  void finish();
  /// The stream or connection is gone.
  void abandon();
  /// What no service has a say in: a head that is broken.
  void refuse(Response response) { answer(std::move(response)); }

  /// Closes what came too slowly, or was not answered before its deadline. Called every now and
  /// then.
  void check(Executor::TimePoint now);

  void respond(Response response) noexcept final;

  bool answered() const { return answered_; }
  /// The whole body is here; what is missing is the answer.
  bool serving() const { return body_complete_ && !answered_; }
  bool is_grpc() const { return is_grpc_; }
  bool is_head_request() const { return head_.lines.text(head_.method) == "HEAD"; }
  /// When the sender stops waiting (grpc-timeout).
  std::optional<Executor::TimePoint> deadline() const { return deadline_; }

 protected:
  Executor& executor() const { return executor_; }
  /// The answer, once, on the loop, unless abandoned before.
  virtual void deliver(Response response) = 0;

 private:
  RequestHead request_head();
  void begin_grpc();
  void begin_http();
  bool charge_head();
  void admit();
  void grpc_body(std::string_view bytes);
  bool open_message();
  void http_body(std::string_view bytes);
  bool reserve(std::size_t bytes);
  bool inflate_body();
  void serve();
  void fail(TransportError error, std::string_view detail);
  void answer(Response response);
  RequestContextRef request_context();

  // Set at the start.
  const Door* door_;
  Ledger& ledger_;
  Executor& executor_;
  const ConnectionContext* context_;  ///< null once abandoned
  Executor::TimePoint started_;
  std::optional<Executor::TimePoint> deadline_;
  const Route* route_ = nullptr;
  Head head_;
  Charge head_charge_;
  bool is_grpc_ = false;

  // The body.
  std::size_t body_bytes_max_ = 0;
  std::uint32_t note_ = 0;
  Encoding encoding_ = Encoding::none;
  Charge charge_;
  BufferWriter body_;
  std::size_t wire_bytes_ = 0;
  std::array<char, grpc::prefix_size> prefix_{};
  std::size_t prefix_filled_ = 0;
  std::size_t message_size_ = 0;
  bool body_complete_ = false;
  bool answered_ = false;
};

}  // namespace sluice::net
