// The gRPC client: names, connections, and which of them takes a call.
//
// Why not the gRPC C++ library: version 1.51, which Debian 12 packages, cannot say `grpc-encoding:
// zstd` (its typed metadata knows identity, deflate and gzip alone), compresses with zlib, which
// costs six times what ISA-L does, and takes 10 MB of the 15 MB that an idle daemon may use.
// nghttp2 is linked for the doors anyway.
//
// A call goes to a ready connection; where there is none, to the one that becomes ready first. A
// connection per address (round_robin) or one (pick_first) is opened by the first call. An address
// that fails rests for 1 s, then 1.6 times longer each time up to 120 s, ± 20 %, as gRPC's
// connection backoff has it. While all of them rest, calls fail at once (the queue before the
// exporter keeps and retries), or wait, with wait_for_ready.
#include <algorithm>
#include <deque>
#include <random>
#include <utility>

#include "pipeline/net/client.h"
#include "pipeline/net/http2_connection.h"

namespace sluice::net {

namespace {

constexpr std::chrono::seconds backoff_initial{1};
constexpr std::chrono::seconds backoff_max{120};
constexpr double backoff_multiplier = 1.6;
constexpr double backoff_jitter = 0.2;
constexpr std::chrono::seconds resolve_interval_min{5};
constexpr std::chrono::seconds resolve_interval{30};  // while a name has several addresses

/// How long something that failed rests.
class Backoff {
 public:
  void fail(Executor::TimePoint now, std::minstd_rand& random) {
    std::uniform_real_distribution<double> jitter(1 - backoff_jitter, 1 + backoff_jitter);
    const std::chrono::duration<double> rest =
        std::chrono::duration<double>(next_) * jitter(random);
    until_ = now + std::chrono::duration_cast<Executor::Duration>(rest);
    next_ = std::min<std::chrono::duration<double>>(next_ * backoff_multiplier, backoff_max);
  }
  void succeed() { *this = {}; }
  bool rests(Executor::TimePoint now) const { return now < until_; }
  Executor::TimePoint until() const { return until_; }

