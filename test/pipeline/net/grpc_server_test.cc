#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/net/compression.h"
#include "test/support/http2_link.h"

namespace sluice::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::grpc_status;
using test::grpc_text;
using test::Http2Link;
using test::Http2Peer;
using test::NetSession;

constexpr std::uint32_t no_error = 0, cancel = 8;

std::string packed(Encoding encoding, const std::string& text) {
  EncodedBatch batch;
  batch.slices.push_back({text.data(), text.size()});
  batch.size = text.size();
  return std::string(deflate(encoding, batch).bytes());
}

}  // namespace

TEST_CASE("a unary gRPC request is served, with its status in trailers", "[http2]") {
  Http2Link link;
  const Http2Peer::Reply& reply = link.grpc("hello");
  CHECK(reply.field(":status") == "200");
  CHECK(reply.field("content-type") == "application/grpc");
  CHECK(reply.data == Http2Peer::grpc_message("seen 5"));
  CHECK(reply.trailers == Http2Peer::Fields{{"grpc-status", "0"}});
  CHECK(reply.ended);
  REQUIRE(link.door.service.seen.size() == 1);
  CHECK(link.door.service.seen[0].body == "hello");
  CHECK(link.door.service.seen[0].is_grpc);
  CHECK(link.door.service.seen[0].content_type.empty());  // it has but one
  CHECK(link.door.ledger.used() == 0);
}

