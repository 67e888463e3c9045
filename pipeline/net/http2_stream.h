#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/net/exchange.h"
#include "pipeline/net/hpack.h"
#include "pipeline/net/http2_frame.h"

namespace sluice::net {

/// A stream of HTTP/2: an exchange, the rules that its head and body have to keep, and its answer
/// as frames.
class Http2Stream final : public Exchange {
 public:
  class Owner {
   public:
    virtual void send_answer(Http2Stream& stream) = 0;

   protected:
    ~Owner() = default;
  };

  Http2Stream(const ConnectionContext& context, Executor::TimePoint now, Owner& owner,
              std::int32_t id, std::int64_t window)
      : Exchange(context, now), send_window(window), owner_(&owner), id_(id) {}

  std::int32_t id() const { return id_; }

  /// One field of the head. What is over the limits is counted, not kept. False where the request
  /// is malformed (RFC 9113, sections 8.2 and 8.3): a stream error.
  bool add_field(const hpack::Field& field, const ServerOptions& options);
  /// All fields are there; false as above.
  bool head_is_whole() const;
  /// Whether the head passed the limits.
  bool head_too_large() const { return head_too_large_; }
  /// Counts a piece of the body against Content-Length; false where it is too much, or too little
  /// at the end.
  bool counts(std::size_t bytes, bool last);

  /// The owner is going, or has closed the stream.
  void leave() {
    owner_ = nullptr;
    abandon();
  }

  /// What the answers of a connection share.
  struct Sending {
    std::size_t frame_size_max = http2::default_frame_size_max;
    std::int64_t window = http2::default_window;
    bool must_say_table_size = false;  ///< the next header block says that our table is empty
  };
  /// Appends frames until all of the answer is out (true), or a window or `size_max`, of `out` in
  /// all, does not let out more. Takes what it sends from both windows.
  bool write_answer(std::string& out, std::size_t size_max, Sending& sending);
  std::optional<Executor::TimePoint> answered_at() const { return answered_at_; }

  std::int64_t send_window;       ///< what the peer lets us send; less than nothing where it
                                  ///< shrank what it had allowed
  std::size_t uncredited = 0;     ///< bytes received that no WINDOW_UPDATE has given back
  bool has_ended = false;         ///< END_STREAM has come
  bool is_head_complete = false;  ///< what comes now are trailers

 private:
  void deliver(Response response) override;
  bool has_data() const;
  void append_head(std::string& out, Sending& sending, bool last) const;
  void append_trailers(std::string& out, Sending& sending) const;
  void append_status(std::string& block) const;
  void append_data(std::string& out, std::size_t size) const;

  Owner* owner_;
  std::int32_t id_;

  // The head.
  std::size_t head_size_ = 0;
  std::size_t body_size_ = 0;
  bool head_too_large_ = false;
  bool has_fields_ = false;  ///< such that are no pseudo-header fields
  bool has_scheme_ = false, has_host_ = false;

  // The answer.
  Response response_;
  std::optional<Executor::TimePoint> answered_at_;
  std::array<char, grpc::prefix_size> prefix_{};
  std::size_t sent_ = 0;  ///< of prefix and body
  bool is_head_sent_ = false;
};

}  // namespace sluice::net
