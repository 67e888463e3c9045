#include <algorithm>
#include <deque>
#include <utility>

#include "pipeline/net/client.h"
#include "pipeline/net/http1_connection.h"

namespace sluice::net {

struct HttpClient::State final : Http1Connection::Owner {
  State(EventLoop& where, HttpClientOptions what, std::shared_ptr<TlsClient> tls);

  void start(std::unique_ptr<HttpCall> call);
  void begin(std::unique_ptr<HttpCall> call);
  void shut();

  void on_response(Http1Connection& connection, std::unique_ptr<HttpCall> call,
                   ClientResponse response, bool reusable) override;
  void on_closed(Http1Connection& connection, std::unique_ptr<HttpCall> call, bool stale,
                 const std::string& reason) override;

  void dispatch();
  void open_connection();
  void connect(std::vector<SocketAddress> addresses, const std::string& error);
  void time_out(HttpCall& call);
  void rest(Http1Connection& connection);
  void close_idle(Http1Connection& connection);
  void bury(Http1Connection& connection);
  std::unique_ptr<HttpCall> next_waiting();

  EventLoop& loop;
  HttpClientOptions options;
  Http1Connection::Options connection_options;
  std::unique_ptr<Resolver> resolver;  ///< goes with `shut`, so that nothing comes from it later
  std::vector<std::unique_ptr<Http1Connection>> connections;
  std::vector<Http1Connection*> idle;             ///< the last used one at the end
  std::deque<std::unique_ptr<HttpCall>> waiting;  ///< bounded by the callers: one each
  std::size_t resolving = 0;                      ///< connections that wait for an address
  bool shut_down = false;
};

HttpClient::State::State(EventLoop& where, HttpClientOptions what, std::shared_ptr<TlsClient> tls)
    : loop(where), options(std::move(what)), resolver(std::make_unique<Resolver>(where)) {
  connection_options.scheme = options.scheme;
  connection_options.host = options.host;
  connection_options.port = options.port;
  connection_options.keep_alive = options.keep_alive;
  if (options.scheme == "https") connection_options.tls = std::move(tls);
  if (!options.proxy_url.empty()) connection_options.proxy = parse_url(options.proxy_url);
}

void HttpClient::State::start(std::unique_ptr<HttpCall> call) {
  if (call->request.timeout.count() > 0) call->due = loop.now() + call->request.timeout;
  begin(std::move(call));
}

void HttpClient::State::begin(std::unique_ptr<HttpCall> call) {
  if (shut_down) return call->done({.failed = true, .message = "the client is shut down"});
  if (call->due != Executor::TimePoint::max()) {
    const auto left = std::max<Executor::Duration>(call->due - loop.now(), {});
    call->deadline = loop.after(left, [this, pointer = call.get()] { time_out(*pointer); });
  }
  waiting.push_back(std::move(call));
  dispatch();
}

void HttpClient::State::dispatch() {
  while (!waiting.empty() && !idle.empty() && !waiting.front()->resent) {
    Http1Connection* const connection = idle.back();
    idle.pop_back();
    connection->send(next_waiting());
  }
  const std::size_t most =
      options.connections_max == 0 ? waiting.size() + connections.size() : options.connections_max;
  // What is sent once more wants a fresh connection, and an idle one may be in its place.
  if (resolving < waiting.size() && !idle.empty() && connections.size() + resolving >= most)
    close_idle(*idle.front());
  while (resolving < waiting.size() && connections.size() + resolving < most) open_connection();
}

std::unique_ptr<HttpCall> HttpClient::State::next_waiting() {
  std::unique_ptr<HttpCall> call = std::move(waiting.front());
  waiting.pop_front();
  return call;
}

void HttpClient::State::open_connection() {
  ++resolving;
  const auto& proxy = connection_options.proxy;
  resolver->resolve(proxy ? proxy->host : options.host, proxy ? proxy->port : options.port,
                    [this](std::vector<SocketAddress> addresses, const std::string& error) {
                      --resolving;
                      connect(std::move(addresses), error);
                    });
}

void HttpClient::State::connect(std::vector<SocketAddress> addresses, const std::string& error) {
  if (waiting.empty()) return;  // an idle connection was faster
  std::unique_ptr<HttpCall> call = next_waiting();
  if (addresses.empty()) {
    call->deadline.cancel();
    return call->done({.failed = true, .message = error});
  }
  connections.push_back(std::make_unique<Http1Connection>(loop, connection_options, *this));
  connections.back()->open(std::move(addresses), std::move(call));
}

void HttpClient::State::time_out(HttpCall& call) {
  ClientResponse response{.failed = true, .timed_out = true, .message = "no answer in time"};
  const auto waits =
      std::ranges::find_if(waiting, [&](const auto& item) { return item.get() == &call; });
  std::unique_ptr<HttpCall> owned;
  if (waits != waiting.end()) {
    owned = std::move(*waits);
    waiting.erase(waits);
  } else {
    const auto busy =
        std::ranges::find_if(connections, [&](const auto& item) { return item->call() == &call; });
    owned = (*busy)->close();
    bury(**busy);
  }
  owned->done(std::move(response));
  dispatch();
}

void HttpClient::State::on_response(Http1Connection& connection, std::unique_ptr<HttpCall> call,
                                    ClientResponse response, bool reusable) {
  if (reusable && idle.size() < options.idle_connections_max) {
    rest(connection);
  } else {
    connection.close();
    bury(connection);
  }
  call->done(std::move(response));
  dispatch();
}

void HttpClient::State::rest(Http1Connection& connection) {
  idle.push_back(&connection);
  if (options.idle_timeout.count() == 0) return;
  connection.idle =
      loop.after(options.idle_timeout, [this, pointer = &connection] { close_idle(*pointer); });
}

void HttpClient::State::close_idle(Http1Connection& connection) {
  std::erase(idle, &connection);
  connection.close();
  bury(connection);
}

void HttpClient::State::on_closed(Http1Connection& connection, std::unique_ptr<HttpCall> call,
                                  bool stale, const std::string& reason) {
  std::erase(idle, &connection);
  bury(connection);
  if (call == nullptr) return dispatch();
  if (stale && !call->resent && !shut_down) {
    // The peer closed while the connection was idle, and this crossed it on the way.
    auto again =
        std::make_unique<HttpCall>(HttpCall{std::move(call->request), std::move(call->done)});
    again->due = call->due;
    again->resent = true;
    return begin(std::move(again));
  }
  call->done({.failed = true, .message = reason});
  dispatch();
}

/// A connection must not go while it is the caller.
void HttpClient::State::bury(Http1Connection& connection) {
  const auto found = std::ranges::find_if(
      connections, [&](const auto& item) { return item.get() == &connection; });
  loop.post([dead = std::move(*found)]() mutable { dead.reset(); });
  connections.erase(found);
}

void HttpClient::State::shut() {
  shut_down = true;
  resolver.reset();
  std::vector<std::unique_ptr<HttpCall>> calls;
  for (auto& call : waiting) calls.push_back(std::move(call));
  waiting.clear();
  idle.clear();
  for (const auto& connection : connections) {
    if (std::unique_ptr<HttpCall> call = connection->close()) calls.push_back(std::move(call));
  }
  connections.clear();
  for (const auto& call : calls) {
    call->deadline.cancel();
    call->done({.failed = true, .message = "the client is shut down"});
  }
}

HttpClient::HttpClient(EventLoop& loop, HttpClientOptions options, std::shared_ptr<TlsClient> tls)
    : state_(std::make_shared<State>(loop, std::move(options), std::move(tls))) {}

HttpClient::~HttpClient() {
  state_->loop.post([state = state_] { state->shut(); });
}

void HttpClient::post(ClientRequest request, ClientDone done) {
  auto made = std::make_unique<HttpCall>(HttpCall{std::move(request), std::move(done)});
  if (state_->loop.is_current()) return state_->start(std::move(made));
  state_->loop.post(
      [state = state_, call = std::move(made)]() mutable { state->start(std::move(call)); });
}

}  // namespace sluice::net