TEST_CASE("a request comes in pieces of any size", "[http2]") {
  for (const std::size_t size : {1UL, 5UL, 9UL, 100UL, 16384UL}) {
    NetSession door;
    Http2Peer peer;
    const std::string message(40'000, 'm');
    const std::int32_t stream = peer.grpc(NetSession::method, message);
    peer.receive(door.send_in_pieces(peer.output(), size));
    peer.receive(door.send_in_pieces(peer.output(), size));
    CAPTURE(size);
    REQUIRE(door.service.seen.size() == 1);
    CHECK(door.service.seen[0].body == message);
    CHECK(peer.reply(stream).ended);
  }
}

TEST_CASE("requests of several megabytes flow, and stay within what the ledger was asked for",
          "[http2]") {
  Http2Link link;
  const std::string message(8 << 20, 'x');
  CHECK(grpc_status(link.grpc(message)) == "0");
  CHECK(link.door.service.seen[0].body == message);
  CHECK(link.door.ledger.used() == 0);
}

TEST_CASE("many requests share a connection, answered in any order", "[http2]") {
  Http2Link link;
  link.door.service.hold = true;
  std::vector<std::int32_t> streams;
  for (int index = 0; index < 100; ++index)
    streams.push_back(link.peer.grpc(NetSession::method, "m"));
  link.exchange();
  REQUIRE(link.door.service.held.size() == 100);
  for (std::size_t index = 100; index-- > 0;) {
    Response response;
    response.body = std::to_string(index);
    link.door.service.held[index].send(std::move(response));
  }
  link.exchange();
  for (std::size_t index = 0; index < 100; ++index) {
    CHECK(link.peer.reply(streams[index]).data == Http2Peer::grpc_message(std::to_string(index)));
  }
}

TEST_CASE("HTTP that is not gRPC is served over HTTP/2 as well", "[http2]") {
  Http2Link link;
  const std::int32_t posted = link.peer.post(
      "/v1/traces?x=y", "body", {{"content-type", "application/json"}, {"content-length", "4"}});
  const std::int32_t missing = link.peer.post("/nowhere", "");
  link.exchange();
  CHECK(link.peer.reply(posted).field(":status") == "200");
  CHECK(link.peer.reply(posted).field("content-length") == "6");
  CHECK(link.peer.reply(posted).data == "seen 4");
  CHECK_FALSE(link.door.service.seen[0].is_grpc);
  CHECK(link.door.service.heads[0] == "POST /v1/traces?x=y");
  CHECK(link.peer.reply(missing).field(":status") == "404");
}

TEST_CASE("errors come as trailers only, with the message percent-encoded", "[http2]") {
  Http2Link link;
  Response answer;
  answer.grpc = GrpcCode::invalid_argument;
  answer.message = "50% of \xc3\xbc\n";
  link.door.service.answer = answer;
  const Http2Peer::Reply& reply = link.grpc("x");
  CHECK(reply.field(":status") == "200");
  CHECK(reply.field("content-type") == "application/grpc");
  CHECK(reply.field("grpc-status") == "3");
  CHECK(reply.field("grpc-message") == "50%25 of %C3%BC%0A");
  CHECK(reply.data.empty());
  CHECK(reply.trailers.empty());
  CHECK(reply.ended);
  CHECK_FALSE(reply.reset);
}

TEST_CASE("a delay to come back after is a RetryInfo in the status details", "[http2]") {
  Http2Link link;
  Response answer;
  answer.grpc = GrpcCode::unavailable;
  answer.message = "busy";
  answer.retry_after = milliseconds(1500);
  link.door.service.answer = answer;
  // google.rpc.Status{14, "busy", [Any{RetryInfo{1 s 500000000 ns}}]}, made with protobuf and
  // base64.
  CHECK(link.grpc("x").field("grpc-status-details-bin") ==
        "CA4SBGJ1c3kaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIARCAyrXuAQ");
}

TEST_CASE("methods that nobody serves are unimplemented, by name", "[http2]") {
  Http2Link link;
  const auto call = [&](std::string_view path) {
    const std::int32_t stream = link.peer.grpc(path, "x");
    link.exchange();
    return grpc_status(link.peer.reply(stream)) + ' ' + grpc_text(link.peer.reply(stream));
  };
  CHECK(call("/other.Service/Method") == "12 unknown service other.Service");
  CHECK(call("/test.Traces/Import") == "12 unknown method Import for service test.Traces");
  CHECK(call("/grpc.health.v1.Health/Watch") ==
        "12 unknown method Watch for service grpc.health.v1.Health");
  CHECK(call("/nonsense") == "12 malformed method name: \"/nonsense\"");
}

TEST_CASE("the health service answers beside any gRPC service", "[http2]") {
  Http2Link link;
  const auto check = [&](std::string_view service) {
    const std::string request =
        service.empty()
            ? ""
            : "\x0a" + std::string(1, static_cast<char>(service.size())) + std::string(service);
    const std::int32_t stream = link.peer.grpc("/grpc.health.v1.Health/Check", request);
    link.exchange();
    return grpc_status(link.peer.reply(stream)) + ' ' + link.peer.reply(stream).data;
  };
  const std::string serving = "0 " + Http2Peer::grpc_message(std::string("\x08\x01"));
  CHECK(check("") == serving);
  CHECK(check("test.Traces") == serving);
  CHECK(check("test.Unknown") == "5 ");
  const std::int32_t broken = link.peer.grpc("/grpc.health.v1.Health/Check", "\x0a\x7f");
  link.exchange();
  CHECK(grpc_status(link.peer.reply(broken)) == "3");
}

TEST_CASE("every compression that gRPC senders use is taken", "[http2]") {
  Http2Link link;
  const std::string text(50'000, 't');
  const auto call = [&](const std::string& name, Encoding encoding, char flags = 1) {
    auto fields = Http2Peer::grpc_fields(NetSession::method);
    fields.emplace_back("grpc-encoding", name);
    const std::int32_t stream = link.peer.begin(fields, true);
    link.peer.data(stream, Http2Peer::grpc_message(packed(encoding, text), flags), true);
    link.exchange();
    return link.peer.reply(stream);
  };
  CHECK(grpc_status(call("gzip", Encoding::gzip)) == "0");
  CHECK(grpc_status(call("zstd", Encoding::zstd)) == "0");
  CHECK(grpc_status(call("snappy", Encoding::snappy_framed)) == "0");
  CHECK(grpc_status(call("identity", Encoding::none, 0)) == "0");
  CHECK(grpc_status(call("gzip", Encoding::none, 0)) ==
        "0");  // announced, not used for this message
  for (const auto& seen : link.door.service.seen) CHECK(seen.body == text);
  CHECK(link.door.service.seen.size() == 5);

  const Http2Peer::Reply unknown = call("br", Encoding::none);
  CHECK(grpc_status(unknown) == "12");
  CHECK(unknown.field("grpc-accept-encoding") ==
        "identity, gzip, zstd, zlib, snappy, deflate, lz4, x-snappy-framed");
  CHECK(grpc_status(call("identity", Encoding::none, 1)) == "13");
  CHECK(grpc_status(call("gzip", Encoding::zstd)) == "13");
}

TEST_CASE("a message is limited to the byte, before and after inflation", "[http2]") {
  Http2Link link;
  const std::string text(100'000, 't');
  link.door.service.body_bytes_max = text.size();
  CHECK(grpc_status(link.grpc(text)) == "0");
  CHECK(grpc_status(link.grpc(text + "x")) == "8");
  CHECK(grpc_text(link.grpc(text + "x")) == "100001 bytes, the limit is 100000");
  auto fields = Http2Peer::grpc_fields(NetSession::method);
  fields.emplace_back("grpc-encoding", "gzip");
  for (const auto& [body, status] : {std::pair(text, "0"), std::pair(text + "x", "8")}) {
    const std::int32_t stream = link.peer.begin(fields, true);
    link.peer.data(stream, Http2Peer::grpc_message(packed(Encoding::gzip, body), 1), true);
    link.exchange();
    CHECK(grpc_status(link.peer.reply(stream)) == status);
  }
  CHECK(link.door.ledger.used() == 0);
}

TEST_CASE("a message that is too large is refused by its prefix, and the rest not waited for",
          "[http2]") {
  Http2Link link;
  link.door.service.body_bytes_max = 1000;
  const std::int32_t stream = link.peer.begin(Http2Peer::grpc_fields(NetSession::method), true);
  link.peer.data(stream, std::string_view("\0\x00\x00\x03\xe9", 5), false);
  link.exchange();
  CHECK(grpc_status(link.peer.reply(stream)) == "8");
  CHECK(link.peer.reply(stream).reset == no_error);
}

TEST_CASE("bombs are refused and leave nothing behind", "[http2]") {
  Http2Link link;
  const std::string zeros(64 << 20, '\0');
  for (const auto& [name, encoding] :
       {std::pair("gzip", Encoding::gzip), std::pair("zstd", Encoding::zstd)}) {
    auto fields = Http2Peer::grpc_fields(NetSession::method);
    fields.emplace_back("grpc-encoding", name);
    const std::int32_t stream = link.peer.begin(fields, true);
    link.peer.data(stream, Http2Peer::grpc_message(packed(encoding, zeros), 1), true);
    link.exchange();
    CHECK(grpc_status(link.peer.reply(stream)) == "8");
  }
  CHECK(link.door.service.seen.empty());
  CHECK(link.door.ledger.used() == 0);
}

TEST_CASE("framing that is not one whole message is an internal error", "[http2]") {
  const auto call = [](std::string_view bytes) {
    Http2Link link;
    const std::int32_t stream = link.peer.begin(Http2Peer::grpc_fields(NetSession::method), true);
    link.peer.data(stream, bytes, true);
    link.exchange();
    CHECK(link.door.service.seen.empty());
    return grpc_status(link.peer.reply(stream));
  };
  const std::string whole = Http2Peer::grpc_message("hello");
  CHECK(call("") == "13");
  CHECK(call(whole.substr(0, 4)) == "13");
  CHECK(call(whole.substr(0, 9)) == "13");
  CHECK(call(whole + "x") == "13");
  CHECK(call(whole + whole) == "13");
  CHECK(call("\x02" + whole.substr(1)) == "13");
}

TEST_CASE("a request without a message, ended by its head, is an internal error too", "[http2]") {
  Http2Link link;
  const std::int32_t stream = link.peer.begin(Http2Peer::grpc_fields(NetSession::method), false);
  link.exchange();
  CHECK(grpc_status(link.peer.reply(stream)) == "13");
}

TEST_CASE("the ledger is asked by the prefix, and who is refused is told when to come back",
          "[http2]") {
  Http2Link link({}, {}, 100'000);
  link.door.service.keep_bodies = true;
  CHECK(grpc_status(link.grpc(std::string(60'000, 'x'))) == "0");
  const Http2Peer::Reply& refused = link.grpc(std::string(60'000, 'x'));
  CHECK(grpc_status(refused) == "14");
  CHECK_FALSE(refused.field("grpc-status-details-bin").empty());
  link.door.service.bodies.clear();
  CHECK(link.door.ledger.used() == 0);
  CHECK(grpc_status(link.grpc(std::string(60'000, 'x'))) == "0");
}

TEST_CASE("a prefix that claims much costs address space alone", "[http2]") {
  Http2Link link;
  std::int32_t first = 0;
  for (int index = 0; index < 4; ++index) {
    const std::int32_t stream = link.peer.begin(Http2Peer::grpc_fields(NetSession::method), true);
    if (index == 0) first = stream;
    link.peer.data(stream, std::string_view("\0\x02\x00\x00\x00", 5), false);
  }
  link.exchange();
  CHECK(link.door.ledger.used() == 128 << 20);  // the fifth would be refused
  CHECK(grpc_status(link.grpc("x")) == "14");
  link.peer.reset(first, cancel);
  link.exchange();
  CHECK(link.door.ledger.used() == 96 << 20);
}

TEST_CASE("a deadline that passes before the answer is answered for", "[http2]") {
  Http2Link link;
  link.door.service.hold = true;
  SECTION("while the service thinks") {
    const std::int32_t slow = link.peer.grpc(NetSession::method, "x", {{"grpc-timeout", "250m"}});
    const std::int32_t slower = link.peer.grpc(NetSession::method, "x", {{"grpc-timeout", "1S"}});
    link.exchange();
    link.door.executor.advance(milliseconds(249));
    link.exchange();
    CHECK_FALSE(link.peer.reply(slow).ended);
    link.door.executor.advance(milliseconds(1));
    CHECK(link.door.pending > 0);
    link.exchange();
    CHECK(grpc_status(link.peer.reply(slow)) == "4");
    CHECK_FALSE(link.peer.reply(slower).ended);
    link.door.executor.advance(milliseconds(750));
    link.exchange();
    CHECK(grpc_status(link.peer.reply(slower)) == "4");
    link.door.service.held.clear();  // too late, and harmless
    link.exchange();
  }
  SECTION("while the body comes") {
    auto fields = Http2Peer::grpc_fields(NetSession::method);
    fields.emplace_back("grpc-timeout", "100000u");
    const std::int32_t stream = link.peer.begin(fields, true);
    link.exchange();
    link.door.executor.advance(milliseconds(100));
    link.exchange();
    CHECK(grpc_status(link.peer.reply(stream)) == "4");
    CHECK(link.peer.reply(stream).reset == no_error);
  }
  SECTION("an answer in time counts") {
    const std::int32_t stream = link.peer.grpc(NetSession::method, "x", {{"grpc-timeout", "1S"}});
    link.exchange();
    link.door.service.held.front().send({});
    link.exchange();
    link.door.executor.advance(seconds(2));
    link.exchange();
    CHECK(grpc_status(link.peer.reply(stream)) == "0");
  }
  SECTION("a malformed one is refused") {
    const std::int32_t stream = link.peer.grpc(NetSession::method, "x", {{"grpc-timeout", "1 S"}});
    link.exchange();
    CHECK(grpc_status(link.peer.reply(stream)) == "13");
  }
}

TEST_CASE("answers from outside of a call ask for one flush", "[http2]") {
  Http2Link link;
  link.door.service.hold = true;
  link.grpc("x");
  CHECK(link.door.pending == 0);
  link.door.service.held.front().send({});
  CHECK(link.door.pending == 1);
}

TEST_CASE("an answer whose stream or connection is gone goes nowhere", "[http2]") {
  Http2Link link;
  link.door.service.hold = true;
  const std::int32_t stream = link.peer.grpc(NetSession::method, "x");
  link.grpc("y");
  link.peer.reset(stream, cancel);
  link.exchange();
  link.door.service.held[0].send({});
  link.door.disconnect();
  link.door.service.held[1].send({});
  CHECK(link.door.ledger.used() == 0);
}

TEST_CASE("metadata becomes a context, with the authority as host", "[http2]") {
  RouteOptions route;
  route.include_metadata = true;
  Http2Link link({}, route);
  link.grpc("x", {{"x-tenant", "one"}});
  const RequestContextRef context = link.door.service.seen[0].context;
  REQUIRE(context != nullptr);
  CHECK(context->metadata_value("x-tenant") == "one");
  CHECK(context->metadata_value("host") == "test:4317");
  CHECK(context->metadata_value("te").empty());
}

}  // namespace sluice::net
