#include <catch2/catch.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "pipeline/net/client.h"
#include "pipeline/net/url.h"
#include "test/support/client_calls.h"
#include "test/support/http_server.h"

namespace sluice::net {

namespace {

using namespace std::chrono_literals;
using test::body_of;
using test::http_response;
using test::HttpServer;
using test::pattern;
using test::request_of;
using Answer = HttpServer::Answer;
using Seen = HttpServer::Seen;

class Fixture {
 public:
  Fixture() { loop.start(); }
  ~Fixture() {
    client.reset();
    loop.stop();
  }
  void connect(std::uint16_t port, HttpClientOptions options = {}) {
    if (options.host.empty()) options.host = "127.0.0.1";
    options.port = port;
    client = std::make_unique<HttpClient>(loop, std::move(options), nullptr);
  }
  std::future<ClientResponse> start(ClientRequest request) {
    return test::start_post(*client, std::move(request));
  }
  ClientResponse post(ClientRequest request) { return start(std::move(request)).get(); }
  ClientResponse post() { return post(request_of(body_of("hello"))); }

  EventLoop loop{0};
  std::unique_ptr<HttpClient> client;
};

Answer ok() { return {.bytes = http_response("200 OK")}; }

}  // namespace

TEST_CASE("a POST carries its body and headers there, and the response back", "[http_client]") {
  HttpServer server([](const Seen&) {
    return Answer{.bytes = http_response("429 Too Many Requests", "busy",
                                         "Retry-After: 7\r\nContent-Type: text/plain\r\n")};
  });
  Fixture fixture;
  fixture.connect(server.port());
  ClientRequest request = request_of(body_of("hello", 2));
  request.path = "/v1/traces?a=b";
  request.headers = {{"content-type", "application/x-protobuf"}, {"x-tenant", "blue"}};
  request.encoding = Encoding::gzip;
  const ClientResponse response = fixture.post(std::move(request));
  CHECK_FALSE(response.failed);
  CHECK(response.status == 429);
  CHECK(response.message == "Too Many Requests");
  CHECK(response.retry_after == "7");
  CHECK(response.content_type == "text/plain");
  CHECK(response.body == "busy");
  const Seen seen = server.seen().at(0);
  CHECK(seen.line == "POST /v1/traces?a=b HTTP/1.1");
  CHECK(seen.headers.at("host") == server.address());
  CHECK(seen.headers.at("content-type") == "application/x-protobuf");
  CHECK(seen.headers.at("content-encoding") == "gzip");
  CHECK(seen.headers.at("content-length") == "5");
  CHECK(seen.headers.at("x-tenant") == "blue");
  CHECK(seen.headers.count("connection") == 0);
  CHECK(seen.body == "hello");
}

TEST_CASE("a large body of many slices arrives as it was over HTTP/1.1", "[http_client]") {
  HttpServer server([](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(server.port());
  const std::string text = pattern(3'300'000);
  CHECK(fixture.post(request_of(body_of(text, 1517))).status == 200);
  CHECK((server.seen().at(0).body == text));
}

TEST_CASE("a connection is used again, and as many are opened as there are requests at once",
          "[http_client]") {
  HttpServer server([](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(server.port());
  for (int index = 0; index < 5; ++index) CHECK(fixture.post().status == 200);
  CHECK(server.sockets().connection_count() == 1);
  std::vector<std::future<ClientResponse>> answers;
  for (int index = 0; index < 5; ++index)
    answers.push_back(fixture.start(request_of(body_of("x"))));
  for (auto& answer : answers) CHECK(answer.get().status == 200);
  CHECK(server.sockets().connection_count() <= 6);
}

TEST_CASE("no more connections are opened than allowed, and the other requests wait",
          "[http_client]") {
  HttpServer server([](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(server.port(), {.connections_max = 2});
  std::vector<std::future<ClientResponse>> answers;
  for (int index = 0; index < 10; ++index)
    answers.push_back(fixture.start(request_of(body_of(pattern(100'000)))));
  for (auto& answer : answers) CHECK(answer.get().status == 200);
  CHECK(server.sockets().connection_count() <= 2);
}

TEST_CASE("without keep-alive every request says so and has its own connection", "[http_client]") {
  HttpServer server([](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(server.port(), {.keep_alive = false});
  for (int index = 0; index < 3; ++index) CHECK(fixture.post().status == 200);
  CHECK(server.sockets().connection_count() == 3);
  CHECK(server.seen().at(0).headers.at("connection") == "close");
}

TEST_CASE("a server that closes behind its response is not written to again", "[http_client]") {
  Answer answer;
  SECTION("and says so") {
    answer = {.bytes = http_response("200 OK", "a", "Connection: close\r\n"), .close = true};
  }
  SECTION("and ends the body by that") {
    answer = {.bytes = "HTTP/1.1 200 OK\r\n\r\na", .close = true};
  }
  SECTION("in HTTP/1.0") {
    answer = {.bytes = "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", .close = true};
  }
  HttpServer server([answer](const Seen&) { return answer; });
  Fixture fixture;
  fixture.connect(server.port());
  for (int index = 0; index < 3; ++index) CHECK(fixture.post().body == "a");
  CHECK(server.sockets().connection_count() == 3);
}

TEST_CASE("a request that crosses the end of an idle connection is sent once more",
          "[http_client]") {
  // The first request of a connection is answered; at the second the server hangs up without a
  // word.
  auto used = std::make_shared<std::map<std::size_t, int>>();
  HttpServer server([used](const Seen& seen) {
    return (*used)[seen.connection]++ == 0 ? ok() : Answer{.close = true};
  });
  Fixture fixture;
  fixture.connect(server.port());
  CHECK(fixture.post().status == 200);
  CHECK(fixture.post().status == 200);
  CHECK(server.seen().size() == 3);
  CHECK(server.sockets().connection_count() == 2);
}

TEST_CASE("a request that is sent once more does not wait for an idle connection to go",
          "[http_client]") {
  auto used = std::make_shared<std::map<std::size_t, int>>();
  HttpServer server([used](const Seen& seen) {
    const bool hangs_up = seen.connection == 1 && (*used)[seen.connection]++ > 0;
    return hangs_up ? Answer{.close = true} : ok();
  });
  Fixture fixture;
  fixture.connect(server.port(), {.connections_max = 1});
  CHECK(fixture.post().status == 200);
  // In one turn of the loop: one takes the idle connection, which then turns out to be gone, and
  // the other waits; it goes first on the next connection, which is idle behind it.
  std::promise<void> both;
  std::future<ClientResponse> first, second;
  fixture.loop.post([&] {
    first = fixture.start(request_of(body_of("first"), 5s));
    second = fixture.start(request_of(body_of("second"), 5s));
    both.set_value();
  });
  both.get_future().wait();
  CHECK(first.get().status == 200);
  CHECK(second.get().status == 200);
}

TEST_CASE("on a fresh connection nothing is sent twice", "[http_client]") {
  HttpServer server([](const Seen&) { return Answer{.close = true}; });
  Fixture fixture;
  fixture.connect(server.port());
  const ClientResponse response = fixture.post();
  CHECK(response.failed);
  CHECK(response.message == "connection closed by " + server.address());
  CHECK(server.seen().size() == 1);
}

TEST_CASE("a response that began is never asked for again", "[http_client]") {
  auto count = std::make_shared<int>(0);
  HttpServer server([count](const Seen&) {
    return (*count)++ == 0
               ? ok()
               : Answer{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .close = true};
  });
  Fixture fixture;
  fixture.connect(server.port());
  CHECK(fixture.post().status == 200);
  CHECK(fixture.post().failed);
  CHECK(server.seen().size() == 2);
}

TEST_CASE("a redirect is an answer like any other", "[http_client]") {
  HttpServer server([](const Seen&) {
    return Answer{.bytes = http_response("302 Found", "",
                                         "Location: http://169.254.169.254/latest/meta-data\r\n")};
  });
  Fixture fixture;
  fixture.connect(server.port());
  CHECK(fixture.post().status == 302);
  CHECK(server.seen().size() == 1);
}

TEST_CASE("a chunked response and one behind 100 Continue are read", "[http_client]") {
  HttpServer server([](const Seen&) {
    return Answer{
        .bytes =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"};
  });
  Fixture fixture;
  fixture.connect(server.port());
  CHECK(fixture.post().body == "abcde");
  CHECK(fixture.post().body == "abcde");
  CHECK(server.sockets().connection_count() == 1);
}

TEST_CASE("responses past the limits, and what is no HTTP, fail the request", "[http_client]") {
  const std::string bytes =
      GENERATE(as<std::string>(), "SSH-2.0-OpenSSH_9.2\r\n",
               "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n",
               "HTTP/1.1 200 OK\r\nContent-Length: 4194305\r\n\r\n",
               "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n");
  HttpServer server([bytes](const Seen&) { return Answer{.bytes = bytes}; });
  Fixture fixture;
  fixture.connect(server.port());
  const ClientResponse response = fixture.post();
  CHECK(response.failed);
  CHECK_THAT(response.message, Catch::StartsWith("broken HTTP response"));
}

TEST_CASE("a request that is not answered in time ends, and its connection with it",
          "[http_client]") {
  HttpServer server([](const Seen& seen) { return seen.connection == 1 ? Answer{} : ok(); });
  Fixture fixture;
  fixture.connect(server.port());
  const ClientResponse response = fixture.post(request_of(body_of("x"), 50ms));
  CHECK(response.failed);
  CHECK(response.timed_out);
  CHECK(fixture.post().status == 200);
  CHECK(server.sockets().connection_count() == 2);
}

TEST_CASE("an answer before the body is through counts, and the connection is given up",
          "[http_client]") {
  std::promise<void> is_over;  // until then nobody reads the body, which cannot be sent whole
  HttpServer server([&, over = is_over.get_future().share()](const Seen& seen) {
    if (seen.connection > 1) return ok();
    return Answer{.bytes = http_response("413 Content Too Large"),
                  .close = false,
                  .before_body = true,
                  .instead = [over](test::Peer&) { over.wait(); }};
  });
  Fixture fixture;
  fixture.connect(server.port());
  CHECK(fixture.post(request_of(body_of(pattern(20'000'000)))).status == 413);
  CHECK(fixture.post().status == 200);
  is_over.set_value();
}

TEST_CASE("where nobody listens the request fails and says so", "[http_client]") {
  Fixture fixture;
  const std::uint16_t port = test::free_port();
  fixture.connect(port);
  const ClientResponse response = fixture.post();
  CHECK(response.failed);
  CHECK(response.message ==
        "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST_CASE("of several addresses the one that answers is used", "[http_client]") {
  HttpServer server([](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(server.port(), {.host = "localhost"});
  CHECK(fixture.post().status == 200);
  CHECK(server.seen().at(0).headers.at("host") == "localhost:" + std::to_string(server.port()));
}

TEST_CASE("an idle connection is closed when its time is up", "[http_client]") {
  HttpServer server([](const Seen&) { return ok(); });
  Fixture fixture;
  SECTION("by age") {
    fixture.connect(server.port(), {.idle_timeout = 1ms});
    CHECK(fixture.post().status == 200);
    server.sockets().wait_for_closed(1);
  }
  SECTION("by number") {
    fixture.connect(server.port(), {.idle_connections_max = 0});
    CHECK(fixture.post().status == 200);
    server.sockets().wait_for_closed(1);
  }
  CHECK(fixture.post().status == 200);
  CHECK(server.sockets().connection_count() == 2);
}

TEST_CASE("a plain request goes to the proxy in absolute form", "[http_client]") {
  HttpServer proxy([](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(
      4318, {.host = "backend.invalid", .proxy_url = "http://user:pass%21@" + proxy.address()});
  ClientRequest request = request_of(body_of("x"));
  request.path = "/v1/traces";
  CHECK(fixture.post(std::move(request)).status == 200);
  CHECK(proxy.seen().at(0).line == "POST http://backend.invalid:4318/v1/traces HTTP/1.1");
  CHECK(proxy.seen().at(0).headers.at("host") == "backend.invalid:4318");
  CHECK(proxy.seen().at(0).headers.at("proxy-authorization") == "Basic dXNlcjpwYXNzIQ==");
}

TEST_CASE("destroying the client ends requests under way as failed", "[http_client]") {
  HttpServer server([](const Seen&) { return Answer{}; });
  Fixture fixture;
  fixture.connect(server.port());
  std::future<ClientResponse> answer = fixture.start(request_of(body_of("x")));
  server.wait_for_seen(1);
  fixture.client.reset();
  CHECK(answer.get().failed);
}

TEST_CASE("URLs are read in their parts", "[http_client]") {
  const Url url = parse_url("https://user:p%40ss@gateway:8443/base?x=1#fragment").value();
  CHECK(url.scheme == "https");
  CHECK(url.user == "user:p@ss");
  CHECK(url.host == "gateway");
  CHECK(url.port == 8443);
  CHECK(url.path == "/base?x=1");
  CHECK(parse_url("http://gateway").value().port == 80);
  CHECK(parse_url("https://gateway").value().port == 443);
  CHECK(parse_url("http://gateway").value().path == "/");
  CHECK(parse_url("http://gateway?x").value().path == "/?x");
  CHECK(parse_url("http://[::1]:4318/v1").value().host == "::1");
  CHECK(parse_url("http://[::1]").value().port == 80);
  for (const char* text : {"", "gateway:4318", "ftp://gateway", "http://", "http://:80",
                           "http://gateway:0", "http://gateway:", "http://gateway:70000",
                           "http://[::1", "http://[::1]x", "http://a b/", "http://a/\r\nX: y"}) {
    INFO(text);
    CHECK_FALSE(parse_url(text).has_value());
  }
}

}  // namespace sluice::net
