#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>
#include <random>

#include "exporters/nop/nop.h"
#include "extensions/jaegerremotesampling/strategy_json.h"
#include "pipeline/countdown.h"
#include "pipeline/graph.h"
#include "receivers/otlp/otlp.h"
#include "sampling.pb.h"
#include "test/extensions/sampling_fixture.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

namespace pb = sampling;
using Lines = std::vector<std::string>;

const std::string inline_source = R"(source: {contents: '{"service_strategies": [)"
                                  R"({"service": "a b+c&d", "type": "ratelimiting", "param": 5},)"
                                  R"({"service": "größe", "type": "ratelimiting", "param": 6}]}'})";
const std::string limited =
    R"({"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":5}})";
const std::string standard =
    R"({"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.001}})";

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

std::string parameters(const std::string& service) {
  pb::SamplingStrategyParameters message;
  message.set_servicename(service);
  return message.SerializeAsString();
}

}  // namespace

TEST_CASE("a strategy is asked for over HTTP, at both paths", "[remote_sampling]") {
  SamplingFixture fixture(inline_source);
  fixture.start();
  for (const std::string path : {"/sampling", "/"}) {
    const std::string answer = fixture.get(path + "?service=a+b%2Bc%26d");
    CHECK(answer.starts_with("HTTP/1.1 200 "));
    CHECK(answer.find("content-type: application/json\r\n") != std::string::npos);
    CHECK(body_of(answer) == limited);
  }
  CHECK(fixture.requests("http", "answered") == 2);
}

TEST_CASE("the query is read as browsers write it", "[remote_sampling]") {
  SamplingFixture fixture(inline_source);
  fixture.start();
  const auto ask = [&](const std::string& query) {
    return body_of(fixture.get("/sampling" + query));
  };
  CHECK(ask("?service=%61%20b%2bc%26d") == limited);
  CHECK(ask("?x=1&service=a%20b%2Bc%26d&y") == limited);
  CHECK(ask("?ser%76ice=a+b%2Bc%26d") == limited);
  CHECK(ask("?service=gr%C3%B6%c3%9fe").find("\"maxTracesPerSecond\":6") != std::string::npos);
  CHECK(ask("?service=%00%ff") == standard);
  CHECK(ask("?service=a=b") == standard);
  CHECK(ask("?&&service=any&") == standard);
}

TEST_CASE("a hostile or careless query is answered with 400", "[remote_sampling]") {
  SamplingFixture fixture(inline_source);
  fixture.start();
  const std::string query =
      GENERATE(as<std::string>(), "", "?", "?service", "?service=", "?service=a&service=a",
               "?service=a&service=b", "?service=a&ser%76ice=b", "?Service=a", "?services=a",
               "?service=%", "?service=%4", "?service=%zz", "?service=%%41", "?service=a%2",
               "?service=%zz&service=a", "?%zz=a", "?=a", "?&&&", "?service;a=b");
  const std::string answer = fixture.get("/sampling" + query);
  CHECK(answer.starts_with("HTTP/1.1 400 "));
  CHECK(body_of(answer) == "the parameter \"service\" must be given exactly once\n");
  CHECK(fixture.requests("http", "bad_request") == 1);
  CHECK(fixture.get("/sampling?service=" + std::string(4097, 'a')).starts_with("HTTP/1.1 400 "));
  CHECK(fixture.get("/sampling?service=" + std::string(4096, 'a')).starts_with("HTTP/1.1 200 "));
}

TEST_CASE("other methods and paths are refused", "[remote_sampling]") {
  SamplingFixture fixture(inline_source);
  fixture.start();
  const std::string answer = fixture.get("/sampling?service=a", "DELETE");
  CHECK(answer.starts_with("HTTP/1.1 405 "));
  CHECK(answer.find("allow: GET, HEAD\r\n") != std::string::npos);
  CHECK(fixture.get("/baggageRestrictions?service=a").starts_with("HTTP/1.1 404 "));
  const std::string head = fixture.get("/sampling?service=a", "HEAD");
  CHECK(head.starts_with("HTTP/1.1 200 "));
  CHECK(body_of(head) == "");
}

