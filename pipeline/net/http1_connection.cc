#include "pipeline/net/http1_connection.h"

#include <utility>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "pipeline/codec/base64.h"
#include "pipeline/ensure.h"

namespace sluice::net {

namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t response_head_max = 64 * 1024;
constexpr std::uint64_t response_body_max = 4 << 20;

std::string proxy_authorization(const Url& proxy) {
  if (proxy.user.empty()) return {};
  return "Proxy-Authorization: Basic " + base64::encoded(proxy.user) + "\r\n";
}

}  // namespace

struct Http1Connection::Parser {
  Parser() {
    parser.header_limit(response_head_max);
    parser.body_limit(response_body_max);
    parser.eager(true);
  }
  /// Takes what it can from `input`; false when that is no HTTP.
  bool feed(std::string& input);
  http::response_parser<http::string_body> parser;
  std::string error;
};

bool Http1Connection::Parser::feed(std::string& input) {
  std::size_t used = 0;
  while (used < input.size() && !parser.is_done()) {
    boost::system::error_code result;
    const std::size_t taken =
        parser.put(boost::asio::const_buffer(input.data() + used, input.size() - used), result);
    used += taken;
    if (result == http::error::need_more || (!result && taken == 0)) break;
    if (result) {
      error = "broken HTTP response: " + result.message();
      return false;
    }
  }
  input.erase(0, used);
  return true;
}

Http1Connection::Http1Connection(EventLoop& loop, const Options& options, Owner& owner)
    : loop_(loop), options_(options), owner_(owner) {}

Http1Connection::~Http1Connection() {
  if (stream_ != nullptr) stream_->close();
}

void Http1Connection::open(std::vector<SocketAddress> addresses, std::unique_ptr<HttpCall> call) {
  ensure(!addresses.empty(), "a connection needs an address");
  addresses_ = std::move(addresses);
  call_ = std::move(call);
  connect_next();
}

void Http1Connection::connect_next() {
  const SocketAddress address = std::move(addresses_.front());
  addresses_.erase(addresses_.begin());
  phase_ = Phase::connecting;
  stream_ = ClientStream::connect(loop_, address, *this);
}

void Http1Connection::send(std::unique_ptr<HttpCall> call) {
  ensure(phase_ == Phase::idle, "a connection takes one call at a time");
  idle.cancel();
  call_ = std::move(call);
  reused_ = true;
  transmit();
}

std::unique_ptr<HttpCall> Http1Connection::close() {
  phase_ = Phase::closed;
  idle.cancel();
  if (stream_ != nullptr) stream_->close();
  return std::move(call_);
}

void Http1Connection::on_connected() {
  addresses_.clear();
  if (phase_ == Phase::securing || options_.tls == nullptr) return transmit();
  if (phase_ == Phase::connecting && through_proxy()) return ask_proxy();
  phase_ = Phase::securing;
  stream_->secure(options_.tls, options_.host, "http/1.1");
}

/// RFC 9110, section 9.3.6: a tunnel, under which TLS runs to the origin itself.
void Http1Connection::ask_proxy() {
  phase_ = Phase::proxy;
  std::string origin = host_header("", options_.host, options_.port);
  if (options_.port == 80) origin += ":80";  // CONNECT always names the port
  head_ = "CONNECT " + origin + " HTTP/1.1\r\nHost: " + origin + "\r\n" +
          proxy_authorization(*options_.proxy) + "\r\n";
  out_.add(head_);
  parser_ = std::make_unique<Parser>();
  parser_->parser.skip(true);
  write();
}

void Http1Connection::transmit() {
  phase_ = Phase::busy;
  heard_ = false;
  parser_ = std::make_unique<Parser>();
  head_ = request_head();
  out_.add(head_);
  for (const EncodedBatch::Slice& slice : call_->request.body.slices)
    out_.add({slice.data, slice.size});
  write();
}

std::string Http1Connection::request_head() const {
  const ClientRequest& request = call_->request;
  const std::string host = host_header(options_.scheme, options_.host, options_.port);
  const bool to_proxy = through_proxy() && options_.tls == nullptr;
  std::string head = "POST " + (to_proxy ? options_.scheme + "://" + host : std::string()) +
                     request.path + " HTTP/1.1\r\nHost: " + host + "\r\n";
  for (const auto& [name, value] : request.headers) head += name + ": " + value + "\r\n";
  if (request.encoding != Encoding::none) {
    head += "Content-Encoding: " + std::string(encoding_name(request.encoding)) + "\r\n";
  }
  if (to_proxy) head += proxy_authorization(*options_.proxy);
  if (!options_.keep_alive) head += "Connection: close\r\n";
  return head + "Content-Length: " + std::to_string(request.body.size) + "\r\n\r\n";
}

void Http1Connection::write() {
  if (!out_.empty() || blocked_) blocked_ = !stream_->write(out_);
}

void Http1Connection::on_writable() { write(); }

void Http1Connection::on_bytes(std::string_view bytes) {
  heard_ = true;
  input_ += bytes;
  if (phase_ == Phase::proxy) return read_proxy_answer();
  if (phase_ == Phase::busy) return read_response();
  fail("bytes from the peer that nobody asked for");
}

void Http1Connection::read_proxy_answer() {
  if (!parser_->feed(input_)) return fail("the proxy: " + parser_->error);
  if (!parser_->parser.is_done()) return;
  const int status = static_cast<int>(parser_->parser.get().result_int());
  if (status < 200 || status > 299)
    return fail("the proxy refuses a tunnel with status " + std::to_string(status));
  if (!input_.empty()) return fail("the proxy sent bytes into the tunnel");
  phase_ = Phase::securing;
  stream_->secure(options_.tls, options_.host, "http/1.1");
}

void Http1Connection::read_response() {
  for (;;) {
    if (!parser_->feed(input_)) return fail(parser_->error);
    if (!parser_->parser.is_done()) return;
    if (parser_->parser.get().result_int() >= 200) return finish();
    parser_ = std::make_unique<Parser>();  // 1xx: the real one follows
  }
}

void Http1Connection::finish() {
  auto& message = parser_->parser.get();
  const auto header = [&](http::field name) { return std::string(message[name]); };
  ClientResponse response;
  response.status = static_cast<int>(message.result_int());
  response.message = std::string(message.reason());
  response.content_type = header(http::field::content_type);
  response.retry_after = header(http::field::retry_after);
  response.body = std::move(message.body());
  // A response that came before the request was through leaves the rest of it unread at the other
  // end.
  const bool written = out_.empty() && !blocked_;
  const bool reusable =
      written && options_.keep_alive && input_.empty() && parser_->parser.keep_alive();
  std::unique_ptr<HttpCall> call = std::move(call_);
  call->deadline.cancel();
  parser_.reset();
  if (reusable) {
    phase_ = Phase::idle;
  } else {
    close();
  }
  owner_.on_response(*this, std::move(call), std::move(response), reusable);
}

void Http1Connection::on_lost(const std::string& reason) {
  if (phase_ == Phase::connecting && !addresses_.empty()) return connect_next();
  if (phase_ == Phase::busy && heard_) {
    // A response without a length ends with the connection.
    boost::system::error_code result;
    parser_->parser.put_eof(result);
    if (!result && parser_->parser.is_done()) return finish();
  }
  fail(reason);
}

void Http1Connection::fail(const std::string& reason) {
  const bool stale = phase_ == Phase::busy && reused_ && !heard_;
  std::unique_ptr<HttpCall> call = close();
  if (call != nullptr) call->deadline.cancel();
  owner_.on_closed(*this, std::move(call), stale, reason);
}

}  // namespace sluice::net
