#include <catch2/catch.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"
#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"
#include "receivers/otlp/services.h"
#include "test/support/capture.h"
#include "test/support/manual_executor.h"
#include "test/support/otlp_builder.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using net::GrpcCode;
using net::TransportError;

constexpr std::string_view proto = "application/x-protobuf", json = "application/json",
                           grpc = "application/grpc";

struct CaptureReply final : net::Reply::Target {
  void respond(net::Response response) noexcept override {
    responses.push_back(std::move(response));
  }
  std::vector<net::Response> responses;
};

/// The services of a receiver between a test and a capture consumer, without a socket.
class Doors {
 public:
  explicit Doors(std::size_t ledger_limit = 1 << 20) : ledger(ledger_limit) {
    const ReceiverContext context{
        {"otlp", executor, metrics, ledger}, counters, listeners, {&next}};
    gate = std::make_shared<Gate>();
    const auto grpc_intake = std::make_shared<Intake>(context, "grpc", gate);
    const auto http_intake = std::make_shared<Intake>(context, "http", gate);
    grpc_traces.emplace(grpc_intake, std::size_t{1000});
    http_traces.emplace(http_intake, std::size_t{1000});
    grpc_metrics.emplace(grpc_intake, "metrics");
    http_metrics.emplace(http_intake, "metrics");
  }

  net::Service& traces(std::string_view type) {
    if (type == grpc) return *grpc_traces;
    return *http_traces;
  }

  /// Where the answer will be; several may be under way.
  std::shared_ptr<CaptureReply> send(std::string_view type, std::string_view body,
                                     RequestContextRef context = {}) {
    auto reply = std::make_shared<CaptureReply>();
    net::Request request;
    BufferWriter writer;
    writer.append(body);
    request.body = ledger.charge(body.size()).freeze(std::move(writer));
    request.is_grpc = type == grpc;
    request.content_type = type;
    request.context = std::move(context);
    traces(type).serve(std::move(request), net::Reply(reply));
    return reply;
  }
  net::Response answer(std::string_view type, std::string_view body) {
    const auto reply = send(type, body);
    REQUIRE(reply->responses.size() == 1);
    return reply->responses.front();
  }

  double spans(const std::string& flow, const std::string& reason = {}) const {
    Labels labels = {{"component", "otlp"}, {"flow", flow}};
    if (!reason.empty()) labels.emplace_back("reason", reason);
    return metrics.value("sluice_component_spans", labels);
  }
  double requests(const std::string& label, const std::string& value) const {
    return metrics.value("otelcol_receiver_requests", {{label, value}});
  }

  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger;
  net::EventLoops loops{1};
  net::Listeners listeners{loops, ledger, metrics};
  SpanCounters counters{metrics, "receiver", "otlp"};
  CaptureConsumer next;
  std::shared_ptr<Gate> gate;
  std::optional<otlp_door::GrpcTraces> grpc_traces;
  std::optional<otlp_door::HttpTraces> http_traces;
  std::optional<otlp_door::OtherSignal> grpc_metrics, http_metrics;
};

net::RequestHead head(std::string_view method, const std::vector<net::Header>& headers,
                      bool is_grpc = false) {
  net::RequestHead result;
  result.method = method;
  result.path = "/v1/traces";
  result.headers = headers;
  result.is_grpc = is_grpc;
  return result;
}

/// google.rpc.Status: code and message, and whether a BadRequest is in its details.
struct Status {
  std::uint64_t code = 0;
  std::string message;
  bool bad_request = false;
};
Status read_status(const net::Response& response) {
  Status status;
  if (response.content_type == json) {
    const nlohmann::json body = nlohmann::json::parse(response.body);
    status.code = body.at("code");
    status.message = body.at("message");
    status.bad_request =
        body.contains("details") &&
        body["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest" &&
        body["details"][0]["fieldViolations"][0]["description"] == status.message;
    return status;
  }
  REQUIRE(response.content_type == proto);
  wire::Cursor cursor(response.body);
  for (wire::Field field; cursor.next(field);) {
    if (field.number == 1) status.code = field.value;
    if (field.number == 2) status.message = field.content;
    if (field.number == 3) {
      const std::string violation = length_field(1, "body") + length_field(2, status.message);
      status.bad_request =
          field.content == length_field(1, "type.googleapis.com/google.rpc.BadRequest") +
                               length_field(2, length_field(1, violation));
    }
  }
  REQUIRE(cursor.ok());
  return status;
}

const std::string two_spans = make_request({{.service = "shop", .spans = numbered_spans(2)}});
const std::string one_span_json =
    R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",)"
    R"("spanId":"eee19b7ec3c1b174","name":"pay"}]}]}]})";
const std::string bad_id_among_good =
    make_request({{.spans = {{.name = "good"}, {.name = "bad", .trace_id = "short"}}}});
const std::string bad_ids_only =
    make_request({{.spans = {{.trace_id = std::string(16, '\0')}, {.span_id = "x"}}}});
const std::string left_out =
    " left out: trace or span id absent, zero or of the wrong length, or a parent span id of the "
    "wrong length";

}  // namespace