 private:
  std::chrono::duration<double> next_ = backoff_initial;
  Executor::TimePoint until_{};
};

struct Subchannel {
  explicit Subchannel(SocketAddress where) : address(std::move(where)) {}
  SocketAddress address;
  std::unique_ptr<Http2Connection> connection;
  Backoff backoff;
};

}  // namespace

struct GrpcClient::State final : Http2Connection::Owner,
                                 std::enable_shared_from_this<GrpcClient::State> {
  State(EventLoop& where, GrpcClientOptions what, std::shared_ptr<TlsClient> tls);

  void start(std::unique_ptr<GrpcCall> call);
  void shut();

  void on_ready(Http2Connection& connection) override;
  void on_goaway(Http2Connection& connection) override;
  void on_closed(Http2Connection& connection, const std::string& reason) override;
  void on_finished(ClientDone done, ClientResponse response) override { done(std::move(response)); }
  void on_refused(std::unique_ptr<GrpcCall> call) override;

  void begin(std::unique_ptr<GrpcCall> call);
  void time_out(GrpcCall& call);
  void resolve_when_due();
  void resolve();
  void resolved(std::vector<SocketAddress> addresses, std::string error);
  void adopt(std::vector<SocketAddress> addresses);
  void connect_when_due();
  void reconnect();
  void dispatch();
  void fail_waiting();
  void wake_later();
  void bury(std::unique_ptr<Http2Connection> connection);
  Subchannel* pick();
  Subchannel* find(const Http2Connection& connection);
  bool may_become_ready() const;

  EventLoop& loop;
  GrpcClientOptions options;
  Http2Connection::Options connection_options;
  std::unique_ptr<Resolver> resolver;
  std::vector<std::unique_ptr<Subchannel>> subchannels;
  std::vector<std::unique_ptr<Http2Connection>> leaving;  ///< said GOAWAY, or their address is gone
  std::deque<std::unique_ptr<GrpcCall>> waiting;          ///< bounded by the callers: one each
  std::string last_error;
  std::size_t turn = 0;
  bool resolving = false;
  bool resolve_wanted = true;
  Executor::TimePoint resolved_at{};
  Backoff resolve_backoff;
  Timer wake;
  std::minstd_rand random{std::random_device{}()};
  bool shut_down = false;
};

GrpcClient::State::State(EventLoop& where, GrpcClientOptions what, std::shared_ptr<TlsClient> tls)
    : loop(where), options(std::move(what)) {
  const GrpcTarget& target = options.target;
  const std::string by_target = target.unix_path.empty() ? target.authority : "localhost";
  connection_options.authority = options.authority.empty() ? by_target : options.authority;
  connection_options.tls_name = target.unix_path.empty() ? target.host : "localhost";
  if (!options.authority.empty()) {
    const std::optional<GrpcTarget> named = parse_grpc_target(options.authority);
    connection_options.tls_name = named ? named->host : options.authority;
  }
  connection_options.user_agent = options.user_agent;
  connection_options.tls = std::move(tls);
  connection_options.keepalive_time = options.keepalive_time;
  connection_options.keepalive_timeout = options.keepalive_timeout;
  connection_options.keepalive_without_stream = options.keepalive_without_stream;
}

void GrpcClient::State::start(std::unique_ptr<GrpcCall> call) {
  call->started = loop.now();
  if (call->request.timeout.count() > 0) call->due = call->started + call->request.timeout;
  begin(std::move(call));
}

void GrpcClient::State::begin(std::unique_ptr<GrpcCall> call) {
  if (shut_down) return call->done({.failed = true, .message = "the client is shut down"});
  if (call->due != Executor::TimePoint::max()) {
    const auto left = std::max<Executor::Duration>(call->due - loop.now(), {});
    call->deadline = loop.after(left, [this, pointer = call.get()] { time_out(*pointer); });
  }
  waiting.push_back(std::move(call));
  resolve_when_due();
  connect_when_due();
  dispatch();
}

void GrpcClient::State::time_out(GrpcCall& call) {
  ClientResponse response{.failed = true, .timed_out = true, .message = "no answer in time"};
  if (call.connection != nullptr) return call.connection->cancel(call)(std::move(response));
  const auto found =
      std::ranges::find_if(waiting, [&](const auto& item) { return item.get() == &call; });
  std::unique_ptr<GrpcCall> owned = std::move(*found);
  waiting.erase(found);
  response.message = "no connection in time" + (last_error.empty() ? "" : ": " + last_error);
  owned->done(std::move(response));
}

/// Hands waiting calls to ready connections; fails them where none can become ready soon.
void GrpcClient::State::dispatch() {
  while (!waiting.empty()) {
    Subchannel* const chosen = pick();
    if (chosen == nullptr) break;
    std::unique_ptr<GrpcCall> call = std::move(waiting.front());
    waiting.pop_front();
    chosen->connection->send(std::move(call));
  }
  if (waiting.empty() || may_become_ready()) return;
  if (options.wait_for_ready) {
    wake_later();
  } else {
    fail_waiting();
  }
}

Subchannel* GrpcClient::State::pick() {
  for (std::size_t tried = 0; tried < subchannels.size(); ++tried) {
    if (options.round_robin) ++turn;
    Subchannel& next =
        *subchannels[(turn + (options.round_robin ? 0 : tried)) % subchannels.size()];
    if (next.connection != nullptr && next.connection->is_ready()) return &next;
  }
  return nullptr;
}

bool GrpcClient::State::may_become_ready() const {
  return resolving || std::ranges::any_of(subchannels, [](const auto& subchannel) {
           return subchannel->connection != nullptr && subchannel->connection->is_connecting();
         });
}

void GrpcClient::State::connect_when_due() {
  const auto busy = [](const auto& subchannel) { return subchannel->connection != nullptr; };
  for (const auto& subchannel : subchannels) {
    if (!options.round_robin && std::ranges::any_of(subchannels, busy)) return;
    if (subchannel->connection != nullptr || subchannel->backoff.rests(loop.now())) continue;
    subchannel->connection =
        std::make_unique<Http2Connection>(loop, subchannel->address, connection_options, *this);
  }
}

void GrpcClient::State::fail_waiting() {
  for (const auto& call : std::exchange(waiting, {})) {
    call->deadline.cancel();
    call->done({.failed = true, .message = last_error.empty() ? "no connection" : last_error});
  }
}

/// Tries again when the first rest is over.
void GrpcClient::State::wake_later() {
  Executor::TimePoint first =
      subchannels.empty() ? resolve_backoff.until() : Executor::TimePoint::max();
  for (const auto& subchannel : subchannels) first = std::min(first, subchannel->backoff.until());
  const auto rest = std::max<Executor::Duration>(first - loop.now(), std::chrono::milliseconds(1));
  wake = loop.after(rest, [this] {
    resolve_when_due();
    connect_when_due();
    dispatch();
  });
}

void GrpcClient::State::resolve_when_due() {
  const auto now = loop.now();
  const bool stale = subchannels.size() > 1 && now - resolved_at >= resolve_interval;
  if (resolving || resolve_backoff.rests(now)) return;
  if (subchannels.empty() || stale || (resolve_wanted && now - resolved_at >= resolve_interval_min))
    resolve();
}

void GrpcClient::State::resolve() {
  const GrpcTarget& target = options.target;
  resolve_wanted = false;
  if (!target.unix_path.empty()) {
    if (std::optional<SocketAddress> address = SocketAddress::of_unix_path(target.unix_path)) {
      return adopt({std::move(*address)});
    }
    return resolved({}, "\"" + target.unix_path + "\" is too long for the path of a socket");
  }
  if (std::optional<SocketAddress> literal = SocketAddress::of_ip(target.host, target.port)) {
    return adopt({std::move(*literal)});
  }
  if (resolver == nullptr) resolver = std::make_unique<Resolver>(loop);
  resolving = true;
  resolver->resolve(target.host, target.port,
                    [this](std::vector<SocketAddress> addresses, std::string error) {
                      resolved(std::move(addresses), std::move(error));
                      connect_when_due();
                      dispatch();
                    });
}

/// A failure leaves the last good addresses in place.
void GrpcClient::State::resolved(std::vector<SocketAddress> addresses, std::string error) {
  resolving = false;
  if (!addresses.empty()) return adopt(std::move(addresses));
  last_error = std::move(error);
  resolve_backoff.fail(loop.now(), random);
}

void GrpcClient::State::adopt(std::vector<SocketAddress> addresses) {
  resolved_at = loop.now();
  resolve_backoff.succeed();
  std::vector<std::unique_ptr<Subchannel>> before = std::exchange(subchannels, {});
  for (SocketAddress& address : addresses) {
    const auto known = [&](const auto& item) {
      return item != nullptr && item->address == address;
    };
    const auto kept = std::ranges::find_if(before, known);
    if (kept != before.end()) {
      subchannels.push_back(std::move(*kept));
    } else if (std::ranges::none_of(subchannels, known)) {
      subchannels.push_back(std::make_unique<Subchannel>(std::move(address)));
    }
  }
  for (const auto& gone : before) {
    if (gone == nullptr || gone->connection == nullptr) continue;
    leaving.push_back(std::move(gone->connection));
    leaving.back()->drain();
  }
}

void GrpcClient::State::on_ready(Http2Connection& connection) {
  if (Subchannel* const subchannel = find(connection)) subchannel->backoff.succeed();
  dispatch();
}

void GrpcClient::State::on_goaway(Http2Connection& connection) {
  Subchannel* const subchannel = find(connection);
  if (subchannel == nullptr) return;
  leaving.push_back(std::move(subchannel->connection));
  reconnect();
}

void GrpcClient::State::on_closed(Http2Connection& connection, const std::string& reason) {
  const auto left =
      std::ranges::find_if(leaving, [&](const auto& item) { return item.get() == &connection; });
  if (left != leaving.end()) {
    bury(std::move(*left));
    leaving.erase(left);
    return;
  }
  Subchannel* const subchannel = find(connection);
  last_error = reason;
  // What worked until it broke is tried again at once: peers restart.
  if (!connection.was_ready()) subchannel->backoff.fail(loop.now(), random);
  bury(std::move(subchannel->connection));
  reconnect();
}

/// For the calls that wait; without them it can wait for the next one.
void GrpcClient::State::reconnect() {
  // The peer may have gone for good, and others may stand under the name.
  resolve_wanted = true;
  if (waiting.empty()) return;
  resolve_when_due();
  connect_when_due();
  dispatch();
}

void GrpcClient::State::on_refused(std::unique_ptr<GrpcCall> call) { begin(std::move(call)); }

/// A connection must not go while it is the caller.
void GrpcClient::State::bury(std::unique_ptr<Http2Connection> connection) {
  loop.post([dead = std::move(connection)]() mutable { dead.reset(); });
}

Subchannel* GrpcClient::State::find(const Http2Connection& connection) {
  for (const auto& subchannel : subchannels) {
    if (subchannel->connection.get() == &connection) return subchannel.get();
  }
  return nullptr;
}

void GrpcClient::State::shut() {
  shut_down = true;
  resolver.reset();
  wake.cancel();
  last_error = "the client is shut down";
  for (const auto& subchannel : subchannels) {
    if (subchannel->connection != nullptr) subchannel->connection->abandon(last_error);
  }
  for (const auto& connection : leaving) connection->abandon(last_error);
  fail_waiting();
  subchannels.clear();
  leaving.clear();
}

GrpcClient::GrpcClient(EventLoop& loop, GrpcClientOptions options, std::shared_ptr<TlsClient> tls)
    : state_(std::make_shared<State>(loop, std::move(options), std::move(tls))) {}

GrpcClient::~GrpcClient() {
  state_->loop.post([state = state_] { state->shut(); });
}

void GrpcClient::call(ClientRequest request, ClientDone done) {
  auto made = std::make_unique<GrpcCall>(std::move(request), std::move(done));
  if (state_->loop.is_current()) return state_->start(std::move(made));
  state_->loop.post(
      [state = state_, call = std::move(made)]() mutable { state->start(std::move(call)); });
}

}  // namespace sluice::net
