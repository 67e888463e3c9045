#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/ensure.h"
#include "pipeline/net/budget.h"
#include "pipeline/net/http2_stream.h"
#include "pipeline/net/session.h"

// HTTP/2 by nghttp2, as bytes in and bytes out. nghttp2 checks the protocol, keeps the windows and
// the header tables; what is ours is streams, budgets and the end of connections.
//
// Windows: a stream may have 1 MiB under way and a connection 16 MiB, so that requests of the usual
// few hundred kilobytes never wait for a WINDOW_UPDATE, which nghttp2 sends once half a window is
// used. What bounds memory is not the window but the ledger, which is asked before any of a body is
// kept.

namespace sluice::net {
namespace {

constexpr std::uint32_t stream_window = 1 << 20;
constexpr std::int32_t connection_window = 16 << 20;
constexpr std::uint32_t frame_size_max = 256 * 1024;
constexpr std::size_t produce_max = 256 * 1024;
constexpr int resets_max = 100;        // of requests that we have not answered, in ten seconds
constexpr int idle_frames_max = 1000;  // frames that carry nothing, in ten seconds
constexpr int ping_strikes_max = 2;
constexpr auto ping_interval_without_streams = std::chrono::hours(2);
constexpr auto shutdown_notice = std::chrono::seconds(1);

struct FreeOption {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
struct FreeCallbacks {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};
struct FreeSession {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

class Http2Session final : public Session, public Http2Stream::Owner {
 public:
  Http2Session(const ConnectionContext& context, SessionHost& host);
  ~Http2Session() override {
    for (const auto& stream : streams_) stream->leave();
  }

  void receive(std::string_view bytes) override;
  void receive_end() override { ended_ = true; }
  void produce(std::string& out) override;
  bool wants_input() const override {
    return !ended_ && nghttp2_session_want_read(session_.get()) != 0;
  }
  bool finished() const override {
    // After an end of our making only what can leave at once does, and `produce` has taken it by
    // then.
    return ended_ || (!wants_input() && nghttp2_session_want_write(session_.get()) == 0);
  }
  void drain() override;
  void tick(Executor::TimePoint now) override;

 private:
  static nghttp2_session_callbacks* callbacks();
  static const nghttp2_option* option();
  static Http2Session& self(void* user_data) { return *static_cast<Http2Session*>(user_data); }
  Http2Stream* find(std::int32_t id) const {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session_.get(), id));
  }

  void began(const nghttp2_frame_hd& frame);
  int begin_headers(const nghttp2_frame& frame);
  void received(const nghttp2_frame& frame);
  void received_headers(const nghttp2_frame& frame);
  void received_ping();
  void sent(const nghttp2_frame& frame);
  void closed(std::int32_t id);
  void send_answer(Http2Stream& stream) override;

  void watch_deadline(const Http2Stream& stream);
  void deadline_passed();
  void check_streams();
  void check_head();
  void check_age();
  void check_keepalive();
  void conclude_drain();
  void spend(Budget& budget);
  void end(std::uint32_t code, std::string_view reason, Counter& counter);

  const ConnectionContext& context_;
  SessionHost& host_;
  const ServerOptions& options_;
  std::unique_ptr<nghttp2_session, FreeSession> session_;
  std::vector<std::shared_ptr<Http2Stream>> streams_;

  Executor::TimePoint now_;  ///< as of the call that runs
  const Executor::TimePoint created_;
  Executor::TimePoint active_at_;  ///< a stream was open
  Executor::TimePoint received_at_;
  std::optional<Executor::TimePoint> ping_sent_at_, drain_began_at_;
  Timer deadline_timer_;
  Executor::TimePoint deadline_watched_;

  /// The head that is coming in, of which a connection has one at a time.
  struct OpenHead {
    std::int32_t stream = 0;
    Executor::TimePoint since;
  };
  std::optional<OpenHead> open_head_;

