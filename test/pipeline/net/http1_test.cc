#include <string>

#include <catch2/catch.hpp>

#include "test/support/net_session.h"

namespace sluice::net {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::NetSession;

std::string post(std::string_view body, std::string_view more = {}) {
  return "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: "
         "application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + std::string(more) + "\r\n" + std::string(body);
}

std::string chunked(std::string_view chunks) {
  return "POST /v1/traces HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n" +
         std::string(chunks);
}

std::string with_lines(std::string_view lines) {
  return "POST /v1/traces HTTP/1.1\r\n" + std::string(lines) + "\r\n";
}

std::string status_of(const std::string& reply) {
  return reply.size() < 12 ? reply : reply.substr(9, 3);
}

int count(const std::string& text, const std::string& word) {
  int found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("a request over HTTP/1.1 is served and the connection kept", "[http1]") {
  NetSession door;
  const std::string reply = door.send(post("hello"));
  CHECK_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\ndate: "));
  CHECK_THAT(reply, Contains("GMT\r\ncontent-type: text/plain\r\ncontent-length: 6\r\n\r\nseen 5"));
  REQUIRE(door.service.seen.size() == 1);
  CHECK(door.service.seen[0].body == "hello");
  CHECK(door.service.seen[0].content_type == "application/json");
  CHECK(door.service.seen[0].wire_bytes == 5);
  CHECK_FALSE(door.service.seen[0].is_grpc);
  CHECK_FALSE(door.finished());
  CHECK_THAT(door.send(post("again")), Contains("seen 5"));
}

TEST_CASE("a request may come in pieces of any size", "[http1]") {
  const std::string request =
      post("hello, world") + chunked("3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\nTrailer: t\r\n\r\n");
  for (const std::size_t size : {1UL, 2UL, 3UL, 7UL, 100UL}) {
    NetSession door;
    const std::string reply = door.send_in_pieces(request, size);
    CAPTURE(size, reply);
    REQUIRE(door.service.seen.size() == 2);
    CHECK(door.service.seen[0].body == "hello, world");
    CHECK(door.service.seen[1].body == "abcdefgh");
    CHECK(count(reply, "HTTP/1.1 200 OK") == 2);
  }
}

TEST_CASE("a body of known length has room of its own, which takes nothing of what follows",
          "[http1]") {
  const std::string large(100'000, 'x');
  const std::string requests =
      post(large) + chunked("3\r\nabc\r\n0\r\n\r\n") + post("") + post("short") + post(large + "y");
  for (const std::size_t size : {1UL, 7UL, 1000UL, 1UL << 20}) {
    NetSession door;
    const std::string reply = door.send_as_read(requests, size);
    CAPTURE(size);
    REQUIRE(door.service.seen.size() == 5);
    CHECK(door.service.seen[0].body == large);
    CHECK(door.service.seen[0].wire_bytes == large.size());
    CHECK(door.service.seen[1].body == "abc");
    CHECK(door.service.seen[2].body.empty());
    CHECK(door.service.seen[3].body == "short");
    CHECK(door.service.seen[4].body == large + "y");
    CHECK(count(reply, "HTTP/1.1 200 OK") == 5);
  }
}

TEST_CASE("there is no room while nothing is known of a body, or nobody wants it", "[http1]") {
  const std::string head = "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n";
  NetSession door;
  CHECK(door.session().room().empty());
  door.send(head);
  CHECK(door.session().room().size() == 5);
  door.send("ab");
  CHECK(door.session().room().size() == 3);
  door.send("cde");
  CHECK(door.session().room().empty());
  door.service.refusal.emplace().status = 429;
  CHECK(status_of(door.send(head)) == "429");
  CHECK(door.session().room().empty());
}

TEST_CASE("pipelined requests are answered in order, one at a time", "[http1]") {
  NetSession door;
  door.service.hold = true;
  CHECK(door.send(post("one") + post("two!") + post("three")).empty());
  REQUIRE(door.service.seen.size() == 1);
  for (const std::string_view expected : {"first", "second", "third"}) {
    REQUIRE(door.service.held.size() == 1);
    Reply reply = std::move(door.service.held.front());
    door.service.held.clear();
    Response response;
    response.body = expected;
    const int pending = door.pending;
    reply.send(std::move(response));
    CHECK(door.pending == pending + 1);
    CHECK_THAT(door.output(), Contains(std::string(expected)));
  }
  CHECK(door.service.seen.size() == 3);
  CHECK(door.service.seen[2].body == "three");
}

TEST_CASE("while answers are owed, not much is read ahead", "[http1]") {
  NetSession door;
  door.service.hold = true;
  door.send(post("one"));
  CHECK(door.session().wants_input());
  door.send(post(std::string(100'000, 'x')));
  CHECK_FALSE(door.session().wants_input());
  door.service.held.clear();  // answers 503
  door.output();
  CHECK(door.session().wants_input());
}

TEST_CASE("a reply that is dropped answers 503 with Retry-After", "[http1]") {
  NetSession door;
  door.service.hold = true;
  door.send(post("one"));
  door.service.held.clear();
  const std::string reply = door.output();
  CHECK(status_of(reply) == "503");
  CHECK_THAT(reply, Contains("\r\nretry-after: 1\r\n"));
}

TEST_CASE("an answer whose connection is gone goes nowhere", "[http1]") {
  NetSession door;
  door.service.hold = true;
  door.send(post("one"));
  door.disconnect();
  door.service.held.front().send({});
  CHECK(door.ledger.used() == 0);
}

TEST_CASE("keeping the connection follows version and Connection", "[http1]") {
  NetSession door;
  SECTION("HTTP/1.1 with close") {
    CHECK_THAT(door.send(post("x", "Connection: foo, Close\r\n")),
               Contains("\r\nconnection: close\r\n"));
    CHECK(door.finished());
  }
  SECTION("HTTP/1.0") {
    CHECK_THAT(door.send("POST /v1/traces HTTP/1.0\r\nContent-Length: 1\r\n\r\nx"),
               Contains("connection: close"));
    CHECK(door.finished());
  }
  SECTION("HTTP/1.0 with keep-alive") {
    CHECK_THAT(
        door.send(
            "POST /v1/traces HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx"),
        Contains("connection: keep-alive"));
    CHECK_FALSE(door.finished());
  }
}

TEST_CASE("keep-alive can be switched off", "[http1]") {
  ServerOptions options;
  options.http1_keep_alive = false;
  NetSession door(options);
  CHECK_THAT(door.send(post("x")), Contains("connection: close"));
  CHECK(door.finished());
}

TEST_CASE("Expect: 100-continue is answered once the request is admitted", "[http1]") {
  const std::string head =
      "POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  NetSession door;
  SECTION("admitted") {
    CHECK(door.send(head) == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK_THAT(door.send("hello"), Contains("seen 5"));
  }
  SECTION("refused: the body is not asked for, and the connection ends") {
    door.service.body_bytes_max = 4;
    CHECK(status_of(door.send(head)) == "413");
    CHECK(door.finished());
  }
}

TEST_CASE("unknown paths are not found, the query is no part of the path", "[http1]") {
  NetSession door;
  CHECK(status_of(door.send("GET /v1/metrics HTTP/1.1\r\nHost: t\r\n\r\n")) == "404");
  CHECK(status_of(door.send("GET /v1/traces?a=b&c HTTP/1.1\r\nHost: t\r\n\r\n")) == "200");
  CHECK(status_of(door.send("GET http://host:1/v1/traces HTTP/1.1\r\nHost: t\r\n\r\n")) == "200");
  CHECK(door.service.heads == std::vector<std::string>{"GET /v1/traces?a=b&c", "GET /v1/traces"});
}

TEST_CASE("the answer to HEAD has a length and no body", "[http1]") {
  NetSession door;
  const std::string reply = door.send("HEAD /v1/traces HTTP/1.1\r\nHost: t\r\n\r\n");
  CHECK_THAT(reply, Contains("content-length: 6\r\n\r\n"));
  CHECK_THAT(reply, !Contains("seen"));
}

TEST_CASE("the service may refuse by the head alone", "[http1]") {
  NetSession door;
  door.service.refusal.emplace().status = 405;
  SECTION("a short body is thrown away and the connection kept") {
    CHECK(status_of(door.send(post("0123456789"))) == "405");
    CHECK_FALSE(door.finished());
    door.service.refusal.reset();
    CHECK(status_of(door.send(post("x"))) == "200");
  }
  SECTION("a long one ends it") {
    CHECK_THAT(door.send("POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Length: 9999999\r\n\r\nx"),
               Contains("connection: close"));
    CHECK(door.finished());
  }
  CHECK(door.service.seen.size() <= 1);
}

TEST_CASE("what can be read in two ways is refused and the connection closed", "[http1]") {
  const std::string smuggled[] = {
      with_lines("Host: t\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
      with_lines("Host: t\r\nContent-Length: 5\r\nContent-Length: 5\r\n"),
      with_lines("Host: t\r\nContent-Length: +5\r\n"),
      with_lines("Host: t\r\nContent-Length: 5, 5\r\n"),
      with_lines("Host: t\r\nContent-Length: 0x5\r\n"),
      with_lines("Host: t\r\nContent-Length: 9999999999999999999\r\n"),
      with_lines("Host: t\r\nContent-Length:\r\n"),
      with_lines("Host: t\r\nContent-Length : 5\r\n"),
      with_lines("Host: t\r\nX: a\r\n folded\r\n"),
      with_lines("Host: t\r\n: empty name\r\n"),
      with_lines("Host: t\r\nno colon\r\n"),
      with_lines("Host: t\r\nX: a\rb\r\n"),
      with_lines("Host: t\r\nX: a\nY: b\r\n"),
      with_lines(std::string_view("Host: t\r\nX: a\0b\r\n", 17)),
      with_lines("Host: t\r\nHost: u\r\n"),
      with_lines("X: no host\r\n"),
      "POST /v1/traces HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST  /v1/traces HTTP/1.1\r\nHost: t\r\n\r\n",
      "POST /v1/traces\r\nHost: t\r\n\r\n",
      "POST v1/traces HTTP/1.1\r\nHost: t\r\n\r\n",
      "P(ST /v1/traces HTTP/1.1\r\nHost: t\r\n\r\n",
      "POST /v1/tra\x7f"
      "ces HTTP/1.1\r\nHost: t\r\n\r\n",
      " POST /v1/traces HTTP/1.1\r\nHost: t\r\n\r\n",
      chunked("5\r\nhelloX\r\n0\r\n\r\n"),
      chunked("g\r\n"),
      chunked("\r\n"),
      chunked("-1\r\n"),
      chunked("5 \r\nhello\r\n0\r\n\r\n"),
      chunked("123456789\r\n"),
      chunked("5\nhello\r\n0\r\n\r\n"),
      chunked("0\r\nX: a\nb\r\n\r\n"),
      chunked("5;" + std::string(200, 'x') + "\r\nhello\r\n0\r\n\r\n"),
  };
  for (const std::string& request : smuggled) {
    NetSession door;
    const std::string reply = door.send(request + post("smuggled"));
    CAPTURE(request, reply);
    CHECK(status_of(reply) == "400");
    CHECK(count(reply, "HTTP/1.1 ") == 1);
    CHECK(door.finished());
    CHECK(door.service.seen.empty());
    CHECK(door.metrics.value("sluice_connections_ended", {{"reason", "protocol"}}) == 1);
  }
}

TEST_CASE("what HTTP has and this door has not is named", "[http1]") {
  const auto status = [](const std::string& request) {
    NetSession door;
    return status_of(door.send(request));
  };
  CHECK(status(with_lines("Host: t\r\nTransfer-Encoding: gzip, chunked\r\n")) == "501");
  CHECK(status(with_lines("Host: t\r\nExpect: a miracle\r\n")) == "417");
  CHECK(status("POST /v1/traces HTTP/2.0\r\nHost: t\r\n\r\n") == "505");
}

TEST_CASE("heads are limited in bytes and lines", "[http1]") {
  ServerOptions options;
  options.header_bytes_max = 400;
  options.header_lines_max = 4;
  const std::string start = "GET /v1/traces HTTP/1.1\r\nHost: t\r\n";
  const std::string fits = start + "X: " + std::string(400 - start.size() - 7, 'x') + "\r\n\r\n";
  NetSession door(options);
  REQUIRE(fits.size() == 400);
  CHECK(status_of(door.send(fits)) == "200");
  CHECK(status_of(door.send(start + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n")) == "200");
  SECTION("a byte more") {
    CHECK(status_of(door.send(start + "X: x" + fits.substr(start.size() + 3))) == "431");
  }
  SECTION("a line more") {
    CHECK(status_of(door.send(start + "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n")) == "431");
  }
  SECTION("an endless line") { CHECK(status_of(door.send(std::string(400, 'x'))) == "431"); }
  CHECK(door.finished());
}

TEST_CASE("a body is limited to the byte, before it is read where its length is known", "[http1]") {
  NetSession door;
  door.service.body_bytes_max = 1000;
  CHECK(status_of(door.send(post(std::string(1000, 'x')))) == "200");
  CHECK(status_of(door.send(
            "POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n")) == "413");
  door.connect();
  const std::string thousand = "3e8\r\n" + std::string(1000, 'x') + "\r\n";
  CHECK(status_of(door.send(chunked(thousand + "0\r\n\r\n"))) == "200");
  CHECK(status_of(door.send(chunked(thousand + "1\r\nx\r\n0\r\n\r\n"))) == "413");
  CHECK(door.service.seen.size() == 2);
  CHECK(door.ledger.used() == 0);
}

TEST_CASE("the ledger is asked before the body is kept", "[http1]") {
  NetSession door({}, {}, 100'000);
  door.service.keep_bodies = true;
  CHECK(status_of(door.send(post(std::string(60'000, 'x')))) == "200");
  CHECK(door.ledger.used() >= 60'000);
  const std::string reply =
      door.send("POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n");
  CHECK(status_of(reply) == "503");
  CHECK_THAT(reply, Contains("\r\nretry-after: 1\r\n"));
  CHECK(door.service.errors == std::vector<TransportError>{TransportError::busy});
  // The client, unaware, sends it all the same; then comes back when there is room.
  door.send(std::string(60'000, 'x'));
  door.service.bodies.clear();
  CHECK(status_of(door.send(post(std::string(60'000, 'x')))) == "200");
  door.service.bodies.clear();
  CHECK(door.ledger.used() == 0);
}

TEST_CASE("a body of unknown length is reserved as it comes", "[http1]") {
  NetSession door({}, {}, 200'000);
  std::string chunk = "2710\r\n" + std::string(10'000, 'x') + "\r\n";
  std::string reply = door.send(chunked(chunk));
  for (int sent = 1; sent < 25 && reply.empty(); ++sent) {
    CHECK(door.ledger.used() <= 200'000);
    reply = door.send(chunk);
  }
  CHECK(status_of(reply) == "503");
  CHECK(door.finished());
  CHECK(door.ledger.used() == 0);
}

TEST_CASE("a declared length costs no memory by itself", "[http1]") {
  NetSession door({}, {}, 1 << 30);
  for (int connection = 0; connection < 3; ++connection) {
    door.connect();
    CHECK(door.send("POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Length: 67108864\r\n\r\nx")
              .empty());
    CHECK(door.ledger.used() == 67108864);
  }
  door.disconnect();
  CHECK(door.ledger.used() == 0);
}

TEST_CASE("senders that are slow are timed out", "[http1]") {
  ServerOptions options;
  options.idle_timeout = seconds(60);
  NetSession door(options);
  SECTION("that send nothing") {
    door.pass(milliseconds(9900));
    CHECK_FALSE(door.finished());
    door.pass(milliseconds(200));
  }
  SECTION("that do not finish a head, whatever dribbles in") {
    door.send("GET /v1/traces HTTP/1.1\r\n");
    for (int second = 0; second < 9; ++second) {
      door.pass(seconds(1));
      door.send("X: y\r\n");
    }
    CHECK_FALSE(door.finished());
    door.pass(milliseconds(1100));
  }
  SECTION("that send a body below 1 KiB a second after ten seconds") {
    door.send("POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n");
    for (int second = 0; second < 13; ++second) {
      CHECK(door.send(std::string(second < 10 ? 300 : 100, 'x')).empty());
      CHECK(door.pass(seconds(1)).empty());
    }
    CHECK_FALSE(door.finished());
    CHECK(status_of(door.pass(seconds(2))) == "408");
  }
  CHECK(door.finished());
  CHECK(door.metrics.value("sluice_connections_ended", {{"reason", "timeout"}}) == 1);
}

TEST_CASE("a body that comes fast enough is not timed out", "[http1]") {
  NetSession door;
  door.send("POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n");
  std::string reply;
  for (int second = 0; second < 60; ++second) {
    reply += door.send(std::string(1000, 'x'));
    reply += door.pass(seconds(1));
  }
  CHECK(status_of(reply) == "200");
}

TEST_CASE("read_timeout bounds a whole request", "[http1]") {
  ServerOptions options;
  options.read_timeout = seconds(3);
  NetSession door(options);
  door.send("POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Length: 9000000\r\n\r\n");
  std::string reply;
  for (int tenth = 0; tenth < 31; ++tenth) {
    reply += door.send(std::string(10'000, 'x'));
    reply += door.pass(milliseconds(100));
  }
  CHECK(status_of(reply) == "408");
  CHECK(door.finished());
}

TEST_CASE("a kept connection ends after the idle time, without a word", "[http1]") {
  NetSession door;
  door.send(post("x"));
  CHECK(door.pass(milliseconds(59900)).empty());
  CHECK_FALSE(door.finished());
  CHECK(door.pass(milliseconds(200)).empty());
  CHECK(door.finished());
  CHECK(door.metrics.value("sluice_connections_ended", {{"reason", "timeout"}}) == 0);
}

TEST_CASE("an answer takes as long as it takes", "[http1]") {
  NetSession door;
  door.service.hold = true;
  door.send(post("x"));
  CHECK(door.pass(seconds(120)).empty());
  CHECK_FALSE(door.finished());
  door.service.held.front().send({});
  CHECK(status_of(door.output()) == "200");
}

TEST_CASE("a client that closes its sending side still gets the answer", "[http1]") {
  NetSession door;
  door.service.hold = true;
  door.send(post("x"));
  door.session().receive_end();
  CHECK_FALSE(door.finished());
  door.service.held.front().send({});
  CHECK(status_of(door.output()) == "200");
  CHECK(door.finished());
}

TEST_CASE("draining ends idle connections, answers what is under way, refuses what comes",
          "[http1]") {
  NetSession door;
  SECTION("idle") {
    door.send(post("x"));
    door.session().drain();
    CHECK(door.finished());
  }
  SECTION("an answer is owed") {
    door.service.hold = true;
    door.send(post("x"));
    door.session().drain();
    CHECK_FALSE(door.finished());
    door.service.held.front().send({});
    CHECK_THAT(door.output(), Contains("connection: close"));
    CHECK(door.finished());
  }
  SECTION("a request that comes all the same") {
    door.door.drain();
    CHECK(status_of(door.send(post("x"))) == "503");
    CHECK(door.service.seen.empty());
  }
}

TEST_CASE("bodies are inflated, one layer, within the limit", "[http1]") {
  const std::string text(100'000, 'a');
  EncodedBatch batch;
  batch.slices.push_back({text.data(), text.size()});
  batch.size = text.size();
  const std::string packed(deflate(Encoding::gzip, batch).bytes());
  NetSession door;
  door.service.body_bytes_max = text.size();
  SECTION("gzip") {
    CHECK(status_of(door.send(post(packed, "Content-Encoding: gzip\r\n"))) == "200");
    CHECK(door.service.seen[0].body == text);
    CHECK(door.service.seen[0].wire_bytes == packed.size());
  }
  SECTION("too large after inflation") {
    door.service.body_bytes_max = text.size() - 1;
    CHECK(status_of(door.send(post(packed, "Content-Encoding: gzip\r\n"))) == "413");
  }
  SECTION("broken") {
    CHECK(status_of(door.send(post(packed.substr(1), "Content-Encoding: gzip\r\n"))) == "400");
    CHECK(door.service.errors == std::vector<TransportError>{TransportError::bad_encoding});
  }
  SECTION("two layers") {
    const std::string reply = door.send(post(packed, "Content-Encoding: gzip, gzip\r\n"));
    CHECK(status_of(reply) == "415");
    CHECK_THAT(
        reply,
        Contains("accept-encoding: gzip, zstd, zlib, snappy, deflate, lz4, x-snappy-framed\r\n"));
  }
  CHECK(door.ledger.used() == 0);
}

TEST_CASE("the ledger bounds what inflation makes", "[http1]") {
  const std::string text(1'000'000, 'a');
  EncodedBatch batch;
  batch.slices.push_back({text.data(), text.size()});
  batch.size = text.size();
  NetSession door({}, {}, 500'000);
  CHECK(status_of(door.send(
            post(deflate(Encoding::gzip, batch).bytes(), "Content-Encoding: gzip\r\n"))) == "503");
  CHECK(door.ledger.used() == 0);
}

TEST_CASE("a route takes the encodings it lists", "[http1]") {
  RouteOptions route;
  route.encodings = {"gzip"};
  NetSession door({}, route);
  CHECK(status_of(door.send(post("x"))) == "415");
  CHECK(status_of(door.send(post("x", "Content-Encoding: zstd\r\n"))) == "415");
}

TEST_CASE("metadata becomes a context where the route asks for it", "[http1]") {
  RouteOptions route;
  SECTION("not asked for") {
    NetSession door({}, route);
    door.send(post("x"));
    CHECK(door.service.seen[0].context == nullptr);
  }
  SECTION("asked for") {
    route.include_metadata = true;
    NetSession door({}, route);
    door.send(post("x", "X-Tenant: one\r\nx-tenant: two\r\nConnection: keep-alive\r\n"));
    const RequestContextRef context = door.service.seen[0].context;
    REQUIRE(context != nullptr);
    CHECK(context->peer == "127.0.0.1");
    CHECK(context->arrival == door.executor.wall_time());
    CHECK(context->metadata_value("X-Tenant") == "one;two");
    CHECK(context->metadata_value("host") == "test");
    CHECK(context->metadata_value("connection").empty());
  }
}

TEST_CASE("without configured origins nothing is said about CORS", "[http1]") {
  NetSession door;
  CHECK_THAT(door.send(post("x", "Origin: http://evil\r\n")), !Contains("access-control"));
  CHECK_THAT(door.send("OPTIONS /v1/traces HTTP/1.1\r\nHost: t\r\nOrigin: http://evil\r\n"
                       "Access-Control-Request-Method: POST\r\n\r\n"),
             !Contains("access-control"));
  CHECK(door.service.heads.back() == "OPTIONS /v1/traces");
}

TEST_CASE("configured origins may ask and read across origins", "[http1]") {
  RouteOptions route;
  route.cors_origins = {"https://*.example.com", "http://localhost:3000"};
  route.cors_headers = {"X-Api-Key"};
  route.cors_exposed_headers = {"X-Trace"};
  route.cors_max_age = seconds(600);
  NetSession door({}, route);
  const auto preflight = [&](const std::string& origin) {
    return door.send("OPTIONS /v1/traces HTTP/1.1\r\nHost: t\r\nOrigin: " + origin +
                     "\r\nAccess-Control-Request-Method: POST\r\n\r\n");
  };
  const std::string allowed = preflight("https://app.example.com");
  CHECK(status_of(allowed) == "204");
  CHECK_THAT(
      allowed,
      Contains("\r\nvary: Origin\r\naccess-control-allow-origin: https://app.example.com\r\n"));
  CHECK_THAT(allowed, Contains("\r\naccess-control-allow-headers: Accept, Content-Type, "
                               "X-Requested-With, X-Api-Key\r\n"));
  CHECK_THAT(allowed, Contains("\r\naccess-control-max-age: 600\r\n"));
  CHECK_THAT(allowed, !Contains("content-length"));
  for (const std::string origin :
       {"https://example.com", "https://app.example.com.evil", "http://localhost:3001", "null"}) {
    CHECK(status_of(preflight(origin)) == "204");
    CHECK_THAT(preflight(origin), !Contains("access-control"));
  }
  CHECK(door.service.heads.empty());
  const std::string reply = door.send(post("x", "Origin: http://localhost:3000\r\n"));
  CHECK_THAT(reply, Contains("access-control-allow-origin: http://localhost:3000\r\n"));
  CHECK_THAT(reply, Contains("access-control-expose-headers: X-Trace\r\n"));
  CHECK_THAT(door.send(post("x", "Origin: http://evil\r\n")), !Contains("access-control"));
}

TEST_CASE("headers of the configuration go with every reply, and none can be broken out of",
          "[http1]") {
  RouteOptions route;
  route.response_headers = {{"x-frame-options", "DENY"}};
  NetSession door({}, route);
  Response answer;
  answer.headers = {{"x-echo", "a\r\nInjected: yes"}};
  door.service.answer = answer;
  const std::string reply = door.send(post("x"));
  CHECK_THAT(reply, Contains("\r\nx-frame-options: DENY\r\n"));
  CHECK_THAT(reply, Contains("\r\nx-echo: a  Injected: yes\r\n"));
}

TEST_CASE("an HTTP/1.1 request with gRPC's content type is a plain one", "[http1]") {
  NetSession door;
  door.send(
      "POST /test.Traces/Export HTTP/1.1\r\nHost: t\r\nContent-Type: "
      "application/grpc\r\nContent-Length: 0\r\n\r\n");
  REQUIRE(door.service.seen.size() == 1);
  CHECK_FALSE(door.service.seen[0].is_grpc);
}

}  // namespace sluice::net
