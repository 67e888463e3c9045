#include "pipeline/export/http_sender.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace sluice {

namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::chrono::hours retry_after_max{24};

class HttpSender final : public Sender {
 public:
  HttpSender(const HttpClientBlock& block, HttpSenderForm form, const ExporterContext& context)
      : block_(block),
        form_(std::move(form)),
        loops_(context.loops),
        loop_(net::loop_for(context.executor, context.loops)) {}
  bool start(std::string& error) override;
  void send(SpanBatch batch, std::chrono::nanoseconds timeout, SendDone done) override;
  void stop() override { link_.reset(); }

 private:
  struct Link;
  static void post(const std::weak_ptr<Link>& link, SpanBatch batch,
                   std::chrono::nanoseconds timeout, SendDone done);

  HttpClientBlock block_;
  HttpSenderForm form_;
  net::EventLoops& loops_;
  net::EventLoop& loop_;
  std::shared_ptr<Link> link_;
  std::size_t turn_ = 0;
};

/// Posts under way know it weakly: those that outlive the sender find nothing to answer to.
struct HttpSender::Link {
  Link(net::EventLoop& where, const HttpClientBlock& what, HttpSenderForm how,
       std::shared_ptr<net::TlsClient> tls)
      : loop(where),
        block(what),
        form(std::move(how)),
        client(where, what.client, std::move(tls)) {}
  net::EventLoop& loop;
  HttpClientBlock block;
  HttpSenderForm form;
  net::HttpClient client;
};

bool HttpSender::start(std::string& error) {
  std::shared_ptr<net::TlsClient> tls;
  if (block_.client.scheme == "https") {
    tls = net::TlsClient::create(block_.tls, error);
    if (tls == nullptr) return false;
  }
  link_ = std::make_shared<Link>(loop_, block_, form_, std::move(tls));
  return true;
}

void HttpSender::send(SpanBatch batch, std::chrono::nanoseconds timeout, SendDone done) {
  const bool as_it_is = form_.body_is_free && block_.encoding == net::Encoding::none;
  net::EventLoop& worker = as_it_is ? loop_ : loops_[turn_++ % loops_.size()];
  if (as_it_is || worker.is_current())
    return post(link_, std::move(batch), timeout, std::move(done));
  worker.post([link = std::weak_ptr(link_), spans = std::move(batch), timeout,
               answer = std::move(done)]() mutable {
    post(link, std::move(spans), timeout, std::move(answer));
  });
}

void HttpSender::post(const std::weak_ptr<Link>& link, SpanBatch batch,
                      std::chrono::nanoseconds timeout, SendDone done) {
  const std::shared_ptr<Link> open = link.lock();
  if (open == nullptr) return;
  const HttpClientBlock& block = open->block;
  net::ClientRequest request;
  request.path = block.path;
  request.headers = block.headers;
  request.body = open->form.body(batch);
  if (block.encoding != net::Encoding::none)
    request.body = net::deflated(request.body, block.encoding, block.compression_level);
  request.encoding = block.encoding;
  request.timeout = timeout;
  open->client.post(std::move(request),
                    [link, answer = std::move(done)](const net::ClientResponse& response) mutable {
                      if (const std::shared_ptr<Link> still = link.lock())
                        answer(still->form.read(response, still->loop.wall_time()));
                    });
}

}  // namespace

std::unique_ptr<Sender> make_http_sender(const HttpClientBlock& block, HttpSenderForm form,
                                         const ExporterContext& context) {
  return std::make_unique<HttpSender>(block, std::move(form), context);
}

EncodedBatch body_of(Buffer buffer) {
  EncodedBatch body;
  const std::string_view bytes = buffer.bytes();
  body.slices.push_back({bytes.data(), bytes.size()});
  body.size = bytes.size();
  body.buffers.push_back(std::move(buffer));
  return body;
}

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

}  // namespace sluice
