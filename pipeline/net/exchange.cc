#include "pipeline/net/exchange.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pipeline/net/cors.h"
#include "pipeline/net/field_values.h"

namespace sluice::net {
namespace {

constexpr std::size_t head_free = 4096;  // what a request may bring without asking for room
constexpr std::size_t unknown_length_step = 64 * 1024;
constexpr std::size_t body_rate_min = 1024;  // bytes a second
constexpr auto body_rate_grace = std::chrono::seconds(10);
constexpr auto busy_delay = std::chrono::milliseconds(1000);

std::string supported_encodings(const RouteOptions& options, bool is_grpc) {
  std::string out = is_grpc ? "identity" : "";
  for (const std::string& encoding : options.encodings) {
    if (encoding.empty()) continue;
    if (!out.empty()) out += ", ";
    out += encoding;
  }
  return out;
}

/// "/package.Service/Method" in the words that gRPC libraries use for it.
std::string unknown_method(const Door& door, std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0)
    return "malformed method name: \"" + std::string(path) + '"';
  const std::string service(path.substr(1, slash - 1)), method(path.substr(slash + 1));
  if (!door.offers_grpc(service)) return "unknown service " + service;
  return "unknown method " + method + " for service " + service;
}

Response plain_text(int status, std::string_view text) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .body = std::string(text) + '\n'};
}

}  // namespace

Exchange::Exchange(const ConnectionContext& context, Executor::TimePoint now)
    : door_(&context.door),
      ledger_(context.ledger),
      executor_(context.executor),
      context_(&context),
      started_(now) {}

RequestHead Exchange::request_head() {
  const HeadLines& lines = head_.lines;
  RequestHead head;
  head.headers = lines.headers();
  head.method = lines.text(head_.method);
  head.path = lines.text(head_.path);
  head.query = lines.text(head_.query);
  if (context_ != nullptr) {
    head.peer = context_->peer;
    head.worker = context_->worker;
  }
  head.content_length = head_.content_length;
  head.is_grpc = is_grpc_;
  return head;
}

void Exchange::begin(bool over_http2) {
  const RequestHead head = request_head();
  is_grpc_ = over_http2 && grpc::is_content_type(head.header("content-type"));
  route_ = door_->find(head.path, is_grpc_);
  if (is_grpc_)
    begin_grpc();
  else
    begin_http();
}

void Exchange::begin_grpc() {
  const RequestHead head = request_head();
  if (head.method != "POST")
    return answer({.grpc = GrpcCode::internal, .message = "gRPC requests are POST"});
  if (const std::string_view text = head.header("grpc-timeout"); !text.empty()) {
    const std::optional<std::chrono::nanoseconds> timeout = grpc::parse_timeout(text);
    if (!timeout) return answer({.grpc = GrpcCode::internal, .message = "malformed grpc-timeout"});
    deadline_ = started_ + *timeout;
  }
  if (route_ == nullptr) {
    return answer({.grpc = GrpcCode::unimplemented, .message = unknown_method(*door_, head.path)});
  }
  const std::string_view name = head.header("grpc-encoding");
  const std::optional<Encoding> encoding = route_->encoding(name);
  if (!encoding)
    return fail(TransportError::unknown_encoding, "grpc-encoding \"" + std::string(name) + '"');
  encoding_ = *encoding;
  admit();
}

void Exchange::begin_http() {
  const RequestHead head = request_head();
  if (route_ == nullptr) return answer(plain_text(404, "404 page not found"));
  if (std::optional<Response> response = cors::preflight(route_->options, head))
    return answer(std::move(*response));
  const std::string_view name = head.header("content-encoding");
  const std::optional<Encoding> encoding = route_->encoding(name);
  if (!encoding)
    return fail(TransportError::unknown_encoding, "content-encoding \"" + std::string(name) + '"');
  encoding_ = *encoding;
  admit();
}

/// A head is small on the wire where HTTP/2's table holds most of it, and stays until the answer.
bool Exchange::charge_head() {
  const std::size_t size = head_.lines.size();
  if (size <= head_free) return true;
  std::optional<Charge> charge = ledger_.try_charge(size);
  if (charge) head_charge_ = std::move(*charge);
  return charge.has_value();
}

