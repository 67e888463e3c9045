#include <catch2/catch.hpp>

#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "pipeline/net/client.h"
#include "test/support/certificates.h"
#include "test/support/client_calls.h"
#include "test/support/h2_server.h"
#include "test/support/http_server.h"

namespace sluice::net {

namespace {

using namespace std::chrono_literals;
using test::body_of;
using test::Certificate;
using test::H2Server;
using test::HttpServer;
using test::make_certificate;
using test::request_of;

/// One authority for all tests: keys take their time.
const Certificate& authority() {
  static const Certificate made = make_certificate({.name = "test authority", .authority = true});
  return made;
}

Certificate certificate_for(const std::string& name) {
  return make_certificate({.name = name, .issuer = &authority()});
}

TlsClientOptions trusting(const Certificate& issuer) {
  TlsClientOptions options;
  options.ca_pem = issuer.certificate;
  return options;
}

std::shared_ptr<TlsClient> create(const TlsClientOptions& options) {
  std::string error;
  std::shared_ptr<TlsClient> tls = TlsClient::create(options, error);
  INFO(error);
  REQUIRE(tls != nullptr);
  return tls;
}

std::string create_error(const TlsClientOptions& options) {
  std::string error;
  CHECK(TlsClient::create(options, error) == nullptr);
  return error;
}

class Loop {
 public:
  Loop() { loop.start(); }
  ~Loop() { loop.stop(); }
  EventLoop loop{0};
};

/// One call to a gRPC server with that certificate.
ClientResponse call(const test::SocketServerOptions& server_options,
                    const TlsClientOptions& options, const std::string& host = "localhost") {
  Loop loop;
  H2Server::Options h2;
  h2.socket = server_options;
  H2Server server(h2, [](const H2Server::Seen&) {
    H2Server::Answer answer;
    answer.body = test::grpc_message("secret");
    return answer;
  });
  GrpcClientOptions client_options;
  client_options.target = parse_grpc_target(host + ":" + std::to_string(server.port())).value();
  client_options.round_robin = false;
  GrpcClient client(loop.loop, client_options, create(options));
  return test::start_call(client, request_of(body_of("hello"))).get();
}

std::vector<std::string> decode_errors(const std::string& yaml) {
  config::Problems problems;
  decode_tls_client(config::parse_text(yaml, "test.yaml", problems));
  std::vector<std::string> lines;
  for (const config::Problem& problem : problems.list()) lines.push_back(problem.to_string());
  return lines;
}

}  // namespace

TEST_CASE("a call goes over TLS to a server whose certificate fits", "[tls_client]") {
  const bool tls13 = GENERATE(true, false);
  const ClientResponse response =
      call({.tls = certificate_for("localhost"), .accept_tls13 = tls13}, trusting(authority()));
  CHECK(response.message == "");
  CHECK(response.body == "secret");
}

TEST_CASE("a certificate may name an address", "[tls_client]") {
  CHECK(call({.tls = certificate_for("127.0.0.1")}, trusting(authority()), "127.0.0.1").body ==
        "secret");
}

TEST_CASE("a certificate that does not fit is refused, and nothing is sent", "[tls_client]") {
  TlsClientOptions options = trusting(authority());
  test::SocketServerOptions server{.tls = certificate_for("localhost")};
  std::string reason;
  SECTION("from another authority") {
    const Certificate other = make_certificate({.name = "test authority", .authority = true});
    options = trusting(other);
    reason = "certificate";
  }
  SECTION("from an authority that only this server knows") {
    options = {};
    reason = "certificate refused: ";
  }
  SECTION("with another name") {
    server.tls = certificate_for("other.example");
    reason = "certificate refused: hostname mismatch";
  }
  SECTION("expired") {
    server.tls = make_certificate({.issuer = &authority(), .expired = true});
    reason = "certificate refused: certificate has expired";
  }
  SECTION("signed by itself") {
    server.tls = make_certificate({});
    reason = "certificate refused: self-signed certificate";
  }
  const ClientResponse response = call(server, options);
  CHECK(response.failed);
  CHECK_THAT(response.message, Catch::Contains(reason));
  CHECK(response.body.empty());
}

TEST_CASE("insecure_skip_verify takes any certificate", "[tls_client]") {
  TlsClientOptions options;
  options.insecure_skip_verify = true;
  CHECK(call({.tls = make_certificate({.name = "other.example", .expired = true})}, options).body ==
        "secret");
}

TEST_CASE("server_name_override is what the certificate must name, and the SNI", "[tls_client]") {
  TlsClientOptions options = trusting(authority());
  options.server_name_override = "gateway.example";
  CHECK(call({.tls = certificate_for("gateway.example")}, options).body == "secret");
  CHECK(call({.tls = certificate_for("localhost")}, options).failed);
}

TEST_CASE("a client certificate is shown where the server asks for one", "[tls_client]") {
  const test::SocketServerOptions server{.tls = certificate_for("localhost"),
                                         .client_authority = authority().certificate};
  TlsClientOptions options = trusting(authority());
  CHECK(call(server, options).failed);
  const Certificate own = certificate_for("client");
  SECTION("in place") {
    options.cert_pem = own.certificate;
    options.key_pem = config::Secret(own.key);
    CHECK(call(server, options).body == "secret");
  }
  SECTION("from files") {
    const test::TemporaryFile certificate(own.certificate);
    const test::TemporaryFile key(own.key);
    options.cert_file = certificate.path();
    options.key_file = key.path();
    CHECK(call(server, options).body == "secret");
  }
}

TEST_CASE("the versions and cipher suites of the options are kept to", "[tls_client]") {
  TlsClientOptions options = trusting(authority());
  test::SocketServerOptions server{.tls = certificate_for("localhost"), .accept_tls13 = false};
  SECTION("a version that the server lacks") {
    options.min_version = "1.3";
    CHECK(call(server, options).failed);
  }
  SECTION("a suite that the server's key cannot serve") {
    options.cipher_suites = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
    CHECK(call(server, options).failed);
  }
  SECTION("a suite that it can") {
    options.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"};
    options.curve_preferences = {"P384", "P256"};
    CHECK(call(server, options).body == "secret");
  }
}

TEST_CASE("ALPN and SNI say what is wanted", "[tls_client]") {
  Loop loop;
  std::promise<std::pair<std::string, std::string>> seen;
  test::SocketServer server({.tls = certificate_for("localhost")}, [&](test::Peer& peer) {
    seen.set_value({peer.protocol(), peer.server_name()});
    peer.read();
  });
  const std::shared_ptr<TlsClient> tls = create(trusting(authority()));
  SECTION("by gRPC") {
    GrpcClientOptions options;
    options.target = parse_grpc_target("localhost:" + std::to_string(server.port())).value();
    options.round_robin = false;
    GrpcClient client(loop.loop, options, tls);
    std::future<ClientResponse> answer = test::start_call(client, request_of(body_of("x")));
    CHECK(seen.get_future().get() == std::pair<std::string, std::string>{"h2", "localhost"});
    CHECK(answer.get().failed);
  }
  SECTION("by HTTP") {
    HttpClient client(loop.loop, {.scheme = "https", .host = "localhost", .port = server.port()},
                      tls);
    std::future<ClientResponse> answer = test::start_post(client, request_of(body_of("x")));
    CHECK(seen.get_future().get() == std::pair<std::string, std::string>{"http/1.1", "localhost"});
    CHECK(answer.get().failed);
  }
}

TEST_CASE("large bodies go through TLS as they are", "[tls_client]") {
  Loop loop;
  const std::string text = test::pattern(3'300'000);
  SECTION("over HTTP/1.1, on a connection that is used again") {
    HttpServer server({.tls = certificate_for("localhost")}, [](const HttpServer::Seen&) {
      return HttpServer::Answer{.bytes = test::http_response("200 OK")};
    });
    HttpClient client(loop.loop, {.scheme = "https", .host = "localhost", .port = server.port()},
                      create(trusting(authority())));
    for (int index = 0; index < 2; ++index) {
      CHECK(test::start_post(client, request_of(body_of(text, 1517))).get().status == 200);
      CHECK((server.seen().back().body == text));
    }
    CHECK(server.seen().back().connection == 1);
  }
  SECTION("over HTTP/2") {
    H2Server::Options options;
    options.socket.tls = certificate_for("localhost");
    H2Server server(options, [](const H2Server::Seen&) {
      H2Server::Answer answer;
      answer.body = test::grpc_message("");
      return answer;
    });
    GrpcClientOptions client_options;
    client_options.target = parse_grpc_target("localhost:" + std::to_string(server.port())).value();
    GrpcClient client(loop.loop, client_options, create(trusting(authority())));
    CHECK(test::start_call(client, request_of(body_of(text, 1517))).get().grpc == GrpcCode::ok);
    CHECK((server.seen().back().body == test::grpc_message(text)));
    CHECK(server.seen().back().headers.at(":scheme") == "https");
  }
}

TEST_CASE("an https request goes through the proxy's tunnel", "[tls_client]") {
  Loop loop;
  HttpServer origin({.tls = certificate_for("backend.example")}, [](const HttpServer::Seen&) {
    return HttpServer::Answer{.bytes = test::http_response("200 OK", "far")};
  });
  std::string refusal;
  HttpServer proxy([&](const HttpServer::Seen&) -> HttpServer::Answer {
    if (!refusal.empty()) return {.bytes = refusal};
    return {.bytes = "HTTP/1.1 200 Connection established\r\n\r\n",
            .instead = [&](test::Peer& peer) { test::tunnel(peer, origin.port()); }};
  });
  HttpClient client(loop.loop,
                    {.scheme = "https",
                     .host = "backend.example",
                     .port = 443,
                     .proxy_url = "http://" + proxy.address()},
                    create(trusting(authority())));
  SECTION("taken") {
    CHECK(test::start_post(client, request_of(body_of("x"))).get().body == "far");
    CHECK(proxy.seen().at(0).line == "CONNECT backend.example:443 HTTP/1.1");
    CHECK(origin.seen().at(0).line == "POST /test.Service/Method HTTP/1.1");
    CHECK(origin.seen().at(0).headers.at("host") == "backend.example");
  }
  SECTION("refused") {
    refusal = test::http_response("407 Proxy Authentication Required");
    CHECK(test::start_post(client, request_of(body_of("x"))).get().message ==
          "the proxy refuses a tunnel with status 407");
  }
}

TEST_CASE("a peer that is silent in the handshake costs a call its own time", "[tls_client]") {
  Loop loop;
  test::SocketServer server([](test::Peer& peer) {
    while (!peer.read().empty()) continue;
  });
  GrpcClientOptions options;
  options.target = parse_grpc_target(server.address()).value();
  GrpcClient client(loop.loop, options, create({}));
  CHECK(test::start_call(client, request_of(body_of("x"), 50ms)).get().timed_out);
}

TEST_CASE("a peer that does not speak TLS is refused", "[tls_client]") {
  Loop loop;
  test::SocketServer server([](test::Peer& peer) {
    peer.read();
    peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  GrpcClientOptions options;
  options.target = parse_grpc_target(server.address()).value();
  GrpcClient client(loop.loop, options, create({}));
  const ClientResponse response = test::start_call(client, request_of(body_of("x"))).get();
  CHECK(response.failed);
  CHECK_THAT(response.message, Catch::StartsWith("TLS handshake with " + server.address()));
}

TEST_CASE("files that do not fit are named with what is wrong", "[tls_client]") {
  const Certificate own = certificate_for("client");
  const Certificate other = certificate_for("client");
  TlsClientOptions options;
  SECTION("absent") {
    options.ca_file = "/nowhere/ca.pem";
    CHECK(create_error(options) ==
          "tls.ca_file \"/nowhere/ca.pem\": cannot read: No such file or directory");
  }
  SECTION("empty") {
    const test::TemporaryFile file("");
    options.ca_file = file.path();
    CHECK(create_error(options) ==
          "tls.ca_file \"" + file.path() + "\": holds no certificate in PEM form");
  }
  SECTION("a broken certificate behind a good one") {
    options.ca_pem =
        authority().certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    CHECK(create_error(options) == "tls.ca_pem: holds a broken certificate");
  }
  SECTION("no certificate") {
    options.cert_pem = "nothing";
    options.key_pem = config::Secret(own.key);
    CHECK_THAT(create_error(options),
               Catch::StartsWith("tls.cert_pem: holds no certificate in PEM form"));
  }
  SECTION("no key") {
    options.cert_pem = own.certificate;
    options.key_pem = config::Secret("nothing");
    CHECK_THAT(create_error(options),
               Catch::StartsWith("tls.key_pem: holds no private key in PEM form"));
  }
  SECTION("another key") {
    options.cert_pem = own.certificate;
    options.key_pem = config::Secret(other.key);
    CHECK_THAT(create_error(options),
               Catch::StartsWith("tls.key_pem: does not belong to the certificate"));
  }
}

TEST_CASE("certificates are read again after reload_interval, and broken files leave the old ones",
          "[tls_client]") {
  Loop loop;
  const test::TemporaryFile file(authority().certificate);
  TlsClientOptions options;
  options.ca_file = file.path();
  options.reload_interval = 1ns;
  const Certificate second = make_certificate({.name = "second authority", .authority = true});
  const auto answer = [](const HttpServer::Seen&) {
    return HttpServer::Answer{.bytes = test::http_response("200 OK")};
  };
  HttpServer first_server({.tls = certificate_for("localhost")}, answer);
  HttpServer second_server({.tls = make_certificate({.issuer = &second})}, answer);
  const std::shared_ptr<TlsClient> tls = create(options);
  const auto post_to = [&](const HttpServer& server) {
    HttpClient client(
        loop.loop,
        {.scheme = "https", .host = "localhost", .port = server.port(), .keep_alive = false}, tls);
    return test::start_post(client, request_of(body_of("x"))).get().status;
  };
  CHECK(post_to(first_server) == 200);
  CHECK(post_to(second_server) == 0);
  file.write(second.certificate);
  CHECK(post_to(second_server) == 200);
  CHECK(post_to(first_server) == 0);
  file.write("broken");
  CHECK(post_to(second_server) == 200);
}

TEST_CASE("mistakes in a tls block are named", "[tls_client]") {
  CHECK(decode_errors(
            "{insecure: true, min_version: \"1.3\", cipher_suites: [TLS_AES_128_GCM_SHA256]}")
            .empty());
  CHECK(decode_errors("{min_version: \"1.1\"}") ==
        std::vector<std::string>{
            "test.yaml:1:15: min_version: expected \"1.2\" or \"1.3\", found \"1.1\" as text"});
  CHECK(
      decode_errors("{min_version: \"1.3\", max_version: \"1.2\"}") ==
      std::vector<std::string>{"test.yaml:1:35: max_version: must not be lower than min_version"});
  CHECK(decode_errors("{cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}") ==
        std::vector<std::string>{"test.yaml:1:17: cipher_suites: unknown or insecure cipher suite "
                                 "\"TLS_RSA_WITH_RC4_128_SHA\"; expected names such as "
                                 "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"});
  CHECK(decode_errors("{curve_preferences: [P224]}") ==
        std::vector<std::string>{"test.yaml:1:21: curve_preferences: unknown curve \"P224\"; "
                                 "expected X25519, P256, P384 or P521"});
  CHECK(decode_errors("{ca_file: a, ca_pem: b}") ==
        std::vector<std::string>{"test.yaml:1:11: ca_file: give ca_file or ca_pem, not both"});
  CHECK(decode_errors("{tpm: {enabled: true}}") ==
        std::vector<std::string>{
            "test.yaml:1:7: tpm: keys in a TPM are not supported; name a key_file"});
  CHECK(decode_errors("{reload_interval: -1s}") ==
        std::vector<std::string>{"test.yaml:1:19: reload_interval: must not be negative"});
  CHECK(decode_errors("{cert_file: a}").size() == 1);
  CHECK(decode_errors("{ca_fil: a}") ==
        std::vector<std::string>{"test.yaml:1:2: ca_fil: unknown key; did you mean \"ca_file\"?"});
}

}  // namespace sluice::net