  Budget resets_{resets_max};
  Budget idle_frames_{idle_frames_max};
  Executor::TimePoint pinged_at_{};
  int ping_strikes_ = 0;
  bool answered_since_ping_ = false;
  bool receiving_ = false;
  bool drained_ = false;  ///< the final GOAWAY is out
  bool ended_ = false;
};

Http2Session::Http2Session(const ConnectionContext& context, SessionHost& host)
    : context_(context),
      host_(host),
      options_(context.door.options()),
      now_(context.executor.now()),
      created_(now_),
      active_at_(now_),
      received_at_(now_) {
  nghttp2_session* session = nullptr;
  ensure(nghttp2_session_server_new2(&session, callbacks(), this, option()) == 0,
         "nghttp2 has memory");
  session_.reset(session);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
       options_.streams_max == 0 ? 0x7fffffffU : options_.streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, frame_size_max},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       static_cast<std::uint32_t>(options_.header_bytes_max)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, connection_window);
}

nghttp2_session_callbacks* Http2Session::callbacks() {
  static const std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks> made = [] {
    nghttp2_session_callbacks* all = nullptr;
    ensure(nghttp2_session_callbacks_new(&all) == 0, "nghttp2 has memory");
    nghttp2_session_callbacks_set_on_begin_frame_callback(
        all, [](nghttp2_session*, const nghttp2_frame_hd* frame, void* user) {
          self(user).began(*frame);
          return 0;
        });
    nghttp2_session_callbacks_set_on_begin_headers_callback(
        all, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
          return self(user).begin_headers(*frame);
        });
    nghttp2_session_callbacks_set_on_header_callback(
        all, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                std::uint8_t, void* user) {
          if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;  // trailers
          Http2Session& session = self(user);
          if (Http2Stream* stream = session.find(frame->hd.stream_id)) {
            stream->add_field(text(name, name_size), text(value, value_size), session.options_);
          }
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        all, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                std::size_t size, void* user) {
          if (Http2Stream* stream = self(user).find(id)) stream->body(text(bytes, size));
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        all, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
          self(user).received(*frame);
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_send_callback(
        all, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
          self(user).sent(*frame);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        all, [](nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
          self(user).closed(id);
          return 0;
        });
    return std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks>(all);
  }();
  return made.get();
}

const nghttp2_option* Http2Session::option() {
  static const std::unique_ptr<nghttp2_option, FreeOption> made = [] {
    constexpr std::size_t acks_max =
        100;  // PINGs and SETTINGS whose acknowledgement has not been sent
    constexpr std::uint64_t unlimited = 1'000'000;
    nghttp2_option* all = nullptr;
    ensure(nghttp2_option_new(&all) == 0, "nghttp2 has memory");
    nghttp2_option_set_no_closed_streams(all, 1);
    nghttp2_option_set_max_outbound_ack(all, acks_max);
    // Counted here instead: a client may well reset a stream that we have refused before its body
    // came.
    nghttp2_option_set_stream_reset_rate_limit(all, unlimited, unlimited);
    return std::unique_ptr<nghttp2_option, FreeOption>(all);
  }();
  return made.get();
}

void Http2Session::receive(std::string_view bytes) {
  if (ended_) return;
  now_ = received_at_ = context_.executor.now();
  receiving_ = true;
  const ssize_t taken = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  receiving_ = false;
  if (taken == NGHTTP2_ERR_FLOODED)
    return end(NGHTTP2_ENHANCE_YOUR_CALM, "flood", context_.door.ended().abuse);
  if (taken < 0) end(NGHTTP2_PROTOCOL_ERROR, "", context_.door.ended().protocol);
}

void Http2Session::produce(std::string& out) {
  const std::size_t limit = out.size() + produce_max;
  while (out.size() < limit) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size <= 0) {
      ended_ = ended_ || size < 0;
      return;
    }
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
}