TEST_CASE(
    "an OTLP request that is taken is answered with 200 and an empty response in its own encoding",
    "[otlp_receiver]") {
  Doors doors;
  SECTION("protobuf over HTTP") {
    const net::Response response = doors.answer(proto, two_spans);
    CHECK(response.status == 200);
    CHECK(response.content_type == proto);
    CHECK(response.body.empty());
    CHECK(doors.next.span_count() == 2);
    CHECK(doors.next.batches.at(0).encode().to_string() == two_spans);
    CHECK(doors.metrics.value("otelcol_receiver_accepted_spans",
                              {{"transport", "http"}, {"receiver", "otlp"}}) == 2);
  }
  SECTION("JSON over HTTP, with a charset") {
    const auto reply = doors.send("Application/JSON; charset=utf-8", one_span_json);
    REQUIRE(reply->responses.size() == 1);
    CHECK(reply->responses[0].status == 200);
    CHECK(reply->responses[0].content_type == json);
    CHECK(reply->responses[0].body == "{}");
    CHECK(span_names(doors.next.batches.at(0)) == std::vector<std::string>{"pay"});
  }
  SECTION("gRPC") {
    const net::Response response = doors.answer(grpc, two_spans);
    CHECK(response.grpc == GrpcCode::ok);
    CHECK(response.body.empty());
    CHECK(doors.next.span_count() == 2);
    CHECK(doors.metrics.value("otelcol_receiver_accepted_spans",
                              {{"transport", "grpc"}, {"receiver", "otlp"}}) == 2);
  }
  CHECK(doors.spans("in") == doors.spans("out"));
  CHECK(doors.requests("outcome", "success") == 1);
  doors.next.batches.clear();
  CHECK(doors.ledger.used() == 0);
}

TEST_CASE("a request without spans is a success that nothing downstream hears of",
          "[otlp_receiver]") {
  Doors doors;
  doors.next.refuse = Answer{Verdict::rejected, {}, "must not be asked"};
  CHECK(doors.answer(grpc, "").grpc == GrpcCode::ok);
  CHECK(doors.answer(proto, "").status == 200);
  CHECK(doors.answer(json, "{}").body == "{}");
  CHECK(doors.answer(proto, make_request({{.service = "idle"}})).status == 200);
}

TEST_CASE("spans with invalid ids are left out, and the sender is told as a partial success",
          "[otlp_receiver]") {
  Doors doors;
  const std::string one = "1 span was" + left_out;
  const std::string partial = length_field(1, varint_field(1, 1) + length_field(2, one));
  SECTION("gRPC") {
    const net::Response response = doors.answer(grpc, bad_id_among_good);
    CHECK(response.grpc == GrpcCode::ok);
    CHECK(response.body == partial);
  }
  SECTION("protobuf over HTTP") {
    const net::Response response = doors.answer(proto, bad_id_among_good);
    CHECK(response.status == 200);
    CHECK(response.body == partial);
  }
  SECTION("JSON") {
    std::string body = one_span_json;
    body.replace(body.find("{\"traceId\""), 0, "{},");
    const net::Response response = doors.answer(json, body);
    CHECK(response.status == 200);
    CHECK(response.body ==
          R"({"partialSuccess":{"errorMessage":")" + one + R"(","rejectedSpans":"1"}})");
  }
  CHECK(doors.next.span_count() == 1);
  CHECK(doors.spans("in") == 2);
  CHECK(doors.spans("out") == 1);
  CHECK(doors.spans("refused", "invalid_id") == 1);
  CHECK(doors.metrics.value("otelcol_receiver_refused_spans") == 1);
}

