// The connection under GrpcClient. nghttp2 keeps the protocol's state; the bytes of a body never
// pass through it: it asks for DATA frames with NGHTTP2_DATA_FLAG_NO_COPY, and what goes out is
// gathered as
//
//   frame header (9 B, in the arena) | slices of the batch's buffers | frame header | slices | …
//
// into one sendmsg for as much as flow control allows, at most write_max bytes. A request of 8,192
// spans is some 200 frames of 16 KiB (few peers allow larger ones), so a frame costs one call into
// nghttp2 and two or three entries of the gather list, and no copy.
//
// nghttp2 must not be entered from its own callbacks, so these only take notes; `settle` tells the
// owner when nghttp2 has returned.
#include "pipeline/net/http2_connection.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <utility>

#include "pipeline/ensure.h"
#include "pipeline/net/http2_frame.h"

namespace sluice::net {

namespace {

constexpr std::size_t write_max = 1 << 20;
constexpr std::size_t pieces_max = 1000;  // of the 1024 that one system call takes
constexpr std::size_t arena_size = 32 * 1024;
constexpr std::uint32_t frame_size_max = 64 * 1024;
constexpr std::uint32_t header_list_max = 64 * 1024;

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

/// The nghttp2 session and its callbacks.
struct Http2Connection::Session {
  explicit Session(Http2Connection& connection);
  ~Session() { nghttp2_session_del(handle); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  static Http2Connection& of(void* user) { return *static_cast<Http2Connection*>(user); }
  static GrpcCall* find(Http2Connection& connection, std::int32_t stream);
  static ssize_t on_send(nghttp2_session*, const std::uint8_t* data, std::size_t size, int,
                         void* user);
  static ssize_t on_read(nghttp2_session*, std::int32_t stream, std::uint8_t*, std::size_t size,
                         std::uint32_t* flags, nghttp2_data_source*, void* user);
  static ssize_t on_read_length(nghttp2_session*, std::uint8_t, std::int32_t,
                                std::int32_t session_window, std::int32_t stream_window,
                                std::uint32_t remote_max, void*);
  static int on_send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* header,
                          std::size_t size, nghttp2_data_source*, void* user);
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user);
  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t stream,
                     const std::uint8_t* data, std::size_t size, void* user);
  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static int on_frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* user);
  static int on_stream_close(nghttp2_session*, std::int32_t stream, std::uint32_t error_code,
                             void* user);

  nghttp2_session* handle = nullptr;
};

Http2Connection::Session::Session(Http2Connection& connection) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
  nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, on_read_length);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  nghttp2_session_client_new(&handle, callbacks, &connection);
  nghttp2_session_callbacks_del(callbacks);
  // Answers are small, so the default windows of 64 KiB do.
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, header_list_max}};
  nghttp2_submit_settings(handle, NGHTTP2_FLAG_NONE, settings, std::size(settings));
}

GrpcCall* Http2Connection::Session::find(Http2Connection& connection, std::int32_t stream) {
  for (const auto& call : connection.calls_) {
    if (call->stream == stream) return call.get();
  }
  return nullptr;
}

ssize_t Http2Connection::Session::on_send(nghttp2_session*, const std::uint8_t* data,
                                          std::size_t size, int, void* user) {
  Http2Connection& self = of(user);
  if (self.arena_.size() + size > arena_size) return NGHTTP2_ERR_WOULDBLOCK;
  const std::size_t at = self.arena_.size();
  self.arena_.insert(self.arena_.end(), data, data + size);
  self.out_.add({self.arena_.data() + at, size});
  return static_cast<ssize_t>(size);
}

