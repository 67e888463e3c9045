#include "test/support/h2_server.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace sluice::test {

namespace {

std::vector<nghttp2_nv> fields(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : headers) {
    list.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), 0});
  }
  return list;
}

}  // namespace

struct H2Server::Connection {
  struct Stream {
    Seen seen;
    Answer answer;
    std::size_t sent = 0;
    bool answered = false;
  };

  Connection(H2Server& server, Peer& to);
  ~Connection() { nghttp2_session_del(session); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void answer(std::int32_t id, Stream& stream);
  void submit(std::int32_t id, Stream& stream);

  static Connection& of(void* user) { return *static_cast<Connection*>(user); }
  static ssize_t on_send(nghttp2_session*, const std::uint8_t* data, std::size_t size, int,
                         void* user);
  static int on_begin(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user);
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user);
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user);
  static ssize_t on_read(nghttp2_session*, std::int32_t id, std::uint8_t* out, std::size_t size,
                         std::uint32_t* flags, nghttp2_data_source*, void* user);

  H2Server& owner;
  Peer& peer;
  nghttp2_session* session = nullptr;
  std::map<std::int32_t, Stream> streams;
  std::size_t number = 0;
  bool hang_up = false;
};

H2Server::Connection::Connection(H2Server& server, Peer& to) : owner(server), peer(to) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_ping_ack(option, owner.options_.ack_pings ? 0 : 1);
  nghttp2_session_server_new2(&session, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, owner.options_.streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, owner.options_.window}};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 2);
}

ssize_t H2Server::Connection::on_send(nghttp2_session*, const std::uint8_t* data, std::size_t size,
                                      int, void* user) {
  const bool written = of(user).peer.write({reinterpret_cast<const char*>(data), size});
  return written ? static_cast<ssize_t>(size) : static_cast<ssize_t>(NGHTTP2_ERR_CALLBACK_FAILURE);
}

int H2Server::Connection::on_begin(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Connection& self = of(user);
  Seen& seen = self.streams[frame->hd.stream_id].seen;
  seen.connection = self.number;
  seen.server_name = self.peer.server_name();
  const std::lock_guard lock(self.owner.mutex_);
  self.owner.streams_at_once_ =
      std::max(self.owner.streams_at_once_, static_cast<std::uint32_t>(self.streams.size()));
  return 0;
}

int H2Server::Connection::on_header(nghttp2_session*, const nghttp2_frame* frame,
                                    const std::uint8_t* name, std::size_t name_size,
                                    const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                                    void* user) {
  of(user).streams[frame->hd.stream_id].seen.headers.emplace(
      std::string(reinterpret_cast<const char*>(name), name_size),
      std::string(reinterpret_cast<const char*>(value), value_size));
  return 0;
}

int H2Server::Connection::on_data(nghttp2_session*, std::uint8_t, std::int32_t id,
                                  const std::uint8_t* data, std::size_t size, void* user) {
  const auto found = of(user).streams.find(id);
  if (found != of(user).streams.end())
    found->second.seen.body.append(reinterpret_cast<const char*>(data), size);
  return 0;
}

int H2Server::Connection::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Connection& self = of(user);
  if (frame->hd.type == NGHTTP2_RST_STREAM || frame->hd.type == NGHTTP2_PING) {
    const std::lock_guard lock(self.owner.mutex_);
    ++(frame->hd.type == NGHTTP2_PING ? self.owner.pings_ : self.owner.resets_);
    self.owner.changed_.notify_all();
  }
  const auto found = self.streams.find(frame->hd.stream_id);
  if (found == self.streams.end()) return 0;
  Stream& stream = found->second;
  const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  const bool at_headers =
      self.owner.options_.answer_at_headers && frame->hd.type == NGHTTP2_HEADERS;
  if ((at_headers || ends) && !stream.answered) self.answer(frame->hd.stream_id, stream);
  return 0;
}

void H2Server::Connection::answer(std::int32_t id, Stream& stream) {
  stream.answered = true;
  stream.answer = owner.script_(stream.seen);
  {
    const std::lock_guard lock(owner.mutex_);
    owner.seen_.push_back(stream.seen);
    owner.changed_.notify_all();
  }
  if (stream.answer.close) hang_up = true;
  if (stream.answer.silent || stream.answer.close) return;
  if (stream.answer.goaway_before) {
    nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, std::max(id - 2, 0), NGHTTP2_NO_ERROR,
                          nullptr, 0);
  } else if (stream.answer.reset != 0) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, stream.answer.reset);
  } else {
    submit(id, stream);
    if (stream.answer.goaway_after)
      nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR, nullptr, 0);
  }
}

void H2Server::Connection::submit(std::int32_t id, Stream& stream) {
  std::vector<nghttp2_nv> head = fields(stream.answer.headers);
  nghttp2_data_provider body{};
  body.read_callback = on_read;
  const bool only_trailers = stream.answer.trailers.empty() && stream.answer.body.empty();
  nghttp2_submit_response(session, id, head.data(), head.size(), only_trailers ? nullptr : &body);
}

int H2Server::Connection::on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
  of(user).streams.erase(id);
  return 0;
}

ssize_t H2Server::Connection::on_read(nghttp2_session* session, std::int32_t id, std::uint8_t* out,
                                      std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                                      void* user) {
  Stream& stream = of(user).streams.at(id);
  const std::size_t part = std::min(size, stream.answer.body.size() - stream.sent);
  std::memcpy(out, stream.answer.body.data() + stream.sent, part);
  stream.sent += part;
  if (stream.sent < stream.answer.body.size()) return static_cast<ssize_t>(part);
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (!stream.answer.trailers.empty()) {
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const std::vector<nghttp2_nv> trailers = fields(stream.answer.trailers);
    nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
  }
  return static_cast<ssize_t>(part);
}

H2Server::H2Server(Options options, Script script)
    : options_(std::move(options)),
      script_(std::move(script)),
      server_(options_.socket, [this](Peer& peer) { serve(peer); }) {}

void H2Server::serve(Peer& peer) {
  Connection connection(*this, peer);
  {
    const std::lock_guard lock(mutex_);
    connection.number = ++connections_;
  }
  for (;;) {
    if (options_.settings && nghttp2_session_send(connection.session) != 0) return;
    const std::string bytes = peer.read();
    if (bytes.empty() || !options_.settings) {
      if (bytes.empty()) return;
      continue;
    }
    const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (nghttp2_session_mem_recv(connection.session, data, bytes.size()) < 0 || connection.hang_up)
      return;
  }
}

std::vector<H2Server::Seen> H2Server::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

std::uint32_t H2Server::streams_at_once() const {
  const std::lock_guard lock(mutex_);
  return streams_at_once_;
}

std::size_t H2Server::resets() const {
  const std::lock_guard lock(mutex_);
  return resets_;
}

void H2Server::wait_for_seen(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return seen_.size() >= count; });
}

void H2Server::wait_for_resets(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return resets_ >= count; });
}

void H2Server::wait_for_pings(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return pings_ >= count; });
}

std::string grpc_message(std::string_view message, bool compressed) {
  std::string framed(1, compressed ? '\1' : '\0');
  for (int shift = 24; shift >= 0; shift -= 8)
    framed += static_cast<char>(message.size() >> shift & 255);
  return framed.append(message);
}

}  // namespace sluice::test
