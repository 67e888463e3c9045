#include "exporters/otlphttp/otlphttp_sender.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "pipeline/codec/otlp_json.h"
#include "pipeline/codec/otlp_response.h"

namespace sluice {

namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::chrono::hours retry_after_max{24};
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

}  // namespace

milliseconds parse_retry_after(std::string_view text, system_clock::time_point now) {
  milliseconds delay{0};
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && end == text.data() + text.size()) {
    delay = std::chrono::seconds(
        std::clamp<std::int64_t>(count, 0, std::chrono::seconds(retry_after_max).count()));
  } else {
    std::tm date{};
    // The locale of the process is "C": names of days and months are the protocol's.
    if (::strptime(std::string(text).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date) == nullptr)
      return delay;
    delay = std::chrono::ceil<milliseconds>(system_clock::from_time_t(::timegm(&date)) - now);
  }
  return std::clamp<milliseconds>(delay, milliseconds(0), retry_after_max);
}

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

/// Posts under way know it weakly: those that outlive the sender find nothing to answer to.
struct OtlpHttpSender::Link {
  Link(net::EventLoop& where, const OtlpHttpOptions& what, std::shared_ptr<net::TlsClient> tls)
      : loop(where), options(what), client(where, what.client, std::move(tls)) {}
  net::EventLoop& loop;
  OtlpHttpOptions options;
  net::HttpClient client;
};

OtlpHttpSender::OtlpHttpSender(const OtlpHttpOptions& options, const ExporterContext& context)
    : options_(options),
      loops_(context.loops),
      loop_(net::loop_for(context.executor, context.loops)) {}

bool OtlpHttpSender::start(std::string& error) {
  std::shared_ptr<net::TlsClient> tls;
  if (options_.client.scheme == "https") {
    tls = net::TlsClient::create(options_.tls, error);
    if (tls == nullptr) return false;
  }
  link_ = std::make_shared<Link>(loop_, options_, std::move(tls));
  return true;
}

void OtlpHttpSender::send(SpanBatch batch, std::chrono::nanoseconds timeout, SendDone done) {
  const bool as_it_is =
      options_.format == OtlpHttpOptions::Format::proto && options_.encoding == net::Encoding::none;
  net::EventLoop& worker = as_it_is ? loop_ : loops_[turn_++ % loops_.size()];
  if (as_it_is || worker.is_current())
    return post(link_, std::move(batch), timeout, std::move(done));
  worker.post([link = std::weak_ptr(link_), spans = std::move(batch), timeout,
               answer = std::move(done)]() mutable {
    post(link, std::move(spans), timeout, std::move(answer));
  });
}

EncodedBatch OtlpHttpSender::body_of(const SpanBatch& batch, const OtlpHttpOptions& options) {
  EncodedBatch body;
  if (options.format == OtlpHttpOptions::Format::proto) {
    body = batch.encode();
  } else {
    BufferWriter writer;
    otlp_json_append(batch, writer);
    body.buffers.push_back(std::move(writer).freeze());
    const std::string_view text = body.buffers.back().bytes();
    body.slices.push_back({text.data(), text.size()});
    body.size = text.size();
  }
  if (options.encoding == net::Encoding::none) return body;
  return net::deflated(body, options.encoding, options.compression_level);
}

void OtlpHttpSender::post(const std::weak_ptr<Link>& link, SpanBatch batch,
                          std::chrono::nanoseconds timeout, SendDone done) {
  const std::shared_ptr<Link> open = link.lock();
  if (open == nullptr) return;
  net::ClientRequest request;
  request.path = open->options.path;
  request.headers = open->options.headers;
  request.body = body_of(batch, open->options);
  request.encoding = open->options.encoding;
  request.timeout = timeout;
  open->client.post(std::move(request),
                    [link, answer = std::move(done)](const net::ClientResponse& response) mutable {
                      if (const std::shared_ptr<Link> still = link.lock())
                        answer(read_http_response(response, still->loop.wall_time()));
                    });
}

void OtlpHttpSender::stop() { link_.reset(); }

}  // namespace sluice
