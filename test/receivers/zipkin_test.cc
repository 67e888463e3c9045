#include "receivers/zipkin/zipkin.h"

#include <catch2/catch.hpp>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/model/span_view.h"
#include "pipeline/net/compression.h"
#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"
#include "test/support/capture.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"
#include "test/support/socket_client.h"

namespace sluice::test {
namespace {

constexpr std::string_view json = "application/json", proto = "application/x-protobuf",
                           thrift = "application/x-thrift";
constexpr std::string_view v2_path = "/api/v2/spans", v1_path = "/api/v1/spans";
constexpr std::string_view v2_span = R"([{"traceId":"1","id":"2","name":"two"}])";
constexpr std::string_view v1_span =
    R"([{"traceId":"1","id":"2","name":"one","annotations":[],"binaryAnnotations":[]}])";

std::vector<std::string> mistakes(std::string_view yaml) {
  config::Problems problems;
  (void)zipkin_receiver().decode(config::parse_text(yaml, "test.yaml", problems));
  std::vector<std::string> lines;
  for (const config::Problem& problem : problems.list()) lines.push_back(problem.to_string());
  return lines;
}

/// A receiver on a real port, built from YAML.
class Daemon {
 public:
  explicit Daemon(const std::string& options = "", std::size_t ledger_limit = 1 << 20)
      : ledger(ledger_limit) {
    config::Problems problems;
    const auto decoded = zipkin_receiver().decode(
        config::parse_text("{endpoint: '127.0.0.1:0'" + options + "}", "test.yaml", problems));
    REQUIRE(problems.list().empty());
    ReceiverContext context{{"zipkin", loops[0], metrics, ledger}, counters, listeners, {&next}};
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

  std::string exchange(const std::string& request) const {
    SocketClient client(port);
    client.send(request);
    return client.receive_to_end();
  }
  std::string post(std::string_view path, std::string_view type, std::string_view body,
                   const std::string& headers = "") const {
    std::string head = "POST " + std::string(path) +
                       " HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n" + headers +
                       "content-length: " + std::to_string(body.size()) + "\r\n";
    if (!type.empty()) head += "content-type: " + std::string(type) + "\r\n";
    return exchange(head + "\r\n" + std::string(body));
  }
  double refused_requests(const std::string& reason) const {
    return metrics.value("otelcol_receiver_requests", {{"outcome", "refused"}, {"reason", reason}});
  }
  double refused_spans(const std::string& reason) const {
    return metrics.value("sluice_component_spans", {{"flow", "refused"}, {"reason", reason}});
  }
  std::vector<std::string> names() {
    stop();
    std::vector<std::string> all;
    for (const SpanBatch& batch : next.batches)
      for (const std::string& name : span_names(batch)) all.push_back(name);
    return all;
  }

  net::EventLoops loops{1};
  Metrics metrics;
  Ledger ledger;
  net::Listeners listeners{loops, ledger, metrics};
  SpanCounters counters{metrics, "receiver", "zipkin"};
  CaptureConsumer next;
  std::vector<std::string> errors;
  std::unique_ptr<Receiver> receiver;
  std::uint16_t port = 0;
  bool stopped = false;
};

bool is_accepted(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 202 ") && answer.ends_with("\r\n\r\n");
}

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

std::string compressed(net::Encoding encoding, std::string_view text) {
  EncodedBatch body;
  body.slices.push_back({text.data(), text.size()});
  body.size = text.size();
  return std::string(net::deflate(encoding, body).bytes());
}

std::string proto_list(const std::string& name) {
  return length_field(
      1, length_field(1, make_id(1, 8)) + length_field(3, make_id(2, 8)) + length_field(5, name));
}

/// A list with one span, in the binary protocol.
std::string thrift_list(const std::string& name) {
  using namespace std::string_literals;
  return "\x0c\0\0\0\x01"s + "\x0a\0\x01\0\0\0\0\0\0\0\x01"s + "\x0b\0\x03\0\0\0"s +
         static_cast<char>(name.size()) + name + "\x0a\0\x04\0\0\0\0\0\0\0\x02"s + '\0';
}

}  // namespace

TEST_CASE("the zipkin receiver's README is what it decodes", "[zipkin_receiver]") {
  CHECK(readme_mistakes("receivers/zipkin/README.md", "receivers", "zipkin",
                        zipkin_receiver().decode) == std::vector<std::string>{});
}

TEST_CASE("mistakes in a zipkin receiver are named with their place", "[zipkin_receiver]") {
  CHECK(mistakes("{}").empty());
  CHECK(mistakes("{endpoint: '0.0.0.0:9411', parse_string_tags: true, strict: true}").empty());
  CHECK(mistakes("{parse_string_tag: true}") ==
        std::vector<std::string>{"test.yaml:1:2: parse_string_tag: unknown key; did you mean "
                                 "\"parse_string_tags\"?"});
  CHECK(mistakes("{strict: maybe}").size() == 1);
}

TEST_CASE("every format is taken at its path and answered with 202 and nothing else",
          "[zipkin_receiver]") {
  Daemon daemon;
  CHECK(is_accepted(daemon.post(v2_path, json, v2_span)));
  CHECK(is_accepted(daemon.post(v2_path, "Application/JSON ; charset=utf-8", v2_span)));
  CHECK(is_accepted(daemon.post(v2_path, "", v2_span)));
  CHECK(is_accepted(daemon.post(v2_path, "text/plain", v2_span)));
  CHECK(is_accepted(daemon.post(v2_path, proto, proto_list("proto"))));
  CHECK(is_accepted(daemon.post(v1_path, json, v1_span)));
  CHECK(is_accepted(daemon.post(v1_path, "", v1_span)));
  CHECK(is_accepted(daemon.post(v1_path, thrift, thrift_list("thrift"))));
  CHECK(daemon.names() ==
        std::vector<std::string>{"two", "two", "two", "two", "proto", "one", "one", "thrift"});
  CHECK(daemon.counters.out.value() == 8);
}

TEST_CASE("any path takes spans; one that holds api/v1/spans takes v1", "[zipkin_receiver]") {
  Daemon daemon;
  CHECK(is_accepted(daemon.post("/", json, v2_span)));
  CHECK(is_accepted(daemon.post("/zipkin/api/v2/spans?x=y", json, v2_span)));
  CHECK(is_accepted(daemon.post("/proxy/api/v1/spans", json, v1_span)));
  CHECK(is_accepted(daemon.post("/proxy/api/v1/spans/", thrift, thrift_list("thrift"))));
  CHECK(daemon.names() == std::vector<std::string>{"two", "two", "one", "thrift"});
}

TEST_CASE("an empty body and an empty list are accepted", "[zipkin_receiver]") {
  Daemon daemon;
  for (const std::string_view type : {json, proto, std::string_view()})
    CHECK(is_accepted(daemon.post(v2_path, type, "")));
  CHECK(is_accepted(daemon.post(v2_path, json, "[]")));
  CHECK(is_accepted(daemon.post(v1_path, thrift, "")));
  CHECK(daemon.names().empty());
}

TEST_CASE("what does not parse is answered with the reason as text, and nothing is kept",
          "[zipkin_receiver]") {
  Daemon daemon;
  const auto check = [&](std::string_view path, std::string_view type, std::string_view body,
                         const std::string& reason) {
    const std::string answer = daemon.post(path, type, body);
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(answer.find("content-type: text/plain; charset=utf-8\r\n") != std::string::npos);
    CHECK(body_of(answer) == reason + "\n");
  };
  check(v2_path, json, R"([{"traceId":"1","id":"2"},)",
        "at byte 26: expected an object near \"id\", found the end");
  check(v2_path, proto, "\x0a\x05xx", "at byte 2: a malformed list of spans");
  check(v1_path, thrift, "\x0c", "the input ends too early at byte 1");
  check(v2_path, json, v1_span,
        "at byte 75: \"binaryAnnotations\": this is the v1 format, which goes to /api/v1/spans");
  check(v1_path, json, R"([{"traceId":"1","id":"2","tags":{}}])",
        "at byte 32: \"tags\": this is the v2 format, which goes to /api/v2/spans");
  check(v1_path, proto, proto_list("x"), "v1 spans are JSON or Thrift, not protobuf");
  check(v2_path, thrift, thrift_list("x"), "v2 spans are JSON or protobuf, not Thrift");
  CHECK(daemon.refused_requests("malformed") == 5);
  CHECK(daemon.refused_requests("wrong_request") == 2);
  CHECK(daemon.names().empty());
}

TEST_CASE("a request that would take far more memory than its size is refused",
          "[zipkin_receiver]") {
  using namespace std::string_literals;
  Daemon daemon;
  const auto check = [&](std::string_view path, std::string_view type, const std::string& body) {
    const std::string answer = daemon.post(path, type, body);
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(body_of(answer).find("more memory than twice the request") != std::string::npos);
  };
  std::string members;
  for (int i = 0; i < 30'000; ++i)
    members +=
        (i == 0 ? "\"" : ",\"") + std::string(1, static_cast<char>(']' + i % 160)) + "\":\"\"";
  check(v2_path, json, R"([{"traceId":"1","id":"2","tags":{)" + members + "}}]");
  std::string tags;
  for (int i = 0; i < 30'000; ++i)
    tags += length_field(11, length_field(1, std::string(1, static_cast<char>(i % 200))));
  check(v2_path, proto,
        length_field(1, length_field(1, make_id(1, 8)) + length_field(3, make_id(2, 8)) + tags));
  const std::string bytes = "\x0b\0\x01\0\0\0\x01k\x0b\0\x02\0\x04\0\0"s +
                            std::string(0x40000, 'x') + "\x08\0\x03\0\0\0\x01\0"s;
  check(v1_path, thrift,
        "\x0c\0\0\0\x01\x0a\0\x01\0\0\0\0\0\0\0\x01\x0a\0\x04\0\0\0\0\0\0\0\x02"s +
            "\x0f\0\x08\x0c\0\0\0\x01"s + bytes + "\0"s);
  CHECK(daemon.refused_requests("malformed") == 3);
  CHECK(daemon.names().empty());
  CHECK(daemon.ledger.used() == 0);
}

TEST_CASE("a request that lets go of its front to make room comes in whole", "[zipkin_receiver]") {
  using namespace std::string_literals;
  Daemon daemon("", 8 << 20);
  std::string body = "[";
  for (int i = 0; i < 10'000; ++i)
    body += (i > 0 ? ",{" : "{") +
            R"("traceId":"1","id":"2","localEndpoint":{"ipv4":"1.1.1.1","port":1},"name":")"s +
            std::to_string(i) + R"(","shared":true,"debug":true})";
  CHECK(is_accepted(daemon.post(v2_path, json, body + "]")));
  std::vector<std::string> expected;
  for (int i = 0; i < 10'000; ++i) expected.push_back(std::to_string(i));
  CHECK(daemon.names() == expected);
}

TEST_CASE("a span with an invalid id is left out and counted; with strict it refuses all",
          "[zipkin_receiver]") {
  const std::string body = R"([{"traceId":"1","id":"2","name":"kept"},{"traceId":"x","id":"2"}])";
  SECTION("lenient") {
    Daemon daemon;
    CHECK(is_accepted(daemon.post(v2_path, json, body)));
    CHECK(is_accepted(daemon.post(v2_path, json, R"([{"traceId":"x","id":"2"}])")));
    CHECK(daemon.names() == std::vector<std::string>{"kept"});
    CHECK(daemon.refused_spans("invalid_id") == 2);
    CHECK(daemon.counters.in.value() == 3);
    CHECK(daemon.counters.out.value() == 1);
  }
  SECTION("strict") {
    Daemon daemon(", strict: true");
    const std::string answer = daemon.post(v2_path, json, body);
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(body_of(answer) ==
          "at byte 40: a span whose trace id is not 1 to 32 hexadecimal digits\n");
    CHECK(daemon.names().empty());
    CHECK(daemon.refused_requests("malformed") == 1);
  }
}

TEST_CASE("compressed bodies are taken, broken ones refused", "[zipkin_receiver]") {
  Daemon daemon;
  const auto post = [&](const std::string& name, std::string_view body) {
    return daemon.post(v2_path, json, body, "content-encoding: " + name + "\r\n");
  };
  CHECK(is_accepted(post("gzip", compressed(net::Encoding::gzip, v2_span))));
  CHECK(is_accepted(post("deflate", compressed(net::Encoding::deflate, v2_span))));
  CHECK(is_accepted(post("zlib", compressed(net::Encoding::zlib, v2_span))));
  CHECK(post("gzip", v2_span).starts_with("HTTP/1.1 400 "));
  CHECK(post("br", v2_span).starts_with("HTTP/1.1 415 "));
  CHECK(daemon.names().size() == 3);
}

TEST_CASE("other methods and other protocols' paths are told so", "[zipkin_receiver]") {
  Daemon daemon;
  for (const char* method : {"GET", "PUT", "TRACE", "DELETE"}) {
    const std::string answer =
        daemon.exchange(std::string(method) +
                        " /api/v2/spans HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 405 "));
    CHECK(answer.find("allow: POST\r\n") != std::string::npos);
  }
  for (const char* path : {"/v1/traces", "/v1/metrics", "/v1/logs", "/api/traces"})
    CHECK(daemon.post(path, proto, "").starts_with("HTTP/1.1 404 "));
}

TEST_CASE("pages of any origin may send unless cors says otherwise", "[zipkin_receiver]") {
  const auto preflight = [](const Daemon& daemon) {
    return daemon.exchange(
        "OPTIONS /api/v2/spans HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        "origin: https://shop.example\r\naccess-control-request-method: POST\r\n"
        "access-control-request-headers: content-type\r\n\r\n");
  };
  SECTION("by default") {
    Daemon daemon;
    const std::string answer = preflight(daemon);
    CHECK(answer.find("access-control-allow-origin: *\r\n") != std::string::npos);
    CHECK(answer.find("Content-Type") != std::string::npos);
    CHECK(daemon.post(v2_path, json, v2_span, "origin: https://shop.example\r\n")
              .find("access-control-allow-origin: *\r\n") != std::string::npos);
  }
  SECTION("as configured") {
    Daemon daemon(", cors: {allowed_origins: ['https://other.example']}");
    CHECK(preflight(daemon).find("access-control-allow-origin") == std::string::npos);
  }
  SECTION("switched off") {
    Daemon daemon(", cors: {}");
    CHECK(preflight(daemon).find("access-control-allow-origin") == std::string::npos);
  }
}

TEST_CASE("gRPC reports on the same port", "[zipkin_receiver]") {
  Daemon daemon;
  {
    GrpcSocketClient client(daemon.port);
    const auto& reply = client.call("/zipkin.proto3.SpanService/Report", proto_list("grpc"));
    CHECK(reply.trailer("grpc-status") == "0");
  }
  {
    GrpcSocketClient client(daemon.port);
    const auto& reply = client.call("/zipkin.proto3.SpanService/Report", "\x0a\x7f");
    CHECK(reply.field("grpc-status") == "3");
  }
  CHECK(daemon.names() == std::vector<std::string>{"grpc"});
}

TEST_CASE("who comes while there is no room is told to come back", "[zipkin_receiver]") {
  SECTION("the pipeline refuses") {
    Daemon daemon;
    daemon.next.refuse = Answer{Verdict::retry_later, std::chrono::seconds(7), "the queue is full"};
    const std::string answer = daemon.post(v2_path, json, v2_span);
    CHECK(answer.starts_with("HTTP/1.1 503 "));
    CHECK(answer.find("retry-after: ") != std::string::npos);
    CHECK(body_of(answer) == "the queue is full\n");
    CHECK(daemon.refused_requests("overload") == 1);
  }
  SECTION("the ledger has no room for the translation") {
    Daemon daemon("", 1000);
    const Charge others = daemon.ledger.charge(100);
    const std::string answer = daemon.post(v2_path, proto, proto_list(std::string(430, 'x')));
    CHECK(answer.starts_with("HTTP/1.1 503 "));
    CHECK(body_of(answer) == "busy: too many bytes in flight\n");
    CHECK(daemon.refused_requests("busy") == 1);
  }
  SECTION("refused for good") {
    Daemon daemon;
    daemon.next.refuse = Answer{Verdict::rejected, {}, "no"};
    const std::string answer = daemon.post(v2_path, json, v2_span);
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(body_of(answer) == "no\n");
  }
  SECTION("too large") {
    Daemon daemon(", max_request_body_size: 10");
    CHECK(daemon.post(v2_path, json, v2_span).starts_with("HTTP/1.1 413 "));
  }
}

TEST_CASE("tags are parsed where the receiver is told to", "[zipkin_receiver]") {
  Daemon daemon(", parse_string_tags: true");
  CHECK(is_accepted(daemon.post(v2_path, json, R"([{"traceId":"1","id":"2","tags":{"n":"5"}}])")));
  daemon.stop();
  const auto attribute =
      SpanView(daemon.next.batches.at(0).span_bytes(std::uint32_t{0})).attribute("n");
  REQUIRE(attribute);
  CHECK(attribute->value().integer() == 5);
}

}  // namespace sluice::test