TEST_CASE("a request of invalid spans alone is a partial success too", "[otlp_receiver]") {
  Doors doors;
  const net::Response response = doors.answer(proto, bad_ids_only);
  CHECK(response.status == 200);
  CHECK(response.body ==
        length_field(1, varint_field(1, 2) + length_field(2, "2 spans were" + left_out)));
  CHECK(doors.next.batches.empty());
  CHECK(doors.spans("in") == 2);
  CHECK(doors.spans("refused", "invalid_id") == 2);
}

TEST_CASE("a pipeline without room makes the sender come back", "[otlp_receiver]") {
  Doors doors;
  doors.next.refuse = Answer{Verdict::retry_later, 0ms, "queue is full"};
  SECTION("gRPC: UNAVAILABLE, after a second and a share") {
    const net::Response response = doors.answer(grpc, two_spans);
    CHECK(response.grpc == GrpcCode::unavailable);
    CHECK(response.message == "queue is full");
    REQUIRE(response.retry_after);
    CHECK(*response.retry_after >= 1000ms);
    CHECK(*response.retry_after <= 1500ms);
  }
  SECTION("HTTP: 503, after whole seconds, with a Status") {
    for (const std::string_view type : {proto, json}) {
      const net::Response response = doors.answer(type, type == json ? one_span_json : two_spans);
      CHECK(response.status == 503);
      CHECK(response.content_type == type);
      CHECK(read_status(response).code == 14);
      CHECK(read_status(response).message == "queue is full");
      REQUIRE(response.retry_after);
      CHECK(*response.retry_after % 1s == 0ms);
      CHECK(*response.retry_after >= 1s);
      CHECK(*response.retry_after <= 2s);
    }
  }
  SECTION("the pipeline's own delay counts") {
    doors.next.refuse->delay = 10s;
    CHECK(*doors.answer(grpc, two_spans).retry_after >= 10s);
    CHECK(*doors.answer(proto, two_spans).retry_after >= 10s);
  }
  CHECK(doors.spans("out") == 0);
  CHECK(doors.spans("in") == doors.spans("refused", "overload"));
  CHECK(doors.requests("reason", "overload") > 0);
  CHECK(doors.ledger.used() == 0);
}

TEST_CASE("a batch that is refused for good is a bad request", "[otlp_receiver]") {
  Doors doors;
  doors.next.refuse = Answer{Verdict::rejected, {}, "no such tenant"};
  CHECK(doors.answer(grpc, two_spans).grpc == GrpcCode::invalid_argument);
  const net::Response response = doors.answer(proto, two_spans);
  CHECK(response.status == 400);
  CHECK(read_status(response).code == 3);
  CHECK(read_status(response).message == "no such tenant");
  CHECK_FALSE(response.retry_after);
  CHECK(doors.spans("refused", "invalid") == 4);
}

TEST_CASE("a body that cannot be decoded is refused with a BadRequest that says why",
          "[otlp_receiver]") {
  Doors doors;
  for (std::size_t size = 1; size < two_spans.size(); ++size) {
    const net::Response response = doors.answer(proto, two_spans.substr(0, size));
    CHECK(response.status == 400);
    CHECK(read_status(response).bad_request);
  }
  const net::Response response = doors.answer(json, "{\"resourceSpans\":7}");
  CHECK(response.status == 400);
  CHECK(read_status(response).code == 3);
  CHECK(read_status(response).message ==
        "at byte 17: expected an array near \"resourceSpans\", found 7}");
  CHECK(read_status(response).bad_request);
  CHECK(doors.answer(json, "").status == 400);
  const net::Response over_grpc = doors.answer(grpc, two_spans.substr(0, 20));
  CHECK(over_grpc.grpc == GrpcCode::invalid_argument);
  CHECK_FALSE(over_grpc.message.empty());
  CHECK(doors.next.batches.empty());
  CHECK(doors.spans("in") == 0);
  CHECK(doors.requests("reason", "malformed") == static_cast<double>(two_spans.size() + 2));
  CHECK(doors.ledger.used() == 0);
}

TEST_CASE("text from a JSON sender that is not UTF-8 comes back in readable form",
          "[otlp_receiver]") {
  Doors doors;
  const net::Response response = doors.answer(json, "{\"resourceSpans\":\xff}");
  CHECK(read_status(response).message ==
        "at byte 17: expected an array near \"resourceSpans\", found ?}");
}

