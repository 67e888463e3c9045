// The gRPC half of a call; HTTP/2 is http2_connection.cc. A message on the wire is
//
//   compressed flag (1 byte) | length (4 bytes, big endian) | message
//
// in DATA frames, one message each way. The answer is response headers, DATA, trailers; or, where
// there is nothing to say but the status, trailers alone. Source: "gRPC over HTTP2"; the mapping of
// HTTP status codes is that of "HTTP to gRPC Status Code Mapping".
#include "pipeline/net/grpc_call.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "pipeline/codec/base64.h"

namespace sluice::net {

namespace {

constexpr std::size_t response_max = 4 << 20;
constexpr std::size_t prefix_size = 5;

GrpcCode from_http(int status) {
  switch (status) {
    case 400: return GrpcCode::internal;
    case 401: return GrpcCode::unauthenticated;
    case 403: return GrpcCode::permission_denied;
    case 404: return GrpcCode::unimplemented;
    case 429:
    case 502:
    case 503:
    case 504: return GrpcCode::unavailable;
    default: return GrpcCode::unknown;
  }
}

std::string_view reset_name(std::uint32_t error_code) {
  constexpr std::array<std::string_view, 14> names = {"NO_ERROR",
                                                      "PROTOCOL_ERROR",
                                                      "INTERNAL_ERROR",
                                                      "FLOW_CONTROL_ERROR",
                                                      "SETTINGS_TIMEOUT",
                                                      "STREAM_CLOSED",
                                                      "FRAME_SIZE_ERROR",
                                                      "REFUSED_STREAM",
                                                      "CANCEL",
                                                      "COMPRESSION_ERROR",
                                                      "CONNECT_ERROR",
                                                      "ENHANCE_YOUR_CALM",
                                                      "INADEQUATE_SECURITY",
                                                      "HTTP_1_1_REQUIRED"};
  return error_code < names.size() ? names[error_code] : "an unknown code";
}

int parse_int(std::string_view text, int fallback) {
  int value = fallback;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : fallback;
}

int hex(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

MessageCursor::MessageCursor(const EncodedBatch& body, bool compressed) : body_(&body) {
  prefix_[0] = compressed ? 1 : 0;
  for (int index = 0; index < 4; ++index) {
    prefix_[1 + index] = static_cast<char>(body.size >> (24 - 8 * index) & 255);
  }
  rewind();
}

void MessageCursor::rewind() {
  piece_ = offset_ = 0;
  remaining_ = prefix_size + body_->size;
}

std::string_view MessageCursor::piece(std::size_t index) const {
  if (index == 0) return prefix();
  const EncodedBatch::Slice& slice = body_->slices[index - 1];
  return {slice.data, slice.size};
}

void MessageCursor::take(std::size_t size, Gather& gather) {
  remaining_ -= size;
  while (size > 0) {
    const std::string_view rest = piece(piece_).substr(offset_);
    const std::string_view part = rest.substr(0, size);
    gather.add(part);
    size -= part.size();
    offset_ += part.size();
    if (part.size() < rest.size()) return;
    ++piece_;
    offset_ = 0;
  }
}

GrpcCall::GrpcCall(ClientRequest what, ClientDone whom)
    : request(std::move(what)),
      done(std::move(whom)),
      cursor(request.body, request.encoding != Encoding::none) {}

void GrpcReply::on_header(std::string_view name, std::string_view value) {
  if (name == ":status") http_status_ = parse_int(value, 0);
  if (name == "grpc-status") grpc_status_ = std::max(parse_int(value, 2), 0);
  if (name == "grpc-message") message_ = percent_decode(value);
  if (name == "grpc-status-details-bin") details_ = base64::decoded(value).value_or("");
  if (name == "grpc-encoding") encoding_ = value;
  if (name == "content-type") content_type_ = value;
}

bool GrpcReply::on_data(std::string_view bytes) {
  too_large_ = data_.size() + bytes.size() > response_max + prefix_size;
  if (!too_large_) data_ += bytes;
  return !too_large_;
}

ClientResponse GrpcReply::finish(std::uint32_t error_code) {
  ClientResponse response;
  response.status = http_status_;
  response.content_type = std::move(content_type_);
  if (too_large_) {
    response.failed = true;
    response.message = "the response is larger than 4 MiB";
  } else if (has_status()) {
    // Whatever comes after the status (a server may reset what it need not read) changes nothing.
    response.grpc = grpc_status_ <= 16 ? static_cast<GrpcCode>(grpc_status_) : GrpcCode::unknown;
    response.message = std::move(message_);
    response.status_details = std::move(details_);
    if (response.grpc == GrpcCode::ok && !read_message(response)) {
      response.grpc = GrpcCode::internal;
      response.message = "the response is no gRPC message";
    }
  } else if (http_status_ != 0 && http_status_ != 200) {
    response.grpc = from_http(http_status_);
    response.message = "HTTP status " + std::to_string(http_status_) + " without a grpc-status";
  } else if (error_code != 0) {
    response.failed = true;
    response.message = "stream reset with " + std::string(reset_name(error_code));
  } else {
    response.failed = true;
    response.message = "the response ended without a grpc-status";
  }
  return response;
}

bool GrpcReply::read_message(ClientResponse& response) {
  if (data_.size() < prefix_size) return false;
  std::size_t size = 0;
  for (int index = 1; index < 5; ++index)
    size = size << 8 | static_cast<unsigned char>(data_[static_cast<std::size_t>(index)]);
  if (size != data_.size() - prefix_size || data_[0] < 0 || data_[0] > 1) return false;
  const std::string_view message = std::string_view(data_).substr(prefix_size);
  if (data_[0] == 0) {
    response.body = message;
    return true;
  }
  const std::optional<Encoding> encoding = parse_encoding(encoding_);
  BufferWriter out;
  if (!encoding || *encoding == Encoding::none) return false;
  if (inflate(*encoding, message, response_max, out) != InflateError::none) return false;
  response.body = out.bytes();
  return true;
}

std::string_view grpc_encoding_name(Encoding encoding) {
  return encoding == Encoding::snappy_framed ? "snappy" : encoding_name(encoding);
}

std::string grpc_timeout(std::chrono::nanoseconds timeout) {
  using std::chrono::ceil;
  const auto micros = ceil<std::chrono::microseconds>(timeout).count();
  if (micros < 100'000'000) return std::to_string(micros) + "u";
  const auto millis = ceil<std::chrono::milliseconds>(timeout).count();
  if (millis < 100'000'000) return std::to_string(millis) + "m";
  return std::to_string(
             std::min<std::int64_t>(ceil<std::chrono::seconds>(timeout).count(), 99'999'999)) +
         "S";
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t index = 0; index < text.size(); ++index) {
    const bool coded = text[index] == '%' && index + 2 < text.size() && hex(text[index + 1]) >= 0 &&
                       hex(text[index + 2]) >= 0;
    if (!coded) {
      out += text[index];
      continue;
    }
    out += static_cast<char>(hex(text[index + 1]) * 16 + hex(text[index + 2]));
    index += 2;
  }
  return out;
}

}  // namespace sluice::net