ssize_t Http2Connection::Session::on_read(nghttp2_session*, std::int32_t stream, std::uint8_t*,
                                          std::size_t size, std::uint32_t* flags,
                                          nghttp2_data_source*, void* user) {
  const GrpcCall* const call = find(of(user), stream);
  if (call == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const std::size_t remaining = call->cursor.remaining();
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (remaining <= size) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(std::min(remaining, size));
}

/// Without it nghttp2 makes frames of 16 KiB, also where the peer takes larger ones.
ssize_t Http2Connection::Session::on_read_length(nghttp2_session*, std::uint8_t, std::int32_t,
                                                 std::int32_t session_window,
                                                 std::int32_t stream_window,
                                                 std::uint32_t remote_max, void*) {
  const std::int32_t window = std::min(session_window, stream_window);
  return std::min<ssize_t>(window, std::min(remote_max, frame_size_max));
}

int Http2Connection::Session::on_send_data(nghttp2_session*, nghttp2_frame* frame,
                                           const std::uint8_t* header, std::size_t size,
                                           nghttp2_data_source*, void* user) {
  Http2Connection& self = of(user);
  GrpcCall* const call = find(self, frame->hd.stream_id);
  if (call == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const bool full = self.out_.size() >= write_max || self.out_.piece_count() >= pieces_max;
  if (full || self.arena_.size() + http2::frame_header_size > arena_size)
    return NGHTTP2_ERR_WOULDBLOCK;
  on_send(nullptr, header, http2::frame_header_size, 0, user);
  call->cursor.take(size, self.out_);
  return 0;
}

int Http2Connection::Session::on_header(nghttp2_session*, const nghttp2_frame* frame,
                                        const std::uint8_t* name, std::size_t name_size,
                                        const std::uint8_t* value, std::size_t value_size,
                                        std::uint8_t, void* user) {
  GrpcCall* const call = find(of(user), frame->hd.stream_id);
  if (call != nullptr) call->reply.on_header(text(name, name_size), text(value, value_size));
  return 0;
}

int Http2Connection::Session::on_data(nghttp2_session* session, std::uint8_t, std::int32_t stream,
                                      const std::uint8_t* data, std::size_t size, void* user) {
  GrpcCall* const call = find(of(user), stream);
  if (call != nullptr && !call->reply.on_data(text(data, size))) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  }
  return 0;
}

int Http2Connection::Session::on_frame(nghttp2_session* session, const nghttp2_frame* frame,
                                       void* user) {
  Http2Connection& self = of(user);
  if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
    self.ready_ = true;
    self.settings_deadline_.cancel();
  }
  if (frame->hd.type == NGHTTP2_GOAWAY) self.draining_ = true;
  if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
    self.ping_deadline_.cancel();
  const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
                    (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA);
  const GrpcCall* const call = ends ? find(self, frame->hd.stream_id) : nullptr;
  if (call != nullptr && call->cursor.remaining() > 0) {
    // Answered before the body was through: the rest is of no use to anyone.
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_CANCEL);
  }
  return 0;
}

int Http2Connection::Session::on_frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int,
                                                void* user) {
  if (frame->hd.type == NGHTTP2_HEADERS) of(user).refuse(of(user).take(frame->hd.stream_id));
  return 0;
}

int Http2Connection::Session::on_stream_close(nghttp2_session*, std::int32_t stream,
                                              std::uint32_t error_code, void* user) {
  of(user).finish(of(user).take(stream), error_code);
  return 0;
}

Http2Connection::Http2Connection(EventLoop& loop, const SocketAddress& address,
                                 const Options& options, Owner& owner)
    : loop_(loop),
      options_(options),
      owner_(owner),
      stream_(ClientStream::connect(loop, address, *this)) {}

Http2Connection::~Http2Connection() { stream_->close(); }

void Http2Connection::send(std::unique_ptr<GrpcCall> call) {
  ensure(is_ready(), "calls go to a ready connection");
  submit(*call);
  call->connection = this;
  if (call->stream < 0) {
    draining_ = true;  // out of stream ids: two thousand million calls
    refuse(std::move(call));
  } else {
    calls_.push_back(std::move(call));
  }
  watch();
  pump();
}