TEST_CASE("an answer may come later, and from one who forgot it", "[otlp_receiver]") {
  Doors doors;
  doors.next.hold = true;
  const auto reply = doors.send(proto, two_spans);
  CHECK(reply->responses.empty());
  SECTION("accepted") {
    doors.next.held.at(0).second.accepted();
    REQUIRE(reply->responses.size() == 1);
    CHECK(reply->responses[0].status == 200);
  }
  SECTION("given up") {
    doors.next.held.clear();
    REQUIRE(reply->responses.size() == 1);
    CHECK(reply->responses[0].status == 503);
  }
  SECTION("after the receiver is gone") {
    doors.grpc_traces.reset();
    doors.http_traces.reset();
    doors.grpc_metrics.reset();
    doors.http_metrics.reset();
    doors.gate.reset();
    doors.next.held.at(0).second.accepted();
    REQUIRE(reply->responses.size() == 1);
    CHECK(reply->responses[0].status == 200);
  }
  CHECK(doors.spans("in") == doors.spans("out") + doors.spans("refused"));
}

TEST_CASE("stopping waits for the answers that are owed and sends newcomers away",
          "[otlp_receiver]") {
  Doors doors;
  doors.next.hold = true;
  const auto reply = doors.send(grpc, two_spans);
  int stopped = 0;
  doors.gate->close([&] { ++stopped; });
  CHECK(stopped == 0);
  CHECK(doors.answer(grpc, two_spans).grpc == GrpcCode::unavailable);
  CHECK(doors.answer(proto, two_spans).status == 503);
  CHECK(stopped == 0);
  doors.next.held.at(0).second.accepted();
  CHECK(reply->responses.at(0).grpc == GrpcCode::ok);
  CHECK(stopped == 1);
  CHECK(doors.answer(proto, two_spans).status == 503);
  CHECK(stopped == 1);
  CHECK(doors.requests("reason", "stopping") == 3);
  CHECK(doors.spans("in") == doors.spans("out") + doors.spans("refused"));
}

TEST_CASE("stopping an idle receiver is done at once", "[otlp_receiver]") {
  Doors doors;
  bool stopped = false;
  doors.gate->close([&] { stopped = true; });
  CHECK(stopped);
}

TEST_CASE("what came with a request travels with its batch", "[otlp_receiver]") {
  Doors doors;
  const auto context = std::make_shared<const RequestContext>(RequestContext{.peer = "127.0.0.1"});
  doors.send(grpc, two_spans, context);
  CHECK(doors.next.batches.at(0).context() == context);
}

TEST_CASE("JSON is charged for the protobuf that it becomes", "[otlp_receiver]") {
  SECTION("and given back with the batch") {
    Doors doors;
    doors.next.hold = true;
    doors.send(json, one_span_json);
    const std::size_t pinned = doors.next.held.at(0).first.encode().size;
    CHECK(doors.ledger.used() >= pinned);
    doors.next.held.clear();
    CHECK(doors.ledger.used() == 0);
  }
  SECTION("and told to come back where there is no room") {
    Doors doors(one_span_json.size() + 40);
    CHECK(doors.answer(json, one_span_json).status == 503);
    CHECK(doors.requests("reason", "busy") == 1);
    CHECK(doors.ledger.used() == 0);
  }
}

TEST_CASE("only POST with a content type of OTLP is admitted", "[otlp_receiver]") {
  Doors doors(1500);
  const auto refusal = [&](std::string_view method, std::string_view type) {
    const std::vector<net::Header> headers = {{"content-type", type}};
    return doors.http_traces->admit(head(method, headers)).refusal;
  };
  CHECK_FALSE(refusal("POST", "application/x-protobuf"));
  CHECK_FALSE(refusal("POST", "application/json"));
  CHECK_FALSE(refusal("POST", "application/json;charset=UTF-8"));
  CHECK_FALSE(refusal("POST", "Application/X-Protobuf ; a=b"));
  for (const std::string_view type : {"", "text/plain", "application/jsonx", "application/grpc",
                                      "application/x-www-form-urlencoded", ";"}) {
    const auto response = refusal("POST", type);
    REQUIRE(response);
    CHECK(response->status == 415);
    CHECK(response->content_type == "text/plain; charset=utf-8");
    CHECK(response->body ==
          "the content type must be application/x-protobuf or application/json\n");
  }
  const auto response = refusal("GET", "application/json");
  REQUIRE(response);
  CHECK(response->status == 405);
  CHECK(response->content_type == "text/plain; charset=utf-8");
  CHECK(response->headers == std::vector<std::pair<std::string, std::string>>{{"allow", "POST"}});
  CHECK(doors.requests("reason", "wrong_request") == 7);

  const std::vector<net::Header> headers = {{"content-type", grpc}};
  CHECK_FALSE(doors.grpc_traces->admit(head("POST", headers, true)).refusal);
  CHECK(doors.grpc_traces->admit(head("POST", headers, false)).refusal->status == 415);
  CHECK(doors.grpc_traces->admit(head("GET", headers, false)).refusal->status == 405);
}

