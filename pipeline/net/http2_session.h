#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/net/budget.h"
#include "pipeline/net/hpack.h"
#include "pipeline/net/http2_frame.h"
#include "pipeline/net/http2_reader.h"
#include "pipeline/net/http2_stream.h"
#include "pipeline/net/session.h"

namespace sluice::net {

/// The server's side of one HTTP/2 connection (RFC 9113): streams, windows and control frames in
/// http2_session.cc, time and the end of a connection in http2_session_life.cc.
class Http2Session final : public Session, public Http2Stream::Owner, http2::FrameHandler {
 public:
  Http2Session(const ConnectionContext& context, SessionHost& host);
  ~Http2Session() override;
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  void receive(std::string_view bytes) override;
  void receive_end() override;
  void produce(std::string& out) override;
  bool wants_input() const override;
  bool finished() const override;
  void drain() override;
  void tick(Executor::TimePoint now) override;

 private:
  using Streams = std::vector<std::shared_ptr<Http2Stream>>;

  // --- Frames ---
  bool begin(const http2::FrameHeader& frame) override;
  void content(const http2::FrameHeader& frame, std::string_view piece) override;
  void end(const http2::FrameHeader& frame, std::string_view payload) override;
  void fail(http2::ErrorCode code, std::string_view reason) override;

  bool begin_data(const http2::FrameHeader& frame);
  void end_data(const http2::FrameHeader& frame);
  bool begin_headers(const http2::FrameHeader& frame);
  bool begin_continuation();
  void take_fields(std::string_view bytes);
  void end_headers();
  void take_settings(std::string_view entries);
  void take_ping(const http2::FrameHeader& frame, std::string_view opaque);
  void take_window_update(std::int32_t id, std::uint32_t increment);
  void take_reset(std::int32_t id);

  // --- Streams ---
  /// It was never opened, or is none that a client can open.
  bool is_idle(std::int32_t id) const { return id % 2 == 0 || id > last_stream_; }
  Streams::const_iterator find(std::int32_t id) const;
  Http2Stream* get(std::int32_t id) const;
  void open_stream(std::int32_t id);
  void end_stream(Http2Stream& stream);
  void send_answer(Http2Stream& stream) override;
  /// Says that the stream is over, and forgets it.
  void reset(std::int32_t id, http2::ErrorCode code);
  void close(std::int32_t id);

  // --- Time ---
  void watch_deadline(const Http2Stream& stream);
  void deadline_passed();
  void check_streams();
  void check_head();
  void check_age();
  void check_keepalive();
  void conclude_drain();

  bool spend(Budget& budget);
  /// Ends the connection with a GOAWAY, counting why. Always false.
  bool end_connection(http2::ErrorCode code, std::string_view reason, Counter& counter);

  const ConnectionContext& context_;
  SessionHost& host_;
  const ServerOptions& options_;

  // What comes in.
  http2::FrameReader reader_;
  hpack::Decoder decoder_;
  /// The header block that is open, of which a connection has one at a time.
  struct OpenHead {
    std::int32_t stream = 0;
    Executor::TimePoint since;
    std::size_t size = 0;     ///< as it came
    std::size_t decoded = 0;  ///< as RFC 9113, section 6.5.2, counts it
    int continuations = 0;
    bool is_last = false;    ///< END_STREAM
    bool malformed = false;  ///< the request; decoding goes on for the table's sake
  };
  std::optional<OpenHead> open_head_;
  std::string fragment_;                ///< of the block: the beginning of a field
  Http2Stream* head_stream_ = nullptr;  ///< whose block it is; null where nobody wants it
  Http2Stream* data_stream_ = nullptr;  ///< whose DATA comes; null likewise
  std::size_t uncredited_ = 0;          ///< bytes received that no WINDOW_UPDATE has given back

  Streams streams_;               ///< by id
  std::int32_t last_stream_ = 0;  ///< that the peer has opened
  std::int32_t last_served_ = 0;  ///< for GOAWAY

  // What goes out.
  std::string control_;                ///< frames of control, before all else
  std::vector<std::int32_t> answers_;  ///< streams that have one, in order
  Http2Stream::Sending sending_;
  std::int64_t initial_window_ = http2::default_window;     ///< of a stream
  std::size_t encoder_table_size_ = hpack::table_size_max;  ///< as the peer believes it to be

  Executor::TimePoint now_;  ///< as of the call that runs
  const Executor::TimePoint created_;
  Executor::TimePoint active_at_;  ///< a stream was open
  Executor::TimePoint received_at_;
  std::optional<Executor::TimePoint> ping_sent_at_, drain_began_at_;
  Timer deadline_timer_;
  Executor::TimePoint deadline_watched_;

  Budget resets_, idle_frames_;
  Executor::TimePoint pinged_at_{};
  int ping_strikes_ = 0;
  bool answered_since_ping_ = false;
  bool receiving_ = false;
  bool peer_is_going_ = false;  ///< it has sent GOAWAY
  bool drained_ = false;        ///< the final GOAWAY is out
  bool input_ended_ = false;
  bool ended_ = false;
};

}  // namespace sluice::net