void Http2Connection::submit(GrpcCall& call) {
  std::vector<nghttp2_nv> headers = {
      field(":method", "POST"),
      field(":scheme", options_.tls == nullptr ? "http" : "https"),
      field(":path", call.request.path),
      field(":authority", options_.authority),
      field("te", "trailers"),
      field("content-type", "application/grpc"),
      field("user-agent", options_.user_agent),
      field("grpc-accept-encoding", "identity,gzip"),
  };
  if (call.request.encoding != Encoding::none) {
    headers.push_back(field("grpc-encoding", grpc_encoding_name(call.request.encoding)));
  }
  std::string timeout;
  if (call.due != Executor::TimePoint::max()) {
    timeout = grpc_timeout(
        std::max<Executor::Duration>(call.due - loop_.now(), std::chrono::milliseconds(1)));
    headers.push_back(field("grpc-timeout", timeout));
  }
  for (const auto& [name, value] : call.request.headers) headers.push_back(field(name, value));
  nghttp2_data_provider body{};
  body.read_callback = Session::on_read;
  call.stream = nghttp2_submit_request(session_->handle, nullptr, headers.data(), headers.size(),
                                       &body, nullptr);
}

ClientDone Http2Connection::cancel(GrpcCall& call) {
  std::unique_ptr<GrpcCall> owned = take(call.stream);
  ClientDone done = std::move(owned->done);
  nghttp2_submit_rst_stream(session_->handle, NGHTTP2_FLAG_NONE, owned->stream, NGHTTP2_CANCEL);
  // Nothing heard since the call began: either the peer is slow or it is gone, and only a question
  // tells.
  if (last_heard_ <= owned->started) ping();
  retire(std::move(owned));
  pump();
  return done;
}

void Http2Connection::drain() {
  draining_ = announced_goaway_ = true;
  close_when_drained();
}

void Http2Connection::abandon(const std::string& reason) {
  if (std::exchange(closed_, true)) return;
  stream_->close();
  stop_timers();
  for (const auto& call : std::exchange(calls_, {})) {
    finished_.push_back({std::move(call->done), {.failed = true, .message = reason}});
  }
  for (const auto& call : std::exchange(refused_, {})) {
    finished_.push_back({std::move(call->done), {.failed = true, .message = reason}});
  }
  settle();
}

void Http2Connection::on_connected() {
  if (options_.tls != nullptr && !std::exchange(secured_, true)) {
    stream_->secure(options_.tls, options_.tls_name, "h2");
    return;
  }
  arena_.reserve(arena_size);
  session_ = std::make_unique<Session>(*this);
  settings_deadline_ = loop_.after(options_.keepalive_timeout,
                                   [this] { lose("the peer does not begin to speak HTTP/2"); });
  pump();
}