TEST_CASE("a body may have what is configured, but never more than half of what may be in flight",
          "[otlp_receiver]") {
  const std::vector<net::Header> headers = {{"content-type", proto}};
  Doors doors(1500);
  CHECK(doors.http_traces->admit(head("POST", headers)).body_bytes_max == 750);
  CHECK(doors.grpc_traces->admit(head("POST", headers, true)).body_bytes_max == 750);
  doors.ledger.set_limit(100'000);
  CHECK(doors.http_traces->admit(head("POST", headers)).body_bytes_max == 1000);
}

TEST_CASE("what the transport finds is answered in the sender's own form", "[otlp_receiver]") {
  struct Case {
    TransportError error;
    GrpcCode grpc;
    int status;
    std::string reason;
  };
  const auto [error, code, status, reason] = GENERATE(
      Case{TransportError::busy, GrpcCode::unavailable, 503, "busy"},
      Case{TransportError::too_large, GrpcCode::resource_exhausted, 413, "too_large"},
      Case{TransportError::bad_encoding, GrpcCode::invalid_argument, 400, "bad_encoding"},
      Case{TransportError::unknown_encoding, GrpcCode::unimplemented, 415, "unknown_encoding"},
      Case{TransportError::bad_framing, GrpcCode::internal, 400, "bad_framing"},
      Case{TransportError::timeout, GrpcCode::deadline_exceeded, 408, "timeout"});
  Doors doors;
  const std::vector<net::Header> as_grpc = {{"content-type", grpc}};
  const net::Response over_grpc =
      doors.grpc_traces->transport_error(error, head("POST", as_grpc, true), "the detail");
  CHECK(over_grpc.grpc == code);
  CHECK(over_grpc.message.ends_with(": the detail"));
  CHECK(over_grpc.retry_after.has_value() == (error == TransportError::busy));
  for (const std::string_view type : {proto, json}) {
    const std::vector<net::Header> headers = {{"content-type", type}};
    const net::Response response =
        doors.http_traces->transport_error(error, head("POST", headers), "the detail");
    CHECK(response.status == status);
    CHECK(response.content_type == type);
    CHECK(read_status(response).code == static_cast<std::uint64_t>(code));
    CHECK(read_status(response).message.ends_with(": the detail"));
    CHECK(response.retry_after.has_value() == (error == TransportError::busy));
  }
  const std::vector<net::Header> as_text = {{"content-type", "text/plain"}};
  const net::Response unknown =
      doors.http_traces->transport_error(error, head("POST", as_text), "");
  CHECK(unknown.status == status);
  CHECK(unknown.content_type == "text/plain; charset=utf-8");
  CHECK(doors.requests("reason", reason) == 4);
}

TEST_CASE("metrics and logs are refused with a sentence, before their body is read",
          "[otlp_receiver]") {
  Doors doors;
  const std::string sentence = "this server takes traces only, not metrics";
  const std::vector<net::Header> as_grpc = {{"content-type", grpc}};
  const auto over_grpc = doors.grpc_metrics->admit(head("POST", as_grpc, true)).refusal;
  REQUIRE(over_grpc);
  CHECK(over_grpc->grpc == GrpcCode::unimplemented);
  CHECK(over_grpc->message == sentence);
  for (const std::string_view type : {proto, json}) {
    const std::vector<net::Header> headers = {{"content-type", type}};
    const auto response = doors.http_metrics->admit(head("POST", headers)).refusal;
    REQUIRE(response);
    CHECK(response->status == 404);
    CHECK(read_status(*response).code == 12);
    CHECK(read_status(*response).message == sentence);
    CHECK_FALSE(response->retry_after);
  }
  const auto response = doors.http_metrics->admit(head("GET", {})).refusal;
  REQUIRE(response);
  CHECK(response->body == sentence + "\n");
}

}  // namespace sluice::test
