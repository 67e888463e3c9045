#include "pipeline/net/connection.h"

#include <algorithm>
#include <utility>

namespace sluice::net {
namespace {

constexpr int reads_per_turn = 4;              // so that one busy sender leaves room for others
constexpr std::size_t unsent_max = 64 * 1024;  // with more unsent, nothing is read
constexpr std::size_t out_kept = 16 * 1024;
constexpr auto linger_time = std::chrono::seconds(2);

}  // namespace

Connection::Connection(ConnectionContext context, std::unique_ptr<ByteStream> stream,
                       std::span<char> scratch, Closed closed)
    : context_(std::move(context)),
      stream_(std::move(stream)),
      session_(make_session(context_, *this)),
      scratch_(scratch),
      closed_(std::move(closed)),
      progress_at_(context_.executor.now()) {}

void Connection::start() { wait(); }

void Connection::readable() {
  waiting_to_read_ = false;
  if (is_closed_) return;
  if (lingering_) {
    discard();
  } else {
    in_session_ = true;
    for (int turn = 0; turn < reads_per_turn && read_some(); ++turn) {
    }
    in_session_ = false;
    if (is_closed_) return;
    flush();
  }
  wait();
}

/// Whether it is worth reading again.
bool Connection::read_some() {
  const std::span<char> room = session_->room();
  const std::span<char> into =
      room.empty() ? scratch_.first(std::min(scratch_.size(), session_->read_max())) : room;
  const ByteStream::Result result = stream_->read(into);
  switch (result.status) {
    case ByteStream::Status::would_block: return false;
    case ByteStream::Status::failed: close(); return false;
    case ByteStream::Status::ended:
      peer_ended_ = true;
      session_->receive_end();
      return false;
    case ByteStream::Status::ok: break;
  }
  if (!room.empty()) {
    session_->filled(result.size);
    return false;  // either the socket is empty now, or a request is complete
  }
  session_->receive({scratch_.data(), result.size});
  return result.size == into.size() && session_->wants_input();
}

/// What a peer still sends after our last word is read and dropped: closing with unread bytes would
/// reset the connection, and the reset could overtake the answer.
void Connection::discard() {
  for (int turn = 0; turn < reads_per_turn; ++turn) {
    const ByteStream::Result result = stream_->read(scratch_);
    if (result.status == ByteStream::Status::would_block) return;
    if (result.status != ByteStream::Status::ok) return close();
  }
}

void Connection::writable() {
  waiting_to_write_ = false;
  if (is_closed_) return;
  flush();
  wait();
}

/// Answers that come in one turn of the loop leave together.
void Connection::output_pending() {
  if (in_session_ || flush_posted_ || is_closed_) return;
  flush_posted_ = true;
  context_.executor.post([self = shared_from_this()] {
    self->flush_posted_ = false;
    if (self->is_closed_) return;
    self->flush();
    self->wait();
  });
}

void Connection::flush() {
  if (is_closed_ || lingering_) return;
  do {
    const bool had_unsent = !out_.empty();
    in_session_ = true;
    if (out_.size() - sent_ < unsent_max) session_->produce(out_);
    in_session_ = false;
    if (!had_unsent) progress_at_ = context_.executor.now();
    if (sent_ == out_.size()) break;
  } while (write_out());
  if (!is_closed_ && out_.empty() && session_->finished()) begin_lingering();
}

/// Whether all of it went.
bool Connection::write_out() {
  const ByteStream::Result result = stream_->write(std::string_view(out_).substr(sent_));
  if (result.status == ByteStream::Status::failed) {
    close();
    return false;
  }
  if (result.size > 0) spoke_at_ = progress_at_ = context_.executor.now();
  sent_ += result.size;
  if (sent_ < out_.size()) {
    // What has gone is cut off now and then, so that a slow reader does not make it grow.
    if (sent_ > unsent_max) out_.erase(0, std::exchange(sent_, 0));
    return false;
  }
  out_.clear();
  sent_ = 0;
  if (out_.capacity() > out_kept) out_.shrink_to_fit();
  return true;
}

void Connection::begin_lingering() {
  const Executor::TimePoint now = context_.executor.now();
  if (peer_ended_ || !spoke_at_ || now - *spoke_at_ >= linger_time) return close();
  lingering_ = true;
  progress_at_ = now;
  stream_->end_writing();
  if (!context_.door.draining()) return;
  // A daemon that stops does not wait for its peers to close, only for what has come from them.
  discard();
  close();
}

void Connection::wait() {
  if (is_closed_) return;
  const bool unsent = sent_ < out_.size();
  if (unsent && !std::exchange(waiting_to_write_, true)) stream_->wait_writable(shared_from_this());
  const bool wants_to_read =
      lingering_ || (out_.size() - sent_ < unsent_max && session_->wants_input());
  if (wants_to_read && !peer_ended_ && !std::exchange(waiting_to_read_, true))
    stream_->wait_readable(shared_from_this());
}

void Connection::drain() {
  if (is_closed_) return;
  session_->drain();
  flush();
  wait();
}

void Connection::tick(Executor::TimePoint now) {
  if (is_closed_) return;
  if (lingering_) {
    if (now - progress_at_ >= linger_time) close();
    return;
  }
  const auto write_timeout = context_.door.options().write_timeout;
  if (sent_ < out_.size() && write_timeout.count() > 0 && now - progress_at_ >= write_timeout) {
    context_.door.ended().timeout.add(1);
    return close();
  }
  in_session_ = true;
  session_->tick(now);
  in_session_ = false;
  flush();
  wait();
}

void Connection::close() {
  if (std::exchange(is_closed_, true)) return;
  stream_->close();
  if (Closed closed = std::exchange(closed_, nullptr)) closed(*this);
}

}  // namespace sluice::net
