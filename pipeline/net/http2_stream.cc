#include "pipeline/net/http2_stream.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace sluice::net {
namespace {

constexpr std::size_t field_overhead = 32;  // RFC 9113, section 6.5.2

bool has_body(const Response& response) { return response.status != 204 && response.status != 304; }

}  // namespace

/// Header fields on their way to nghttp2, which copies neither names nor values.
class Http2Stream::Fields {
 public:
  void add(std::string_view name, std::string_view value) {
    list_.push_back({bytes(name), bytes(value), name.size(), value.size(),
                     NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE});
  }
  void clear() { list_.clear(); }
  const nghttp2_nv* data() const { return list_.data(); }
  std::size_t size() const { return list_.size(); }

 private:
  static std::uint8_t* bytes(std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(
        const_cast<char*>(text.data()));  // nghttp2 does not write to it
  }
  std::vector<nghttp2_nv> list_;
};

void Http2Stream::add_field(std::string_view name, std::string_view value,
                            const ServerOptions& options) {
  head_size_ += name.size() + value.size() + field_overhead;
  Head& fields = head();
  if (head_size_ > options.header_bytes_max || fields.lines.count() >= options.header_lines_max) {
    head_too_large_ = true;
    return;
  }
  if (fields.lines.count() == 0 && head_size_ == name.size() + value.size() + field_overhead)
    fields.lines.reserve(512, 16);
  if (!name.starts_with(':')) {
    if (name == "content-length") {
      // nghttp2 has seen to it that it is one number and that the data adds up to it.
      std::uint64_t length = 0;
      for (const char c : value) length = length * 10 + static_cast<std::uint64_t>(c - '0');
      fields.content_length = length;
    }
    return fields.lines.add(name, value);
  }
  if (name == ":method") fields.method = fields.lines.keep(value);
  if (name == ":authority") fields.authority = fields.lines.keep(value);
  if (name == ":path") {
    const std::size_t question = value.find('?');
    fields.path = fields.lines.keep(value.substr(0, question));
    if (question != std::string_view::npos)
      fields.query = fields.lines.keep(value.substr(question + 1));
  }
}

void Http2Stream::deliver(Response response) {
  if (owner_ == nullptr) return;
  response_ = std::move(response);
  owner_->send_answer(*this);
}

bool Http2Stream::submit(nghttp2_session* session) {
  thread_local Fields fields;
  fields.clear();
  bool with_data = false;
  if (is_grpc()) {
    with_data = response_.grpc == GrpcCode::ok;
    grpc_fields(fields);
  } else {
    with_data = has_body(response_) && !response_.body.empty() && !is_head_request();
    http_fields(fields);
  }
  nghttp2_data_provider provider{};
  provider.source.ptr = this;
  provider.read_callback = [](nghttp2_session* from, std::int32_t, std::uint8_t* out,
                              std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                              void*) -> ssize_t {
    return static_cast<Http2Stream*>(source->ptr)->read(out, size, *flags, from);
  };
  answered_at_ = executor().now();
  return nghttp2_submit_response(session, id_, fields.data(), fields.size(),
                                 with_data ? &provider : nullptr) == 0;
}

void Http2Stream::http_fields(Fields& fields) {
  status_ = std::to_string(response_.status);
  fields.add(":status", status_);
  if (!response_.content_type.empty()) fields.add("content-type", response_.content_type);
  if (has_body(response_)) {
    length_ = std::to_string(response_.body.size());
    fields.add("content-length", length_);
  }
  if (response_.retry_after) {
    retry_ =
        std::to_string(std::chrono::ceil<std::chrono::seconds>(*response_.retry_after).count());
    fields.add("retry-after", retry_);
  }
  for (const auto& [name, value] : response_.headers) fields.add(name, value);
}

void Http2Stream::grpc_fields(Fields& fields) {
  fields.add(":status", "200");
  fields.add("content-type", "application/grpc");
  if (response_.grpc == GrpcCode::ok) {
    reply_prefix_ = grpc::make_prefix(static_cast<std::uint32_t>(response_.body.size()));
  } else {
    status_fields(fields);
  }
  for (const auto& [name, value] : response_.headers) fields.add(name, value);
}

/// Trailers, or the end of a reply that has nothing else ("Trailers-Only").
void Http2Stream::status_fields(Fields& fields) {
  status_ = std::to_string(static_cast<int>(response_.grpc));
  fields.add("grpc-status", status_);
  if (!response_.message.empty()) {
    message_ = grpc::percent_encode(response_.message);
    fields.add("grpc-message", message_);
  }
  if (response_.retry_after) {
    retry_ = grpc::retry_details(response_.grpc, response_.message, *response_.retry_after);
    fields.add("grpc-status-details-bin", retry_);
  }
}

std::ptrdiff_t Http2Stream::read(std::uint8_t* out, std::size_t size, std::uint32_t& flags,
                                 nghttp2_session* session) {
  std::size_t filled = 0;
  const auto copy = [&](std::string_view bytes, std::size_t skipped) {
    if (sent_ < skipped || sent_ - skipped >= bytes.size()) return;
    const std::string_view rest = bytes.substr(sent_ - skipped, size - filled);
    std::memcpy(out + filled, rest.data(), rest.size());
    filled += rest.size();
    sent_ += rest.size();
  };
  const std::size_t prefix_size = is_grpc() ? reply_prefix_.size() : 0;
  if (is_grpc()) copy({reply_prefix_.data(), prefix_size}, 0);
  copy(response_.body, prefix_size);
  if (sent_ == prefix_size + response_.body.size()) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    if (is_grpc()) {
      thread_local Fields trailers;
      trailers.clear();
      status_fields(trailers);
      flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      nghttp2_submit_trailer(session, id_, trailers.data(), trailers.size());
    }
  }
  return static_cast<std::ptrdiff_t>(filled);
}

}  // namespace sluice::net