void Exchange::admit() {
  if (door_->draining()) return fail(TransportError::busy, "shutting down");
  if (!charge_head()) return fail(TransportError::busy, "too many bytes in flight");
  Admission admission = route_->service->admit(request_head());
  if (admission.refusal) return answer(std::move(*admission.refusal));
  body_bytes_max_ = admission.body_bytes_max;
  note_ = admission.note;
  if (is_grpc_ || !head_.content_length) return;  // the prefix, or what comes, will say
  if (*head_.content_length > body_bytes_max_)
    return fail(TransportError::too_large, "content-length");
  const auto size = static_cast<std::size_t>(*head_.content_length);
  if (reserve(size)) body_.reserve(size);
}

/// Room in the ledger for `bytes` in all.
bool Exchange::reserve(std::size_t bytes) {
  if (charge_.bytes() == 0) {
    if (std::optional<Charge> charge = ledger_.try_charge(bytes)) {
      charge_ = std::move(*charge);
      return true;
    }
  } else if (charge_.resize(bytes)) {
    return true;
  }
  fail(TransportError::busy, "too many bytes in flight");
  return false;
}

void Exchange::body(std::string_view bytes) {
  wire_bytes_ += bytes.size();
  if (answered_ || context_ == nullptr) return;
  if (is_grpc_)
    grpc_body(bytes);
  else
    http_body(bytes);
}

std::span<char> Exchange::room(std::size_t wanted) {
  if (answered_ || context_ == nullptr || is_grpc_ || !head_.content_length) return {};
  return {body_.tail(0), std::min(wanted, body_.capacity() - body_.size())};
}

void Exchange::filled(std::size_t bytes) {
  wire_bytes_ += bytes;
  body_.advance(bytes);
}

void Exchange::grpc_body(std::string_view bytes) {
  if (prefix_filled_ < prefix_.size()) {
    const std::size_t taken = std::min(bytes.size(), prefix_.size() - prefix_filled_);
    std::memcpy(prefix_.data() + prefix_filled_, bytes.data(), taken);
    prefix_filled_ += taken;
    bytes.remove_prefix(taken);
    if (prefix_filled_ < prefix_.size() || !open_message()) return;
  }
  if (bytes.empty()) return;
  if (bytes.size() > message_size_ - body_.size()) {
    return fail(TransportError::bad_framing, "more than one message in a unary request");
  }
  body_.append(bytes);
}

bool Exchange::open_message() {
  const std::optional<grpc::Prefix> prefix = grpc::parse_prefix({prefix_.data(), prefix_.size()});
  if (!prefix) {
    fail(TransportError::bad_framing, "the message's flags are neither 0 nor 1");
    return false;
  }
  if (prefix->compressed && encoding_ == Encoding::none) {
    fail(TransportError::bad_framing,
         "the message is marked as compressed, but grpc-encoding names no compression");
    return false;
  }
  if (!prefix->compressed) encoding_ = Encoding::none;
  if (prefix->length > body_bytes_max_) {
    fail(TransportError::too_large, std::to_string(prefix->length) + " bytes, the limit is " +
                                        std::to_string(body_bytes_max_));
    return false;
  }
  message_size_ = prefix->length;
  if (!reserve(message_size_)) return false;
  body_.reserve(message_size_);
  return true;
}

void Exchange::http_body(std::string_view bytes) {
  const std::size_t size = body_.size() + bytes.size();
  if (size > body_bytes_max_) {
    return fail(TransportError::too_large,
                "the limit is " + std::to_string(body_bytes_max_) + " bytes");
  }
  // Of unknown length: reserved in steps, ahead of what comes.
  if (size > charge_.bytes() && !reserve(std::max(size + unknown_length_step, size * 5 / 4)))
    return;
  body_.append(bytes);
}

void Exchange::finish() {
  if (answered_ || body_complete_ || context_ == nullptr) return;
  if (is_grpc_ && (prefix_filled_ < prefix_.size() || body_.size() < message_size_)) {
    return fail(TransportError::bad_framing, "the stream ended inside a message");
  }
  if (encoding_ != Encoding::none && !inflate_body()) return;
  serve();
}

