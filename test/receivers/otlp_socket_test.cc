#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <future>
#include <string>
#include <vector>

#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"
#include "receivers/otlp/otlp.h"
#include "test/support/capture.h"
#include "test/support/http2_peer.h"
#include "test/support/otlp_builder.h"

namespace sluice::test {
namespace {

/// A connected socket that waits ten seconds at most.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
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

  void send(std::string_view bytes) {
    REQUIRE(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  /// What has come, at least a byte; empty at the end.
  std::string receive() {
    std::string bytes(64 * 1024, '\0');
    const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
    REQUIRE(size >= 0);
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  }

 private:
  int socket_;
};

/// A receiver on a real port, built from YAML.
class Daemon {
 public:
  explicit Daemon(const std::string& protocols) {
    config::Problems problems;
    const auto decoded =
        otlp_receiver().decode(config::parse_text(protocols, "test.yaml", problems));
    REQUIRE(problems.list().empty());
    ReceiverContext context{{"otlp", loops[0], metrics, ledger}, counters, listeners, {&next}};
    context.errors = &errors;
    receiver = decoded.build(context);
    REQUIRE(errors.empty());
    std::string error;
    REQUIRE(receiver->start(error));
    REQUIRE(listeners.open(error));
    loops.start();
    port = listeners.port(*net::Endpoint::parse("127.0.0.1:0"));
  }
  ~Daemon() { stop(); }

  /// Nothing runs any more; what was captured may be looked at.
  void stop() {
    if (std::exchange(stopped, true)) return;
    std::promise<void> receiver_done;
    receiver->stop([&] { receiver_done.set_value(); });
    receiver_done.get_future().wait();
    std::promise<void> listeners_done;
    listeners.stop(std::chrono::seconds(5), [&] { listeners_done.set_value(); });
    listeners_done.get_future().wait();
    loops.stop();
  }

  /// The whole answer to one request, which ends the connection.
  std::string post(const std::string& path, const std::string& type,
                   const std::string& body) const {
    return exchange("POST " + path +
                    " HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: " + type +
                    "\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  std::string exchange(const std::string& request) const {
    Client client(port);
    client.send(request);
    std::string answer;
    for (std::string piece = client.receive(); !piece.empty(); piece = client.receive())
      answer += piece;
    return answer;
  }
  Http2Peer::Reply grpc(const std::string& path, const std::string& message) const {
    Client client(port);
    Http2Peer peer;
    const std::int32_t stream = peer.grpc(path, message);
    while (!peer.reply(stream).ended && !peer.reply(stream).reset) {
      client.send(peer.output());
      peer.receive(client.receive());
    }
    return peer.reply(stream);
  }

  net::EventLoops loops{1};
  Metrics metrics;
  Ledger ledger{1 << 20};
  net::Listeners listeners{loops, ledger, metrics};
  SpanCounters counters{metrics, "receiver", "otlp"};
  CaptureConsumer next;
  std::vector<std::string> errors;
  std::unique_ptr<Receiver> receiver;
  std::uint16_t port = 0;
  bool stopped = false;
};

const std::string traces_method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const std::string metrics_method =
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const std::string request = make_request({{.service = "shop", .spans = numbered_spans(3)}});
const std::string json =
    R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",)"
    R"("spanId":"eee19b7ec3c1b174","name":"pay"}]}]}]})";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every form of OTLP comes in on one port", "[otlp_receiver]") {
  Daemon daemon("protocols: {http: {endpoint: '127.0.0.1:0', include_metadata: true}}");
  const std::string proto_answer = daemon.post("/v1/traces", "application/x-protobuf", request);
  CHECK(proto_answer.starts_with("HTTP/1.1 200 "));
  CHECK(contains(proto_answer, "content-type: application/x-protobuf"));
  CHECK(proto_answer.ends_with("\r\n\r\n"));
  const std::string json_answer = daemon.post("/v1/traces", "application/json", json);
  CHECK(json_answer.starts_with("HTTP/1.1 200 "));
  CHECK(json_answer.ends_with("\r\n\r\n{}"));
  const Http2Peer::Reply reply = daemon.grpc(traces_method, request);
  CHECK(reply.trailer("grpc-status") == "0");
  CHECK(reply.data == Http2Peer::grpc_message(""));
  daemon.stop();
  CHECK(daemon.next.span_count() == 7);
  REQUIRE(daemon.next.batches.size() == 3);
  CHECK(daemon.next.batches[0].encode().to_string() == request);
  CHECK(daemon.next.batches[0].context()->metadata_value("content-type") ==
        "application/x-protobuf");
  CHECK(span_names(daemon.next.batches[1]) == std::vector<std::string>{"pay"});
  CHECK(daemon.next.batches[2].encode().to_string() == request);
  daemon.next.batches.clear();
  CHECK(daemon.ledger.used() == 0);
}

TEST_CASE("what does not belong to the otlp receiver is told so on the wire", "[otlp_receiver]") {
  Daemon daemon(
      "protocols: {http: {endpoint: '127.0.0.1:0', traces_url_path: custom, max_request_body_size: "
      "1000}}");
  CHECK(daemon.post("/custom", "application/json", json).starts_with("HTTP/1.1 200 "));
  CHECK(daemon.post("/v1/traces", "application/json", json).starts_with("HTTP/1.1 404 "));
  CHECK(daemon.post("/custom", "text/plain", json).starts_with("HTTP/1.1 415 "));
  const std::string get =
      daemon.exchange("GET /custom HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
  CHECK(get.starts_with("HTTP/1.1 405 "));
  CHECK(contains(get, "allow: POST"));
  const std::string metrics = daemon.post("/v1/metrics", "application/json", "{}");
  CHECK(metrics.starts_with("HTTP/1.1 404 "));
  CHECK(contains(metrics, R"({"code":12,"message":"this server takes traces only, not metrics"})"));
  const std::string bad = daemon.post("/custom", "application/json", "{");
  CHECK(bad.starts_with("HTTP/1.1 400 "));
  CHECK(contains(bad, "google.rpc.BadRequest"));
  CHECK(daemon.post("/custom", "application/x-protobuf", std::string(1001, 'x'))
            .starts_with("HTTP/1.1 413 "));
  const Http2Peer::Reply reply = daemon.grpc(metrics_method, "");
  CHECK(reply.field("grpc-status") == "12");
  CHECK(reply.field("grpc-message") == "this server takes traces only, not metrics");
  CHECK(daemon.grpc(traces_method, "\x0a\x05").field("grpc-status") == "3");
}

}  // namespace sluice::test
