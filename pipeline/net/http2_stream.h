#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/net/exchange.h"

struct nghttp2_session;

namespace sluice::net {

/// A stream of HTTP/2: an exchange, and its answer as header fields and data. What nghttp2 is given
/// to send points into this object, which stands until the stream has closed.
class Http2Stream final : public Exchange {
 public:
  class Owner {
   public:
    virtual void send_answer(Http2Stream& stream) = 0;

   protected:
    ~Owner() = default;
  };

  Http2Stream(const ConnectionContext& context, Executor::TimePoint now, Owner& owner,
              std::int32_t id)
      : Exchange(context, now), owner_(&owner), id_(id) {}

  /// One field of the head; names are in lower case. What is over the limits is counted, not kept.
  void add_field(std::string_view name, std::string_view value, const ServerOptions& options);
  /// Whether the head passed the limits.
  bool head_too_large() const { return head_too_large_; }
  /// The owner is going, or has closed the stream.
  void leave() {
    owner_ = nullptr;
    abandon();
  }

  // --- The answer, once it is there ---
  /// Submits HEADERS and what follows. False where nghttp2 does not take it any more.
  bool submit(nghttp2_session* session);
  std::optional<Executor::TimePoint> answered_at() const { return answered_at_; }

  std::int32_t id() const { return id_; }
  std::size_t position = 0;  ///< in the session's list

 private:
  void deliver(Response response) override;
  class Fields;
  void http_fields(Fields& fields);
  void grpc_fields(Fields& fields);
  void status_fields(Fields& fields);
  std::ptrdiff_t read(std::uint8_t* out, std::size_t size, std::uint32_t& flags,
                      nghttp2_session* session);

  Owner* owner_;
  std::int32_t id_;
  std::size_t head_size_ = 0;
  bool head_too_large_ = false;

  Response response_;
  std::optional<Executor::TimePoint> answered_at_;
  std::string status_, length_, retry_, message_;
  std::array<char, grpc::prefix_size> reply_prefix_{};
  std::size_t sent_ = 0;
};

}  // namespace sluice::net