bool Exchange::inflate_body() {
  BufferWriter inflated;
  const InflateError error = inflate(encoding_, body_.bytes(), body_bytes_max_, inflated);
  if (error == InflateError::broken)
    fail(TransportError::bad_encoding, "the compressed body is broken");
  if (error == InflateError::too_large) {
    fail(TransportError::too_large,
         "more than " + std::to_string(body_bytes_max_) + " bytes after inflation");
  }
  if (error != InflateError::none || !reserve(inflated.size())) return false;
  body_ = std::move(inflated);
  return true;
}

void Exchange::serve() {
  body_complete_ = true;
  const RequestHead head = request_head();
  Request request;
  request.wire_bytes = wire_bytes_;
  request.worker = head.worker;
  request.is_grpc = is_grpc_;
  request.query = head.query;
  request.note = note_;
  if (!is_grpc_) request.content_type = head.header("content-type");
  request.accept_encoding = head.header(is_grpc_ ? "grpc-accept-encoding" : "accept-encoding");
  if (route_->options.include_metadata) request.context = request_context();
  request.body = std::exchange(charge_, {}).freeze(std::exchange(body_, {}));
  route_->service->serve(std::move(request), Reply(shared_from_this()));
}

RequestContextRef Exchange::request_context() {
  auto context = std::make_shared<RequestContext>();
  context->peer = context_->peer;
  context->arrival = executor_.wall_time();
  bool has_host = false;
  for (const Header& header : head_.lines.headers()) {
    if (is_hop_by_hop(header.name)) continue;
    has_host = has_host || header.name == "host";
    context->metadata.emplace_back(header.name, header.value);
  }
  const std::string_view authority = head_.lines.text(head_.authority);
  if (!has_host && !authority.empty()) context->metadata.emplace_back("host", authority);
  return context;
}

void Exchange::abandon() {
  context_ = nullptr;
  body_ = {};
  charge_ = {};
  head_charge_ = {};
}

void Exchange::check(Executor::TimePoint now) {
  if (answered_ || context_ == nullptr) return;
  if (deadline_ && now >= *deadline_) {
    return answer({.grpc = GrpcCode::deadline_exceeded, .message = "deadline exceeded"});
  }
  if (route_ == nullptr || body_complete_) return;  // a head that is still coming has its own time
  const auto elapsed = now - started_;
  const auto read_timeout = door_->options().read_timeout;
  const bool too_long = read_timeout.count() > 0 && elapsed > read_timeout;
  const auto slow =
      std::chrono::duration_cast<std::chrono::seconds>(elapsed - body_rate_grace).count();
  const bool too_slow = slow > 0 && wire_bytes_ < static_cast<std::size_t>(slow) * body_rate_min;
  if (!too_long && !too_slow) return;
  door_->ended().timeout.add(1);
  fail(TransportError::timeout, "the body did not come in time");
}

void Exchange::respond(Response response) noexcept {
  if (executor_.is_current()) return answer(std::move(response));
  executor_.post([self = shared_from_this(), held = std::move(response)]() mutable {
    self->answer(std::move(held));
  });
}

void Exchange::fail(TransportError error, std::string_view detail) {
  Response response = route_->service->transport_error(error, request_head(), detail);
  if (error == TransportError::busy && !response.retry_after) response.retry_after = busy_delay;
  if (error == TransportError::unknown_encoding) {
    response.headers.emplace_back(is_grpc_ ? "grpc-accept-encoding" : "accept-encoding",
                                  supported_encodings(route_->options, is_grpc_));
  }
  answer(std::move(response));
}

void Exchange::answer(Response response) {
  if (answered_ || context_ == nullptr) return;
  answered_ = true;
  body_ = {};
  charge_ = {};
  if (route_ != nullptr && !is_grpc_) {
    cors::add_headers(route_->options, request_head().header("origin"), response);
    for (const auto& header : route_->options.response_headers) response.headers.push_back(header);
  }
  deliver(std::move(response));
}

}  // namespace sluice::net