TEST_CASE("a strategy is asked for over gRPC", "[remote_sampling]") {
  SamplingFixture fixture(inline_source);
  fixture.start();
  const Http2Peer::Reply reply = fixture.grpc(parameters("a b+c&d"));
  CHECK(reply.trailer("grpc-status") == "0");
  pb::SamplingStrategyResponse response;
  REQUIRE(response.ParseFromString(reply.data.substr(5)));
  CHECK(response.strategytype() == pb::RATE_LIMITING);
  CHECK(response.ratelimitingsampling().maxtracespersecond() == 5);
  REQUIRE(response.ParseFromString(fixture.grpc("").data.substr(5)));
  CHECK(response.probabilisticsampling().samplingrate() == 0.001);
  CHECK(fixture.requests("grpc", "answered") == 2);
}

TEST_CASE("parameters that are broken or too long are invalid", "[remote_sampling]") {
  SamplingFixture fixture(inline_source);
  fixture.start();
  CHECK(fixture.grpc("\x0a\x05").field("grpc-status") == "3");
  CHECK(fixture.grpc(parameters(std::string(4097, 'a'))).field("grpc-status") == "3");
  CHECK(fixture.grpc(std::string(20'000, 'a')).field("grpc-status") == "8");
  CHECK(fixture.grpc(parameters(std::string(4096, 'a'))).trailer("grpc-status") == "0");
  CHECK(fixture.requests("grpc", "bad_request") == 3);
}

TEST_CASE("both forms of a strategy are those of libprotobuf", "[remote_sampling]") {
  std::minstd_rand random(20);
  const auto below = [&](std::uint_fast32_t limit) { return random() % limit; };
  const auto rate = [&] { return static_cast<double>(below(1001)) / 1000; };
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  for (int i = 0; i < 300; ++i) {
    pb::SamplingStrategyResponse message;
    message.set_strategytype(below(2) == 0 ? pb::PROBABILISTIC : pb::RATE_LIMITING);
    if (below(2) == 0) message.mutable_probabilisticsampling()->set_samplingrate(rate());
    if (below(2) == 0)
      message.mutable_ratelimitingsampling()->set_maxtracespersecond(static_cast<int>(below(3)) -
                                                                     1);
    if (below(2) == 0) {
      auto& operations = *message.mutable_operationsampling();
      operations.set_defaultsamplingprobability(rate());
      operations.set_defaultlowerboundtracespersecond(rate());
      operations.set_defaultupperboundtracespersecond(below(2) == 0 ? 0 : rate());
      for (auto each = below(4); each > 0; --each) {
        auto& operation = *operations.add_peroperationstrategies();
        operation.set_operation(std::string("\"gr\xc3\xb6\xc3\x9f\n\x01").substr(0, below(9)));
        if (operation.operation().size() == 4 || operation.operation().size() == 6)
          operation.set_operation("op");  // not in the middle of a letter
        if (below(4) > 0) operation.mutable_probabilisticsampling()->set_samplingrate(rate());
      }
    }
    std::string expected;
    REQUIRE(google::protobuf::util::MessageToJsonString(message, &expected, options).ok());
    const auto json = remote_sampling::strategy_json(message.SerializeAsString());
    REQUIRE(json);
    CHECK(nlohmann::json::parse(*json) == nlohmann::json::parse(expected));
  }
}

TEST_CASE("a strategy that is cut off is not valid, or a shorter one", "[remote_sampling]") {
  pb::SamplingStrategyResponse message;
  message.mutable_operationsampling()->add_peroperationstrategies()->set_operation("pay");
  message.mutable_operationsampling()->set_defaultsamplingprobability(0.5);
  const std::string whole = message.SerializeAsString();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    pb::SamplingStrategyResponse cut;
    CHECK(remote_sampling::strategy_json(whole.substr(0, size)).has_value() ==
          cut.ParseFromString(whole.substr(0, size)));
  }
  message.mutable_operationsampling()->set_defaultsamplingprobability(
      std::numeric_limits<double>::infinity());
  CHECK_FALSE(remote_sampling::strategy_json(message.SerializeAsString()));
}

TEST_CASE("the gRPC side and another service share an address", "[remote_sampling]") {
  SamplingFixture fixture(inline_source);
  struct Other final : net::Service {
    net::Admission admit(const net::RequestHead&) override { return {}; }
    void serve(net::Request, net::Reply reply) override { reply.send({.body = "spans"}); }
    net::Response transport_error(net::TransportError, const net::RequestHead&,
                                  std::string_view) override {
      return {};
    }
  } other;
  // With the options of a block that says nothing, as a receiver's `grpc:` does.
  const net::ServerBlock block = net::decode_grpc_server({}, "127.0.0.1:0");
  std::string error;
  REQUIRE(fixture.doors.route("jaeger", block.endpoint, block.server,
                              "/jaeger.api_v2.CollectorService/PostSpans", block.route, other,
                              error));
  fixture.start();
  CHECK(fixture.grpc(parameters("a")).trailer("grpc-status") == "0");
  GrpcSocketClient client(fixture.port);
  CHECK(client.call("/jaeger.api_v2.CollectorService/PostSpans", "").data ==
        Http2Peer::grpc_message("spans"));
  CHECK(client.call("/grpc.health.v1.Health/Check", "\x0a\x1djaeger.api_v2.SamplingManager").data ==
        Http2Peer::grpc_message("\x08\x01"));
}

TEST_CASE("a shared address with other limits is a mistake that names both", "[remote_sampling]") {
  SamplingFixture fixture(inline_source +
                              "\nhttp: {endpoint: '127.0.0.1:0'}\ngrpc: {endpoint: '127.0.0.1:0', "
                              "max_concurrent_streams: 7}",
                          false);
  CHECK(
      fixture.errors ==
      Lines{"127.0.0.1:0 is shared with jaegerremotesampling, which has other limits or timeouts"});
}

TEST_CASE("the default addresses are those of the collector, and of Jaeger for its own keys",
          "[remote_sampling]") {
  const auto holds = [](const std::string& yaml, const std::string& address) {
    SamplingFixture fixture(yaml, false);
    REQUIRE(fixture.errors.empty());
    const net::Endpoint endpoint = *net::Endpoint::parse(address);
    std::string error;
    net::Listeners others(fixture.loops, fixture.ledger, fixture.metrics);
    others.keep_apart(fixture.doors);
    struct Nothing final : net::Service {
      net::Admission admit(const net::RequestHead&) override { return {}; }
      void serve(net::Request, net::Reply) override {}
      net::Response transport_error(net::TransportError, const net::RequestHead&,
                                    std::string_view) override {
        return {};
      }
    } nothing;
    return !others.route("other", endpoint, {}, "/x", {}, nothing, error);
  };
  CHECK(holds(inline_source, "localhost:5778"));
  CHECK(holds(inline_source, "localhost:14250"));
  CHECK_FALSE(holds(inline_source, "localhost:5779"));
  CHECK(holds("file: {path: /x.json}", "localhost:5778"));
  CHECK(holds("file: {path: /x.json}", "localhost:5779"));
  CHECK_FALSE(holds("file: {path: /x.json}", "localhost:14250"));
}

TEST_CASE("mistakes in the remote sampling block teach", "[remote_sampling]") {
  const auto mistakes = [](const std::string& yaml) {
    return SamplingFixture(yaml, false).mistakes();
  };
  const std::string one_source =
      "source: name one source of strategies: \"file\", \"contents\" or \"remote\" under "
      "\"source\", "
      "or Jaeger's block \"file\"";
  CHECK(mistakes("{}") == Lines{"test.yaml:1:1: " + one_source});
  CHECK(mistakes("source: {file: a.json, contents: '{}'}") ==
        Lines{"test.yaml:1:9: " + one_source});
  CHECK(mistakes("source: {file: a.json}\nfile: {path: b.json}") ==
        Lines{"test.yaml:1:9: " + one_source});
  CHECK(mistakes("source: {fle: a.json, file: b.json}") ==
        Lines{"test.yaml:1:10: source.fle: unknown key; did you mean \"file\"?"});
  CHECK(
      mistakes("source: {file: 'http://x/y.json'}") ==
      Lines{"test.yaml:1:16: source.file: sluice reads strategies from files on this machine; have "
            "the URL fetched into one, which is read again whenever it has changed"});
  CHECK(mistakes("source: {file: a.json, reload_interval: -1s}") ==
        Lines{"test.yaml:1:41: source.reload_interval: must not be negative"});
  CHECK(mistakes("source: {remote: {tls: {insecure: true}}}") ==
        Lines{"test.yaml:1:18: source.remote.endpoint: required, but missing"});
  CHECK(mistakes("file: {default_sampling_probability: 1.5}") ==
        Lines{"test.yaml:1:38: file.default_sampling_probability: must lie between 0 and 1"});
  CHECK(
      mistakes("adaptive: {sampling_store: some}") ==
      Lines{"test.yaml:1:11: adaptive: adaptive sampling needs the traces of all collectors in one "
            "storage, which sluice does not have; give the strategies in a file, or let "
            "source.remote ask the Jaeger collector that computes them"});
}

TEST_CASE("the README of remote sampling tells the truth", "[remote_sampling][readme]") {
  const auto decode = [](const config::Node& node) {
    jaegerremotesampling_extension().decode(node);
  };
  for (const std::string_view name : {"jaegerremotesampling", "remote_sampling"}) {
    Lines mistakes =
        readme_mistakes("extensions/jaegerremotesampling/README.md", "extensions", name, decode);
    CHECK(mistakes == Lines{});
  }
  CHECK(jaegerremotesampling_extension().aliases ==
        std::vector<std::string_view>{"remote_sampling"});
}

TEST_CASE("a daemon serves strategies at the port of a receiver, by Jaeger's name",
          "[remote_sampling]") {
  config::Problems problems;
  const config::Document document = config::load_text(R"(
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:0'}}}}
exporters: {nop: }
extensions:
  remote_sampling:
    file: {default_sampling_probability: 0.5}
    http: {endpoint: '127.0.0.1:0'}
    grpc: {endpoint: '127.0.0.1:0'}
service:
  extensions: [remote_sampling]
  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}
)",
                                                      "test.yaml", problems);
  Metrics metrics;
  Ledger ledger{64 << 20};
  net::EventLoops loops{2};
  net::Listeners doors{loops, ledger, metrics}, own{loops, ledger, metrics};
  ComponentTable table;
  table.receivers.push_back(otlp_receiver());
  table.exporters.push_back(nop_exporter());
  table.extensions.push_back(jaegerremotesampling_extension());
  const auto graph = Graph::build(document, table, {loops, doors, own, ledger, metrics}, problems);
  REQUIRE(graph != nullptr);
  loops.start();
  std::string error;
  REQUIRE(graph->start(error));
  const std::uint16_t port = doors.port(*net::Endpoint::parse("127.0.0.1:0"));
  // Every connection lives on another worker than the one before.
  for (int i = 0; i < 4; ++i) {
    SocketClient client(port);
    client.send("GET /sampling?service=x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    CHECK(body_of(client.receive_to_end()) ==
          R"({"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}})");
  }
  CHECK(GrpcSocketClient(port)
            .call("/opentelemetry.proto.collector.trace.v1.TraceService/Export",
                  make_request({{.spans = numbered_spans(1)}}))
            .trailer("grpc-status") == "0");
  graph->stop(std::chrono::seconds(5), {});
  loops.stop();
}

}  // namespace sluice::test