void Http2Connection::on_bytes(std::string_view bytes) {
  last_heard_ = loop_.now();
  busy_ = true;
  const ssize_t used = nghttp2_session_mem_recv(
      session_->handle, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  busy_ = false;
  if (used < 0)
    return lose(std::string("broken HTTP/2 from the peer: ") +
                nghttp2_strerror(static_cast<int>(used)));
  pump();
}

void Http2Connection::on_writable() { pump(); }
void Http2Connection::on_lost(const std::string& reason) { lose(reason); }

void Http2Connection::pump() {
  if (busy_ || closed_ || session_ == nullptr) return;
  while (flush()) {
    busy_ = true;
    const int result = nghttp2_session_send(session_->handle);
    busy_ = false;
    if (result != 0) return lose(std::string("HTTP/2: ") + nghttp2_strerror(result));
    if (out_.empty()) break;
  }
  settle();
  // nghttp2 has given the peer up, and its GOAWAY is written.
  const bool over = nghttp2_session_want_read(session_->handle) == 0 &&
                    nghttp2_session_want_write(session_->handle) == 0;
  if (over && !draining_)
    return lose(ready_ ? "broken HTTP/2 from the peer" : "the peer does not speak HTTP/2");
  close_when_drained();
}

/// True when nothing is left to write, so that more may be gathered.
bool Http2Connection::flush() {
  // A stream under TLS may have taken all pieces over without having sent them.
  if (!out_.empty() || blocked_) blocked_ = !stream_->write(out_);
  if (blocked_) return false;
  arena_.clear();
  retired_.clear();
  return true;
}

/// Tells the owner what happened. Every list is taken first: the owner's calls may add to them.
void Http2Connection::settle() {
  for (Finished& item : std::exchange(finished_, {}))
    owner_.on_finished(std::move(item.done), std::move(item.response));
  if (draining_ && !announced_goaway_ && !announced_ready_ && !closed_)
    return lose("the peer turned the connection away");
  if (is_ready() && !std::exchange(announced_ready_, true)) {
    watch();
    owner_.on_ready(*this);
  }
  if (draining_ && !closed_ && !std::exchange(announced_goaway_, true)) owner_.on_goaway(*this);
  for (auto& call : std::exchange(refused_, {})) owner_.on_refused(std::move(call));
}

void Http2Connection::lose(const std::string& reason) {
  if (std::exchange(closed_, true)) return;
  stream_->close();
  stop_timers();
  for (auto& call : std::exchange(calls_, {})) {
    ClientResponse response = call->reply.finish(NGHTTP2_INTERNAL_ERROR);
    if (response.failed) response.message = reason;
    finished_.push_back({std::move(call->done), std::move(response)});
  }
  settle();
  owner_.on_closed(*this, reason);
}

void Http2Connection::stop_timers() {
  keepalive_.cancel();
  ping_deadline_.cancel();
  settings_deadline_.cancel();
  closing_.cancel();
}

std::unique_ptr<GrpcCall> Http2Connection::take(std::int32_t stream) {
  const auto found =
      std::ranges::find_if(calls_, [stream](const auto& call) { return call->stream == stream; });
  if (found == calls_.end()) return nullptr;
  std::unique_ptr<GrpcCall> call = std::move(*found);
  calls_.erase(found);
  return call;
}

void Http2Connection::finish(std::unique_ptr<GrpcCall> call, std::uint32_t error_code) {
  if (call == nullptr) return;
  if (error_code == NGHTTP2_REFUSED_STREAM && !call->reply.has_status() && !call->resent)
    return refuse(std::move(call));
  call->deadline.cancel();
  finished_.push_back({std::move(call->done), call->reply.finish(error_code)});
  retire(std::move(call));
}

void Http2Connection::refuse(std::unique_ptr<GrpcCall> call) {
  if (call == nullptr) return;
  // A fresh one: the output may point into this one's body.
  auto again = std::make_unique<GrpcCall>(call->request, std::move(call->done));
  again->started = call->started;
  again->due = call->due;
  again->resent = true;
  refused_.push_back(std::move(again));
  call->deadline.cancel();
  retire(std::move(call));
}

void Http2Connection::retire(std::unique_ptr<GrpcCall> call) {
  call->deadline.cancel();
  if (!out_.empty()) retired_.push_back(std::move(call));
}

void Http2Connection::close_when_drained() {
  if (!draining_ || !calls_.empty() || closed_ || closing_) return;
  // Not at once: the owner may be the caller, in the middle of its list of connections.
  closing_ = loop_.after({}, [this] {
    if (calls_.empty()) lose("closed after GOAWAY");
  });
}

/// Starts the keepalive clock where one is wanted and none runs.
void Http2Connection::watch() {
  const bool wanted = !calls_.empty() || options_.keepalive_without_stream;
  if (options_.keepalive_time.count() == 0 || !wanted || keepalive_ || closed_) return;
  const auto silent = loop_.now() - last_heard_;
  const auto wait =
      std::max<Executor::Duration>(options_.keepalive_time - silent, std::chrono::milliseconds(1));
  keepalive_ = loop_.after(wait, [this] { keep_alive(); });
}

void Http2Connection::keep_alive() {
  keepalive_.cancel();
  if (loop_.now() - last_heard_ >= options_.keepalive_time) {
    ping();
    pump();
    last_heard_ = loop_.now();  // the next question after the next interval
  }
  watch();
}

void Http2Connection::ping() {
  if (ping_deadline_) return;
  nghttp2_submit_ping(session_->handle, NGHTTP2_FLAG_NONE, nullptr);
  ping_deadline_ =
      loop_.after(options_.keepalive_timeout, [this] { lose("no answer to a keepalive ping"); });
}

}  // namespace sluice::net
