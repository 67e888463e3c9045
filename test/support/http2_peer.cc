#include "test/support/http2_peer.h"

#include <nghttp2/nghttp2.h>

#include <cstring>

#include "pipeline/ensure.h"

namespace sluice::test {
namespace {

struct Outgoing {
  std::string bytes;
  bool last = false;
};

std::string text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string find(const Http2Peer::Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

struct Http2Peer::State {
  nghttp2_session* session = nullptr;
  std::map<std::int32_t, Outgoing> outgoing;

  ~State() { nghttp2_session_del(session); }

  static Http2Peer& peer(void* user) { return *static_cast<Http2Peer*>(user); }

  static ssize_t read(nghttp2_session*, std::int32_t stream, std::uint8_t* out, std::size_t size,
                      std::uint32_t* flags, nghttp2_data_source*, void* user) {
    Outgoing& outgoing = peer(user).state_->outgoing[stream];
    if (outgoing.bytes.empty() && !outgoing.last) return NGHTTP2_ERR_DEFERRED;
    const std::size_t taken = std::min(size, outgoing.bytes.size());
    std::memcpy(out, outgoing.bytes.data(), taken);
    outgoing.bytes.erase(0, taken);
    if (outgoing.last && outgoing.bytes.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(taken);
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user) {
    Reply& reply = peer(user).replies_[frame->hd.stream_id];
    Fields& fields = frame->headers.cat == NGHTTP2_HCAT_RESPONSE ? reply.fields : reply.trailers;
    fields.emplace_back(text(name, name_size), text(value, value_size));
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes,
                     std::size_t size, void* user) {
    peer(user).replies_[stream].data += text(bytes, size);
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Peer& self = peer(user);
    const bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_DATA:
      case NGHTTP2_HEADERS:
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
          self.replies_[frame->hd.stream_id].ended = true;
        break;
      case NGHTTP2_RST_STREAM:
        self.replies_[frame->hd.stream_id].reset = frame->rst_stream.error_code;
        break;
      case NGHTTP2_PING: ++(ack ? self.ping_acks_ : self.pings_); break;
      case NGHTTP2_SETTINGS:
        for (std::size_t index = 0; index < frame->settings.niv; ++index) {
          self.peer_settings[static_cast<std::uint16_t>(frame->settings.iv[index].settings_id)] =
              frame->settings.iv[index].value;
        }
        break;
      case NGHTTP2_GOAWAY:
        self.goaway_ = frame->goaway.error_code;
        self.goaway_text_ = text(frame->goaway.opaque_data, frame->goaway.opaque_data_len);
        self.goaway_last_ = frame->goaway.last_stream_id;
        break;
      default: break;
    }
    return 0;
  }
};

std::string Http2Peer::Reply::field(std::string_view name) const { return find(fields, name); }
std::string Http2Peer::Reply::trailer(std::string_view name) const { return find(trailers, name); }

Http2Peer::Http2Peer(std::uint32_t window) : state_(std::make_unique<State>()) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, State::on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, State::on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, State::on_frame);
  nghttp2_session_client_new(&state_->session, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window}};
  nghttp2_submit_settings(state_->session, NGHTTP2_FLAG_NONE, settings, 1);
}

Http2Peer::~Http2Peer() = default;

std::int32_t Http2Peer::begin(const Fields& fields, bool more) {
  std::vector<nghttp2_nv> pairs;
  for (const auto& [name, value] : fields) {
    auto* name_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
    auto* value_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
    pairs.push_back({name_bytes, value_bytes, name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  nghttp2_data_provider provider{};
  provider.read_callback = State::read;
  const std::int32_t stream = nghttp2_submit_request(
      state_->session, nullptr, pairs.data(), pairs.size(), more ? &provider : nullptr, nullptr);
  ensure(stream > 0, "a request is submitted");
  return stream;
}

void Http2Peer::data(std::int32_t stream, std::string_view bytes, bool last) {
  Outgoing& outgoing = state_->outgoing[stream];
  outgoing.bytes += bytes;
  outgoing.last = last;
  nghttp2_session_resume_data(state_->session, stream);
}

void Http2Peer::reset(std::int32_t stream, std::uint32_t code) {
  nghttp2_submit_rst_stream(state_->session, NGHTTP2_FLAG_NONE, stream, code);
}

void Http2Peer::ping() { nghttp2_submit_ping(state_->session, NGHTTP2_FLAG_NONE, nullptr); }

void Http2Peer::settings() {
  nghttp2_submit_settings(state_->session, NGHTTP2_FLAG_NONE, nullptr, 0);
}

Http2Peer::Fields Http2Peer::grpc_fields(std::string_view path) {
  return {{":method", "POST"},         {":scheme", "http"}, {":path", std::string(path)},
          {":authority", "test:4317"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
}

std::string Http2Peer::grpc_message(std::string_view message, char flags) {
  const auto size = static_cast<std::uint32_t>(message.size());
  std::string out{flags};
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xff);
  return out.append(message);
}

std::int32_t Http2Peer::grpc(std::string_view path, std::string_view message, Fields more) {
  Fields fields = grpc_fields(path);
  fields.insert(fields.end(), more.begin(), more.end());
  const std::int32_t stream = begin(fields, true);
  data(stream, grpc_message(message), true);
  return stream;
}

std::int32_t Http2Peer::post(std::string_view path, std::string_view body, Fields more) {
  Fields fields = {{":method", "POST"},
                   {":scheme", "http"},
                   {":path", std::string(path)},
                   {":authority", "test:4317"}};
  fields.insert(fields.end(), more.begin(), more.end());
  const std::int32_t stream = begin(fields, !body.empty());
  if (!body.empty()) data(stream, body, true);
  return stream;
}

std::string Http2Peer::output() {
  std::string out;
  for (;;) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(state_->session, &bytes);
    if (size <= 0) return out;
    out += text(bytes, static_cast<std::size_t>(size));
  }
}

void Http2Peer::receive(std::string_view bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(
      state_->session, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  ensure(taken == static_cast<ssize_t>(bytes.size()), "what a server sends is HTTP/2");
}

}  // namespace sluice::test
