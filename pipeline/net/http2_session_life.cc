// Time, and how a connection comes to its end.

#include <utility>

#include "pipeline/net/http2_session.h"

namespace sluice::net {
namespace {

using http2::ErrorCode;
using http2::FrameType;
namespace flag = http2::flag;

constexpr int ping_strikes_max = 2;
constexpr auto ping_interval_without_streams = std::chrono::hours(2);
constexpr auto shutdown_notice = std::chrono::seconds(1);
constexpr std::string_view ping_payload{"\0\0\0\0\0\0\0\0", 8};

}  // namespace

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
  const Streams streams = streams_;
  for (const auto& stream : streams) {
    stream->check(now_);
    const bool stuck = stream->answered_at() && options_.write_timeout.count() > 0 &&
                       now_ - *stream->answered_at() > options_.write_timeout;
    if (!stuck) continue;
    // Its window does not let the answer out.
    context_.door.ended().timeout.add(1);
    reset(stream->id(), ErrorCode::cancel);
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
  end_connection(ErrorCode::no_error, "the head did not come in time",
                 context_.door.ended().timeout);
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
  if (options_.keepalive_time.count() == 0 || input_ended_) return;
  if (ping_sent_at_ && received_at_ < *ping_sent_at_) {
    if (now_ - *ping_sent_at_ < options_.keepalive_timeout) return;
    context_.door.ended().timeout.add(1);
    ended_ = true;
  } else if (now_ - received_at_ >= options_.keepalive_time) {
    ping_sent_at_ = now_;
    http2::append_frame(control_, FrameType::ping, 0, 0, ping_payload);
  }
}

/// As gRPC servers have it: a strike for each ping that comes sooner than allowed, unless something
/// was answered in between; the third ends the connection.
void Http2Session::take_ping(const http2::FrameHeader& frame, std::string_view opaque) {
  if (frame.has(flag::ack)) {
    if (drain_began_at_) conclude_drain();
    return;
  }
  http2::append_frame(control_, FrameType::ping, flag::ack, 0, opaque);
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
    end_connection(ErrorCode::enhance_your_calm, "too_many_pings", context_.door.ended().abuse);
}

/// In two steps (RFC 9113, section 6.8): a notice, and once requests that crossed it have arrived,
/// the end.
void Http2Session::drain() {
  if (drain_began_at_) return;
  now_ = context_.executor.now();
  drain_began_at_ = now_;
  http2::append_goaway(control_, 0x7fffffff, ErrorCode::no_error, {});
  http2::append_frame(control_, FrameType::ping, 0, 0, ping_payload);
}

void Http2Session::conclude_drain() {
  if (std::exchange(drained_, true)) return;
  http2::append_goaway(control_, last_served_, ErrorCode::no_error, {});
}

bool Http2Session::spend(Budget& budget) {
  return budget.take(now_) ||
         end_connection(ErrorCode::enhance_your_calm, "too many frames without use",
                        context_.door.ended().abuse);
}

bool Http2Session::end_connection(ErrorCode code, std::string_view reason, Counter& counter) {
  reader_.stop();
  if (std::exchange(ended_, true)) return false;
  counter.add(1);
  http2::append_goaway(control_, last_served_, code, reason);
  return false;
}

}  // namespace sluice::net