/// PRIORITY is seen here alone, since nghttp2 steps over it.
void Http2Session::began(const nghttp2_frame_hd& frame) {
  const bool empty_data = frame.type == NGHTTP2_DATA && frame.length == 0 &&
                          (frame.flags & NGHTTP2_FLAG_END_STREAM) == 0;
  if (empty_data || frame.type == NGHTTP2_PRIORITY || frame.type == NGHTTP2_SETTINGS)
    spend(idle_frames_);
  open_head_.reset();
  if (frame.type == NGHTTP2_HEADERS) open_head_ = {frame.stream_id, now_};
}

int Http2Session::begin_headers(const nghttp2_frame& frame) {
  if (frame.headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  auto stream = std::make_shared<Http2Stream>(context_, now_, *this, frame.hd.stream_id);
  nghttp2_session_set_stream_user_data(session_.get(), frame.hd.stream_id, stream.get());
  stream->position = streams_.size();
  streams_.push_back(std::move(stream));
  return 0;
}

void Http2Session::received(const nghttp2_frame& frame) {
  const bool last = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS: received_headers(frame); break;
    case NGHTTP2_DATA: break;
    case NGHTTP2_RST_STREAM: {
      const Http2Stream* stream = find(frame.hd.stream_id);
      if (stream != nullptr && !stream->answered()) spend(resets_);
      return;
    }
    case NGHTTP2_PING:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0)
        received_ping();
      else if (drain_began_at_)
        conclude_drain();
      return;
    default: return;
  }
  if (!last) return;
  if (Http2Stream* stream = find(frame.hd.stream_id)) stream->finish();
}

void Http2Session::received_headers(const nghttp2_frame& frame) {
  open_head_.reset();
  Http2Stream* stream = find(frame.hd.stream_id);
  if (stream == nullptr || frame.headers.cat != NGHTTP2_HCAT_REQUEST) return;
  if (stream->head_too_large()) {
    Response response;
    response.status = 431;
    return stream->refuse(std::move(response));
  }
  stream->begin(true);
  if (!stream->answered()) watch_deadline(*stream);
}

/// As gRPC servers have it: a strike for each ping that comes sooner than allowed, unless something
/// was answered in between; the third ends the connection.
void Http2Session::received_ping() {
  const Executor::TimePoint previous = std::exchange(pinged_at_, now_);
  if (std::exchange(answered_since_ping_, false)) {
    ping_strikes_ = 0;
    return;
  }
  const bool may_ping = !streams_.empty() || options_.ping_without_stream;
  const auto interval = may_ping ? options_.ping_interval_min
                                 : std::chrono::nanoseconds(ping_interval_without_streams);
  if (now_ - previous >= interval) return;
  if (++ping_strikes_ > ping_strikes_max)
    end(NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings", context_.door.ended().abuse);
}

/// A request that was refused before all of it had come is reset once its answer is out, so that
/// the rest is not sent in vain (RFC 9113, section 8.1).
void Http2Session::sent(const nghttp2_frame& frame) {
  const bool last = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (!last || (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA)) return;
  if (nghttp2_session_get_stream_remote_close(session_.get(), frame.hd.stream_id) != 0) return;
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, frame.hd.stream_id,
                            NGHTTP2_NO_ERROR);
}

void Http2Session::closed(std::int32_t id) {
  if (open_head_ && open_head_->stream == id) open_head_.reset();  // it was refused
  Http2Stream* stream = find(id);
  if (stream == nullptr) return;
  active_at_ = now_;
  stream->leave();
  streams_.back()->position = stream->position;
  std::swap(streams_[stream->position], streams_.back());
  streams_.pop_back();
}

void Http2Session::send_answer(Http2Stream& stream) {
  answered_since_ping_ = true;
  stream.submit(session_.get());
  if (!receiving_) host_.output_pending();
}

