#include "receivers/jaeger/jaeger.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <future>
#include <string>
#include <vector>

#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"
#include "test/support/capture.h"
#include "test/support/http2_peer.h"
#include "test/support/jaeger_model.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

namespace model = jaeger_model;
using namespace std::string_literals;

std::vector<std::string> mistakes(std::string_view yaml) {
  config::Problems problems;
  (void)jaeger_receiver().decode(config::parse_text(yaml, "test.yaml", problems));
  std::vector<std::string> lines;
  for (const config::Problem& problem : problems.list()) lines.push_back(problem.to_string());
  return lines;
}

/// A connected socket that waits ten seconds at most.
class Client {
 public:
  Client(int type, std::uint16_t port) : socket_(::socket(AF_INET, type, 0)) {
    const timeval limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes) const {
    REQUIRE(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  std::string receive() const {
    std::string bytes(64 * 1024, '\0');
    const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
    REQUIRE(size >= 0);
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  }

 private:
  int socket_;
};

/// A receiver on real ports, built from YAML. Its loops run from `run` on.
class Daemon {
 public:
  explicit Daemon(const std::string& yaml, std::size_t workers = 1) : loops(workers) {
    config::Problems problems;
    const auto decoded = jaeger_receiver().decode(config::parse_text(yaml, "test.yaml", problems));
    REQUIRE(problems.list().empty());
    std::vector<Consumer*> consumers;
    for (CaptureConsumer& each : next) consumers.push_back(&each);
    consumers.resize(workers);
    ReceiverContext context{
        {"jaeger", loops[0], metrics, ledger}, counters, listeners, std::move(consumers)};
    context.errors = &errors;
    receiver = decoded.build(context);
    REQUIRE(errors.empty());
    std::string error;
    REQUIRE(receiver->start(error));
    REQUIRE(listeners.open(error));
    tcp_port = listeners.port(*net::Endpoint::parse("127.0.0.1:0"));
    udp_port = listeners.datagram_port(*net::Endpoint::parse("127.0.0.1:0"));
  }
  ~Daemon() { stop(); }
  void run() { loops.start(); }

  /// Nothing runs any more, what had come has been worked on; what was captured may be looked at.
  void stop() {
    if (std::exchange(stopped, true)) return;
    std::promise<void> listeners_done;
    listeners.stop(std::chrono::seconds(5), [&] { listeners_done.set_value(); });
    listeners_done.get_future().wait();
    std::promise<void> receiver_done;
    receiver->stop([&] { receiver_done.set_value(); });
    receiver_done.get_future().wait();
    loops.stop();
  }

  std::string exchange(const std::string& request) const {
    const Client client(SOCK_STREAM, tcp_port);
    client.send(request);
    std::string answer;
    for (std::string piece = client.receive(); !piece.empty(); piece = client.receive())
      answer += piece;
    return answer;
  }
  std::string post(const std::string& type, const std::string& body,
                   const std::string& path = "/api/traces") const {
    return exchange("POST " + path +
                    " HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: " + type +
                    "\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  Http2Peer::Reply grpc(const std::string& message) const {
    const Client client(SOCK_STREAM, tcp_port);
    Http2Peer peer;
    const std::int32_t stream = peer.grpc("/jaeger.api_v2.CollectorService/PostSpans", message);
    while (!peer.reply(stream).ended && !peer.reply(stream).reset) {
      client.send(peer.output());
      peer.receive(client.receive());
    }
    return peer.reply(stream);
  }

  std::uint64_t datagrams_received() {
    return metrics
        .counter("sluice_datagrams_received", "",
                 {{"receiver", "jaeger"}, {"transport", transport}})
        .value();
  }
  std::uint64_t datagrams_dropped(const std::string& reason) {
    return metrics
        .counter("sluice_datagrams_dropped", "",
                 {{"receiver", "jaeger"}, {"transport", transport}, {"reason", reason}})
        .value();
  }
  std::uint64_t span_count() const {
    std::uint64_t count = 0;
    for (const CaptureConsumer& each : next) count += each.span_count();
    return count;
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (const SpanBatch& batch : next[0].batches) {
      const auto more = model::lines_of(batch.encode().to_string());
      all.insert(all.end(), more.begin(), more.end());
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  net::EventLoops loops;
  Metrics metrics;
  Ledger ledger{64 << 20};
  net::Listeners listeners{loops, ledger, metrics};
  SpanCounters counters{metrics, "receiver", "jaeger"};
  std::array<CaptureConsumer, 3> next;
  std::vector<std::string> errors;
  std::unique_ptr<Receiver> receiver;
  std::string transport = "udp_thrift_compact";
  std::uint16_t tcp_port = 0, udp_port = 0;
  bool stopped = false;
};

const std::string http_yaml = "protocols: {thrift_http: {endpoint: '127.0.0.1:0'}}";
const std::string grpc_yaml = "protocols: {grpc: {endpoint: '127.0.0.1:0'}}";
const std::string compact_yaml = "protocols: {thrift_compact: {endpoint: '127.0.0.1:0'}}";
const std::string binary_yaml = "protocols: {thrift_binary: {endpoint: '127.0.0.1:0'}}";
const std::string thrift_type = "application/x-thrift";

model::Batch batch_of(std::size_t spans) {
  model::Batch batch;
  batch.spans.clear();
  for (std::size_t i = 1; i <= spans; ++i) {
    model::Span span;
    span.id = i;
    span.tags = {model::text("http.method", "GET"), model::integer("attempt", 3)};
    batch.spans.push_back(span);
  }
  return batch;
}

model::Batch with_bad_ids() {
  model::Batch batch = batch_of(3);
  batch.spans[1].id = 0;
  return batch;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the jaeger receiver's README is what it decodes", "[jaeger_receiver]") {
  CHECK(readme_mistakes("receivers/jaeger/README.md", "receivers", "jaeger",
                        jaeger_receiver().decode) == std::vector<std::string>{});
}

TEST_CASE("naming one of Jaeger's protocols is enough to switch it on", "[jaeger_receiver]") {
  for (const char* name : {"grpc", "thrift_http", "thrift_compact", "thrift_binary"})
    CHECK(mistakes("protocols:\n  " + std::string(name) + ":\n").empty());
  CHECK(mistakes("protocols: {grpc: , thrift_http: , thrift_compact: , thrift_binary: }\n"
                 "strict: true")
            .empty());
}

TEST_CASE("mistakes in a jaeger receiver are named with their place", "[jaeger_receiver]") {
  const std::string lesson =
      "name at least one protocol: \"grpc:\", \"thrift_http:\", \"thrift_compact:\" or "
      "\"thrift_binary:\" (a name alone has all defaults)";
  CHECK(mistakes("protocols:\n") == std::vector{"test.yaml:1:1: protocols: " + lesson});
  CHECK(mistakes("protocols:\n  thrift_compact:\n    max_packet_sice: 1\n") ==
        std::vector{"test.yaml:3:5: protocols.thrift_compact.max_packet_sice: unknown key; did "
                    "you mean \"max_packet_size\"?"s});
  CHECK(
      mistakes("protocols:\n  thrift_binary:\n    max_packet_size: 70000\n    workers: 0\n"
               "    queue_size: 0\n    socket_buffer_size: 2000000000\n    endpoint: nowhere\n") ==
      std::vector{
          "test.yaml:3:22: protocols.thrift_binary.max_packet_size: must be between 1 and "
          "65535: no datagram is larger"s,
          "test.yaml:4:14: protocols.thrift_binary.workers: must be at least 1"s,
          "test.yaml:5:17: protocols.thrift_binary.queue_size: must be between 1 and 1000000"s,
          "test.yaml:6:25: protocols.thrift_binary.socket_buffer_size: must be at most 1 GiB"s,
          "test.yaml:7:15: protocols.thrift_binary.endpoint: expected an address such as "
          "\"localhost:6832\", found \"nowhere\""s});
  CHECK(mistakes("protocols: {grpc: }\nremote_sampling: {host_endpoint: 'localhost:5778'}\n") ==
        std::vector{"test.yaml:2:18: remote_sampling: a receiver does not serve sampling "
                    "strategies: name the extension jaegerremotesampling, which may share this "
                    "receiver's gRPC address"s});
}

TEST_CASE("two receivers cannot have one UDP address", "[jaeger_receiver]") {
  Daemon first(http_yaml);  // nothing of what follows is opened
  first.run();
  const auto build = [&](const char* id, const char* yaml) {
    config::Problems problems;
    const auto decoded = jaeger_receiver().decode(config::parse_text(yaml, "test.yaml", problems));
    ReceiverContext context{{id, first.loops[0], first.metrics, first.ledger},
                            first.counters,
                            first.listeners,
                            {&first.next[0]}};
    context.errors = &first.errors;
    return decoded.build(context);
  };
  first.stop();
  const auto one = build("jaeger/1", "protocols: {thrift_compact: , thrift_binary: }");
  CHECK(first.errors.empty());
  const auto two = build("jaeger/2", "protocols: {thrift_binary: {endpoint: 'localhost:6831'}}");
  CHECK(first.errors == std::vector{"udp://localhost:6831 is taken by jaeger/1"s});
}

TEST_CASE("Thrift over HTTP comes in with 202 and an empty body", "[jaeger_receiver]") {
  Daemon daemon(http_yaml);
  daemon.run();
  const model::Batch batch = batch_of(3);
  for (const char* type : {"application/x-thrift", "application/vnd.apache.thrift.binary",
                           "Application/X-Thrift; charset=utf-8"}) {
    const std::string answer =
        daemon.post(type, model::thrift_binary(batch), "/api/traces?format=jaeger.thrift");
    CHECK(answer.starts_with("HTTP/1.1 202 "));
    CHECK(answer.ends_with("\r\n\r\n"));
  }
  daemon.stop();
  CHECK(daemon.span_count() == 9);
  CHECK(model::lines_of(daemon.next[0].batches[0].encode().to_string()) ==
        model::naive(batch, false));
  daemon.next[0].batches.clear();
  CHECK(daemon.ledger.used() == 0);
}

TEST_CASE("what does not belong to the Thrift door is told why", "[jaeger_receiver]") {
  Daemon daemon(http_yaml);
  daemon.run();
  const std::string body = model::thrift_binary(batch_of(1));
  const std::string type = daemon.post("application/json", body);
  CHECK(type.starts_with("HTTP/1.1 400 "));
  CHECK(contains(type, "unsupported content type: application/x-thrift"));
  CHECK(daemon.post("", body).starts_with("HTTP/1.1 400 "));
  const std::string cut = daemon.post(thrift_type, body.substr(0, body.size() - 4));
  CHECK(cut.starts_with("HTTP/1.1 400 "));
  CHECK(contains(cut, " at byte "));
  CHECK(daemon.post(thrift_type, "").starts_with("HTTP/1.1 400 "));
  CHECK(daemon.post(thrift_type, body, "/other").starts_with("HTTP/1.1 404 "));
  CHECK(contains(
      daemon.exchange("GET /api/traces HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
      "allow: POST"));
  daemon.stop();
  CHECK(daemon.span_count() == 0);
}

TEST_CASE("a batch that would take far more memory than its size is malformed",
          "[jaeger_receiver]") {
  const std::string reason = "more memory than twice the request";
  const auto malformed = [](const Daemon& daemon) {
    return daemon.metrics.value("otelcol_receiver_requests",
                                {{"outcome", "refused"}, {"reason", "malformed"}});
  };
  Daemon http(http_yaml);
  http.run();
  // 100,000 tags of one byte.
  const std::string answer =
      http.post(thrift_type, "\x0C\0\x01\0\x0F\0\x02\x0C\0\0\0\x01\x0F\0\x0A\x0C\0\x01\x86\xA0"s +
                                 std::string(100'003, '\0'));
  CHECK(answer.starts_with("HTTP/1.1 400 "));
  CHECK(contains(answer, reason));
  http.stop();
  CHECK(malformed(http) == 1);
  CHECK(http.ledger.used() == 0);
  Daemon grpc(grpc_yaml);
  grpc.run();
  std::string tags;
  for (int i = 0; i < 50'000; ++i) tags += length_field(8, "");
  const Http2Peer::Reply refused = grpc.grpc(length_field(1, length_field(1, tags)));
  CHECK(refused.field("grpc-status") == "3");
  CHECK(contains(refused.field("grpc-message"), reason));
  grpc.stop();
  CHECK(malformed(grpc) == 1);
  CHECK(grpc.ledger.used() == 0);
}

TEST_CASE("a full pipeline is 503 with Retry-After, a batch refused for good 400",
          "[jaeger_receiver]") {
  Daemon daemon(http_yaml);
  daemon.next[0].refuse = Answer{Verdict::retry_later, std::chrono::milliseconds(1500), "full"};
  daemon.run();
  const std::string body = model::thrift_binary(batch_of(1));
  const std::string busy = daemon.post(thrift_type, body);
  CHECK(busy.starts_with("HTTP/1.1 503 "));
  CHECK((contains(busy, "retry-after: 2") || contains(busy, "retry-after: 3")));
  daemon.stop();
  Daemon refusing(http_yaml);
  refusing.next[0].refuse = Answer{Verdict::rejected, {}, "never"};
  refusing.run();
  const std::string never = refusing.post(thrift_type, body);
  CHECK(never.starts_with("HTTP/1.1 400 "));
  CHECK(contains(never, "never"));
}

TEST_CASE("PostSpans is OK, INVALID_ARGUMENT or UNAVAILABLE", "[jaeger_receiver]") {
  Daemon daemon(grpc_yaml);
  daemon.run();
  const model::Batch batch = batch_of(2);
  const Http2Peer::Reply good = daemon.grpc(model::proto(batch));
  CHECK(good.trailer("grpc-status") == "0");
  CHECK(good.data == Http2Peer::grpc_message(""));
  CHECK(daemon.grpc("").trailer("grpc-status") == "0");
  const Http2Peer::Reply bad = daemon.grpc("\x0A\x05");
  CHECK(bad.field("grpc-status") == "3");
  CHECK(contains(bad.field("grpc-message"), "malformed protobuf at byte"));
  daemon.stop();
  CHECK(daemon.lines() == model::naive(batch, true));
  Daemon full(grpc_yaml);
  full.next[0].refuse = Answer{Verdict::retry_later, {}, "full"};
  full.run();
  const Http2Peer::Reply busy = full.grpc(model::proto(batch));
  CHECK(busy.field("grpc-status") == "14");
  CHECK_FALSE(busy.field("grpc-status-details-bin").empty());
}

TEST_CASE("spans with invalid ids cost themselves alone, unless it is strict",
          "[jaeger_receiver]") {
  Daemon daemon(http_yaml);
  daemon.run();
  CHECK(
      daemon.post(thrift_type, model::thrift_binary(with_bad_ids())).starts_with("HTTP/1.1 202 "));
  daemon.stop();
  CHECK(daemon.span_count() == 2);
  CHECK(daemon.counters.refused("invalid_id").value() == 1);
  CHECK(daemon.counters.in.value() == 3);
  Daemon strict(http_yaml + "\nstrict: true");
  strict.run();
  const std::string answer = strict.post(thrift_type, model::thrift_binary(with_bad_ids()));
  CHECK(answer.starts_with("HTTP/1.1 400 "));
  CHECK(contains(answer, "1 spans have no valid trace or span id"));
  strict.stop();
  CHECK(strict.span_count() == 0);
  CHECK(strict.counters.in.value() == 3);
  CHECK(strict.counters.refused("invalid_id").value() == 3);
  Daemon strict_agent(compact_yaml + "\nstrict: true");
  Client(SOCK_DGRAM, strict_agent.udp_port).send(model::compact_message(with_bad_ids()));
  strict_agent.run();
  strict_agent.stop();
  CHECK(strict_agent.span_count() == 0);
  CHECK(strict_agent.datagrams_dropped("invalid_id") == 1);
}

TEST_CASE("datagrams come in, Call or Oneway, those of one round as one batch",
          "[jaeger_receiver]") {
  const model::Batch batch = batch_of(5);
  Daemon compact(compact_yaml);
  {
    const Client client(SOCK_DGRAM, compact.udp_port);
    client.send(model::compact_message(batch, 1));
    client.send(model::compact_message(batch, 4));
    client.send(model::compact_message(batch, 4));
  }
  compact.run();
  compact.stop();
  CHECK(compact.next[0].batches.size() == 1);
  CHECK(compact.span_count() == 15);
  CHECK(compact.datagrams_received() == 3);
  Daemon binary(binary_yaml);
  binary.transport = "udp_thrift_binary";
  Client(SOCK_DGRAM, binary.udp_port).send(model::binary_message(batch, 1));
  binary.run();
  binary.stop();
  CHECK(binary.lines() == model::naive(batch, false));
  CHECK(binary.datagrams_received() == 1);
  binary.next[0].batches.clear();
  CHECK(binary.ledger.used() == 0);
}

TEST_CASE("Zipkin spans come in by the agent's door too", "[jaeger_receiver]") {
  Daemon compact(compact_yaml);
  const Client client(SOCK_DGRAM, compact.udp_port);
  client.send(model::compact_zipkin_message());
  client.send(model::compact_message(batch_of(1)));
  compact.run();
  compact.stop();
  const std::vector<std::string> lines = compact.lines();
  REQUIRE(lines.size() == 2);
  const bool first = contains(lines[0], "name: \"get\"");
  CHECK(contains(lines[first ? 0 : 1], "name: \"get\" kind: 2"));
  CHECK(contains(lines[first ? 0 : 1], "string_value: \"shop\""));
  Daemon binary(binary_yaml);
  Client(SOCK_DGRAM, binary.udp_port).send(model::binary_zipkin_message());
  binary.run();
  binary.stop();
  CHECK(binary.span_count() == 1);
}

TEST_CASE("a datagram of every method and message type leaves a counter behind",
          "[jaeger_receiver]") {
  const bool compact = GENERATE(true, false);
  Daemon daemon(compact ? compact_yaml : binary_yaml);
  if (!compact) daemon.transport = "udp_thrift_binary";
  const auto message = compact ? model::compact_message : model::binary_message;
  const Client client(SOCK_DGRAM, daemon.udp_port);
  std::uint64_t sent = 0;
  for (int type = 0; type < 8; ++type) {
    for (const std::string& name : {"emitBatch"s, "emitZipkinBatch"s, "getSamplingStrategy"s, ""s,
                                    "x"s, std::string(60'000, 'n')}) {
      client.send(message(batch_of(1), type, name));
      ++sent;
    }
  }
  client.send(compact ? model::compact_zipkin_message() : model::binary_zipkin_message());
  daemon.run();
  daemon.stop();
  CHECK(daemon.datagrams_received() == sent + 1);
  CHECK(daemon.datagrams_dropped("kernel") == 0);
  CHECK(daemon.datagrams_dropped("wrong_type") == 6 * 6);
  CHECK(daemon.datagrams_dropped("malformed") == 2);  // a struct where a list must be
  CHECK(daemon.datagrams_dropped("unknown_method") == 2 * 4);
  CHECK(daemon.span_count() == 3);
}

TEST_CASE("datagrams that hold no batch are counted by what is wrong with them",
          "[jaeger_receiver]") {
  const bool compact = GENERATE(true, false);
  const std::string name = compact ? "compact" : "binary";
  Daemon daemon("protocols: {thrift_" + name +
                ": {endpoint: '127.0.0.1:0', max_packet_size: 2000}}");
  daemon.transport = "udp_thrift_" + name;
  const Client client(SOCK_DGRAM, daemon.udp_port);
  const std::string compact_one = model::compact_message(batch_of(2));
  const std::string binary_one = model::binary_message(batch_of(2));
  const std::string& good = compact ? compact_one : binary_one;
  const std::string start = compact ? "\x82\x81\x01\x09"s : "\x80\x01\0\x01\0\0\0\x09"s;
  client.send("");
  client.send(std::string(2001, 'x'));
  client.send(std::string(65507, 'x'));
  client.send("garbage");
  client.send(good.substr(0, good.size() / 2));
  client.send(compact ? binary_one : compact_one);
  client.send(start + "emitBatch" + (compact ? ""s : "\0\0\0\x01"s) + '\0');  // no arguments
  client.send(good);
  daemon.run();
  daemon.stop();
  CHECK(daemon.datagrams_received() == 8);
  CHECK(daemon.datagrams_dropped("empty") == 1);
  CHECK(daemon.datagrams_dropped("too_large") == 2);
  CHECK(daemon.datagrams_dropped("malformed") == 4);
  CHECK(daemon.span_count() == 2);
}

TEST_CASE("a batch of no spans is received and nothing is handed on", "[jaeger_receiver]") {
  Daemon daemon(compact_yaml);
  Client(SOCK_DGRAM, daemon.udp_port).send(model::compact_message(batch_of(0)));
  daemon.run();
  daemon.stop();
  CHECK(daemon.datagrams_received() == 1);
  CHECK(daemon.next[0].batches.empty());
}

TEST_CASE("a datagram of the largest size comes in where it is allowed to", "[jaeger_receiver]") {
  const bool compact = GENERATE(true, false);
  Daemon daemon("protocols: {thrift_" + std::string(compact ? "compact" : "binary") +
                ": {endpoint: '127.0.0.1:0', max_packet_size: 65535}}");
  const auto write = compact ? model::compact_message : model::binary_message;
  model::Batch batch = batch_of(1);
  batch.spans[0].name = std::string(60000, 'n');
  std::string message = write(batch, 4, "emitBatch");
  batch.spans[0].name += std::string(65507 - message.size(), 'n');
  message = write(batch, 4, "emitBatch");
  REQUIRE(message.size() == 65507);
  Client(SOCK_DGRAM, daemon.udp_port).send(message);
  daemon.run();
  daemon.stop();
  CHECK(daemon.span_count() == 1);
}

TEST_CASE("what was sent is what was received and what the kernel dropped", "[jaeger_receiver]") {
  Daemon daemon("protocols: {thrift_compact: {endpoint: '127.0.0.1:0', socket_buffer_size: 16384}}",
                3);
  const Client client(SOCK_DGRAM, daemon.udp_port);
  const std::string message = model::compact_message(batch_of(2));
  for (int i = 0; i < 500; ++i) client.send(message);
  daemon.run();
  daemon.stop();
  CHECK(daemon.datagrams_dropped("kernel") > 0);
  CHECK(daemon.datagrams_received() > 0);
  CHECK(daemon.datagrams_received() + daemon.datagrams_dropped("kernel") == 500);
  CHECK(daemon.span_count() == 2 * daemon.datagrams_received());
}

TEST_CASE("full rounds are dealt out to other workers", "[jaeger_receiver]") {
  Daemon daemon(
      "protocols: {thrift_compact: {endpoint: '127.0.0.1:0', socket_buffer_size: 8000000}}", 3);
  const Client client(SOCK_DGRAM, daemon.udp_port);
  const std::string message = model::compact_message(batch_of(1));
  for (int i = 0; i < 200; ++i) client.send(message);
  daemon.run();
  daemon.stop();
  CHECK(daemon.datagrams_received() + daemon.datagrams_dropped("kernel") == 200);
  CHECK(daemon.span_count() == daemon.datagrams_received());
  CHECK(daemon.next[1].span_count() + daemon.next[2].span_count() > 0);
}

TEST_CASE("what the pipeline refuses of datagrams is dropped and counted", "[jaeger_receiver]") {
  Daemon daemon(compact_yaml);
  daemon.next[0].refuse = Answer{Verdict::retry_later, {}, "full"};
  const Client client(SOCK_DGRAM, daemon.udp_port);
  for (int i = 0; i < 3; ++i) client.send(model::compact_message(batch_of(2)));
  daemon.run();
  daemon.stop();
  CHECK(daemon.datagrams_dropped("overload") == 3);
  CHECK(daemon.counters.refused("overload").value() == 6);
  CHECK(daemon.counters.in.value() == 6);
  Daemon busy(compact_yaml);
  busy.ledger.set_limit(10);
  Client(SOCK_DGRAM, busy.udp_port).send(model::compact_message(batch_of(2)));
  busy.run();
  busy.stop();
  CHECK(busy.datagrams_dropped("busy") == 1);
}

}  // namespace sluice::test
