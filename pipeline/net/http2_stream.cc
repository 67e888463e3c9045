#include "pipeline/net/http2_stream.h"

#include <algorithm>
#include <utility>

#include "pipeline/net/field_values.h"
#include "pipeline/net/http2_frame.h"

namespace sluice::net {
namespace {

using http2::FrameType;
namespace flag = http2::flag;

bool has_body(const Response& response) { return response.status != 204 && response.status != 304; }

/// Fields that concern one connection have no place in HTTP/2, but for one (RFC 9113, section
/// 8.2.2).
bool is_connection_specific(std::string_view name, std::string_view value) {
  return is_hop_by_hop(name) && !(name == "te" && equals_ignoring_case(value, "trailers"));
}

/// A header block as HEADERS and as many CONTINUATIONs as it takes.
void append_block(std::string& out, std::string_view block, std::size_t frame_size_max,
                  std::uint8_t flags, std::int32_t stream) {
  FrameType type = FrameType::headers;
  do {
    const std::string_view piece = block.substr(0, frame_size_max);
    block.remove_prefix(piece.size());
    const std::uint8_t end = block.empty() ? flag::end_headers : 0;
    http2::append_frame(out, type, flags | end, stream, piece);
    type = FrameType::continuation;
    flags = 0;
  } while (!block.empty());
}

// A reply that has nothing to say, as nearly all are: written out, since a field at a time they
// took 5 % of the instructions of a request of ten spans. A literal's name may be that of the
// static table (RFC 7541, section 6.2.2), which has content-type as 31: 15 + 16.
constexpr std::string_view grpc_head =
    "\x88\x0f\x10\x10"
    "application/grpc";
constexpr std::string_view grpc_ok{
    "\0\x0bgrpc-status\x01"
    "0",
    15};

std::string& begin_block(Http2Stream::Sending& sending) {
  thread_local std::string block;
  block.clear();
  if (std::exchange(sending.must_say_table_size, false)) block += hpack::empty_table;
  return block;
}

}  // namespace

bool Http2Stream::add_field(const hpack::Field& field, const ServerOptions& options) {
  constexpr std::size_t initial_bytes = 512, initial_lines = 16;
  if (!field.has_good_name || !field.has_good_value) return false;
  const std::string_view name = field.name;
  // No blanks should be around it; gRPC lets a server strip what comes nevertheless, as with a key
  // that was read from a file.
  const std::string_view value = trimmed(field.value);
  head_size_ += name.size() + value.size() + hpack::entry_overhead;
  Head& fields = head();
  if (head_size_ > options.header_bytes_max || fields.lines.count() >= options.header_lines_max)
    head_too_large_ = true;
  if (head_too_large_) return true;
  if (fields.lines.size() == 0) fields.lines.reserve(initial_bytes, initial_lines);

  const auto set = [&fields](HeadLines::Place& place, std::string_view text) {
    if (place.size > 0) return false;
    place = fields.lines.keep(text);
    return true;
  };
  if (!name.starts_with(':')) {
    has_fields_ = true;
    if (is_connection_specific(name, value)) return false;
    if (name == "content-length") {
      if (fields.content_length) return false;
      fields.content_length = parse_length(value);
      if (!fields.content_length) return false;
    }
    has_host_ = has_host_ || name == "host";
    fields.lines.add(name, value);
    return true;
  }
  if (has_fields_) return false;
  if (name == ":path") {
    const std::size_t question = value.find('?');
    if (question != std::string_view::npos)
      fields.query = fields.lines.keep(value.substr(question + 1));
    return set(fields.path, value.substr(0, question));
  }
  if (name == ":method") return set(fields.method, value);
  if (name == ":scheme") return !std::exchange(has_scheme_, true);
  if (name == ":authority") return set(fields.authority, value);
  return false;
}

bool Http2Stream::head_is_whole() const {
  if (head_too_large_) return true;
  const Head& fields = head();
  const std::string_view method = fields.lines.text(fields.method);
  const std::string_view path = fields.lines.text(fields.path);
  const bool has_authority = fields.authority.size > 0 || has_host_;
  if (method == "CONNECT") return has_authority && path.empty() && !has_scheme_;
  const bool is_path = path.starts_with('/') || (path == "*" && method == "OPTIONS");
  return !method.empty() && is_path && has_scheme_ && has_authority;
}

bool Http2Stream::counts(std::size_t bytes, bool last) {
  body_size_ += bytes;
  const std::optional<std::uint64_t> length = head().content_length;
  return !length || (last ? body_size_ == *length : body_size_ <= *length);
}

void Http2Stream::deliver(Response response) {
  if (owner_ == nullptr) return;
  response_ = std::move(response);
  answered_at_ = executor().now();
  owner_->send_answer(*this);
}

bool Http2Stream::has_data() const {
  if (is_grpc()) return response_.grpc == GrpcCode::ok;
  return has_body(response_) && !response_.body.empty() && !is_head_request();
}

bool Http2Stream::write_answer(std::string& out, std::size_t size_max, Sending& sending) {
  if (!is_head_sent_) {
    is_head_sent_ = true;
    if (is_grpc()) prefix_ = grpc::make_prefix(static_cast<std::uint32_t>(response_.body.size()));
    append_head(out, sending, !has_data());
  }
  if (!has_data()) return true;
  const std::size_t size = (is_grpc() ? prefix_.size() : 0) + response_.body.size();
  while (sent_ < size) {
    const std::int64_t window = std::min(send_window, sending.window);
    if (window <= 0 || out.size() >= size_max) return false;
    const std::size_t piece =
        std::min({size - sent_, sending.frame_size_max, static_cast<std::size_t>(window)});
    const bool last = !is_grpc() && sent_ + piece == size;
    http2::append_frame_header(out, piece, FrameType::data, last ? flag::end_stream : 0, id_);
    append_data(out, piece);
    sent_ += piece;
    send_window -= static_cast<std::int64_t>(piece);
    sending.window -= static_cast<std::int64_t>(piece);
  }
  if (is_grpc()) append_trailers(out, sending);
  return true;
}

/// The next `size` bytes of prefix and body.
void Http2Stream::append_data(std::string& out, std::size_t size) const {
  const std::size_t prefix = is_grpc() ? prefix_.size() : 0;
  const std::size_t of_prefix = sent_ < prefix ? std::min(prefix - sent_, size) : 0;
  out.append(prefix_.data() + std::min(sent_, prefix), of_prefix);
  const std::size_t of_body = size - of_prefix;
  if (of_body > 0) out.append(response_.body, sent_ + of_prefix - prefix, of_body);
}

void Http2Stream::append_head(std::string& out, Sending& sending, bool last) const {
  std::string& block = begin_block(sending);
  if (is_grpc()) {
    block += grpc_head;
    if (response_.grpc != GrpcCode::ok) append_status(block);
  } else {
    hpack::append(block, ":status", std::to_string(response_.status));
    if (!response_.content_type.empty())
      hpack::append(block, "content-type", response_.content_type);
    if (has_body(response_))
      hpack::append(block, "content-length", std::to_string(response_.body.size()));
    if (response_.retry_after) {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(*response_.retry_after);
      hpack::append(block, "retry-after", std::to_string(seconds.count()));
    }
  }
  for (const auto& [name, value] : response_.headers) hpack::append(block, name, value);
  append_block(out, block, sending.frame_size_max, last ? flag::end_stream : 0, id_);
}

void Http2Stream::append_trailers(std::string& out, Sending& sending) const {
  std::string& block = begin_block(sending);
  if (response_.message.empty() && !response_.retry_after)
    block += grpc_ok;
  else
    append_status(block);
  append_block(out, block, sending.frame_size_max, flag::end_stream, id_);
}

/// Trailers, or the end of a reply that has nothing else ("Trailers-Only").
void Http2Stream::append_status(std::string& block) const {
  hpack::append(block, "grpc-status", std::to_string(static_cast<int>(response_.grpc)));
  if (!response_.message.empty())
    hpack::append(block, "grpc-message", grpc::percent_encode(response_.message));
  if (response_.retry_after) {
    hpack::append(block, "grpc-status-details-bin",
                  grpc::retry_details(response_.grpc, response_.message, *response_.retry_after));
  }
}

}  // namespace sluice::net