/// One timer for the connection, for the earliest deadline that was seen: it is not moved when a
/// request is answered, which nearly all are long before, but looks again when it fires.
void Http2Session::watch_deadline(const Http2Stream& stream) {
  if (!stream.deadline()) return;
  if (deadline_timer_ && deadline_watched_ <= *stream.deadline()) return;
  deadline_watched_ = *stream.deadline();
  deadline_timer_ =
      context_.executor.after(deadline_watched_ - now_, [this] { deadline_passed(); });
}

void Http2Session::deadline_passed() {
  deadline_timer_.cancel();
  now_ = context_.executor.now();
  check_streams();
  for (const auto& stream : streams_) {
    if (!stream->answered()) watch_deadline(*stream);
  }
}

void Http2Session::check_streams() {
  for (std::size_t index = 0; index < streams_.size(); ++index) {
    const std::shared_ptr<Http2Stream> stream = streams_[index];
    stream->check(now_);
    const bool stuck = stream->answered_at() && options_.write_timeout.count() > 0 &&
                       now_ - *stream->answered_at() > options_.write_timeout;
    if (!stuck) continue;
    // Its window does not let the answer out.
    context_.door.ended().timeout.add(1);
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream->id(), NGHTTP2_CANCEL);
  }
}

void Http2Session::tick(Executor::TimePoint now) {
  if (ended_) return;
  now_ = now;
  check_streams();
  if (!streams_.empty()) active_at_ = now_;
  if (options_.idle_timeout.count() > 0 && now_ - active_at_ >= options_.idle_timeout) drain();
  check_head();
  check_age();
  check_keepalive();
  if (drain_began_at_ && now_ - *drain_began_at_ >= shutdown_notice) conclude_drain();
}

/// As over HTTP/1.1. Until its head has ended a connection can say nothing else, so it goes.
void Http2Session::check_head() {
  if (!open_head_ || options_.header_timeout.count() == 0) return;
  if (now_ - open_head_->since < options_.header_timeout) return;
  end(NGHTTP2_NO_ERROR, "the head did not come in time", context_.door.ended().timeout);
}

void Http2Session::check_age() {
  if (options_.connection_age_max.count() == 0) return;
  const auto age = now_ - created_;
  if (age < options_.connection_age_max) return;
  drain();
  if (options_.connection_age_grace.count() == 0) return;
  if (age >= options_.connection_age_max + options_.connection_age_grace) ended_ = true;
}

void Http2Session::check_keepalive() {
  if (options_.keepalive_time.count() == 0) return;
  if (ping_sent_at_ && received_at_ < *ping_sent_at_) {
    if (now_ - *ping_sent_at_ < options_.keepalive_timeout) return;
    context_.door.ended().timeout.add(1);
    ended_ = true;
  } else if (now_ - received_at_ >= options_.keepalive_time) {
    ping_sent_at_ = now_;
    nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
  }
}

/// In two steps (RFC 9113, section 6.8): a notice, and once requests that crossed it have arrived,
/// the end.
void Http2Session::drain() {
  if (drain_began_at_) return;
  now_ = context_.executor.now();
  drain_began_at_ = now_;
  nghttp2_submit_shutdown_notice(session_.get());
  nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
}

void Http2Session::conclude_drain() {
  if (std::exchange(drained_, true)) return;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_.get()), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void Http2Session::spend(Budget& budget) {
  if (!budget.take(now_))
    end(NGHTTP2_ENHANCE_YOUR_CALM, "too many frames without use", context_.door.ended().abuse);
}

void Http2Session::end(std::uint32_t code, std::string_view reason, Counter& counter) {
  if (std::exchange(ended_, true)) return;
  counter.add(1);
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_.get()), code,
                        reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size());
}

}  // namespace

std::unique_ptr<Session> make_http2_session(const ConnectionContext& context, SessionHost& host) {
  return std::make_unique<Http2Session>(context, host);
}

}  // namespace sluice::net
