#include "exporters/otlphttp/otlphttp_sender.h"

#include <string>
#include <utility>

#include "pipeline/codec/otlp_json.h"
#include "pipeline/codec/otlp_response.h"

namespace sluice {

namespace {

using std::chrono::system_clock;

constexpr std::size_t message_max = 512;  // of a body that is no Status

bool is_json(std::string_view content_type) { return content_type.starts_with("application/json"); }
bool is_proto(std::string_view content_type) {
  return content_type.starts_with("application/x-protobuf");
}

SendResult::Kind kind_of(int status) {
  using Kind = SendResult::Kind;
  if (status >= 200 && status <= 299) return Kind::delivered;
  switch (status) {
    case 429:
    case 502:
    case 503:
    case 504: return Kind::retry;
    case 413: return Kind::too_large;
    case 400: return Kind::invalid;
    default: return Kind::permanent;
  }
}

std::string explain(const net::ClientResponse& response) {
  std::string text;
  if (is_proto(response.content_type))
    text = read_rpc_status(response.body).message;
  else if (is_json(response.content_type))
    text = read_rpc_status_json(response.body).message;
  else
    text = response.body.substr(0, message_max);
  if (text.empty()) text = response.message;
  return "HTTP status " + std::to_string(response.status) + (text.empty() ? "" : ": ") + text;
}

EncodedBatch json_body(const SpanBatch& batch) {
  BufferWriter text;
  otlp_json_append(batch, text);
  return body_of(std::move(text).freeze());
}

}  // namespace

SendResult read_http_response(const net::ClientResponse& response, system_clock::time_point now) {
  SendResult result;
  if (response.failed) {
    result.kind = SendResult::Kind::retry;
    result.message = response.message;
    return result;
  }
  result.kind = kind_of(response.status);
  if (result.kind != SendResult::Kind::delivered) {
    result.message = explain(response);
    if (result.kind == SendResult::Kind::retry)
      result.delay = parse_retry_after(response.retry_after, now);
    return result;
  }
  PartialSuccess partial;
  if (is_proto(response.content_type)) partial = read_partial_success(response.body);
  if (is_json(response.content_type)) partial = read_partial_success_json(response.body);
  result.rejected_spans = partial.rejected_spans;
  result.message = std::move(partial.message);
  return result;
}

std::unique_ptr<Sender> make_otlphttp_sender(const OtlpHttpOptions& options,
                                             const ExporterContext& context) {
  if (options.format == OtlpHttpOptions::Format::json)
    return make_http_sender(options.http, {json_body, read_http_response}, context);
  const auto bytes = [](const SpanBatch& batch) { return batch.encode(); };
  return make_http_sender(options.http, {bytes, read_http_response, true}, context);
}

}  // namespace sluice
