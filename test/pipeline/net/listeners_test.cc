#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/net/connection_caps.h"
#include "test/support/net_service.h"
#include "test/support/socket_client.h"

namespace sluice::net {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::GrpcSocketClient;
using test::NetService;
using test::SocketClient;

constexpr std::string_view method = "/test.Traces/Export";
const Endpoint any_port{"127.0.0.1", 0, ""};

/// Open listeners on real loops, stopped in the order that the daemon keeps.
class Daemon {
 public:
  explicit Daemon(std::size_t loop_count = 1)
      : loops(loop_count), listeners(loops, ledger, metrics) {}
  ~Daemon() {
    stop();
    loops.stop();
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  void open(const ServerOptions& options = {}, const Endpoint& endpoint = any_port) {
    std::string error;
    REQUIRE(listeners.route("test", endpoint, options, "/v1/traces", {}, service, error));
    REQUIRE(listeners.route("test", endpoint, options, std::string(method), {}, service, error));
    loops.start();
    REQUIRE(listeners.open(error));
    REQUIRE(error == "");
    port = listeners.port(endpoint);
  }
  /// False when connections had to be cut off.
  void stop(std::chrono::nanoseconds deadline = seconds(5)) {
    std::promise<void> done;
    listeners.stop(deadline, [&] { done.set_value(); });
    done.get_future().get();
  }
  /// Until the metric has the value, which another thread will see to.
  bool becomes(double value, const std::string& name, const Labels& labels = {}) const {
    for (int turn = 0; turn < 10'000; ++turn) {
      if (metrics.value(name, labels) == value) return true;
      std::this_thread::yield();
      ::usleep(100);
    }
    return false;
  }

  NetService service;
  Metrics metrics;
  Ledger ledger{128 << 20};
  EventLoops loops;
  Listeners listeners;
  std::uint16_t port = 0;
};

std::string post(std::string_view body, std::string_view more = {}) {
  return "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + std::string(more) + "\r\n" + std::string(body);
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-net-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path;
};

}  // namespace

TEST_CASE("one port speaks HTTP/1.1, HTTP/2 and gRPC", "[listeners]") {
  Daemon daemon;
  daemon.open();
  SocketClient http1(daemon.port);
  http1.send(post("hello"));
  CHECK_THAT(http1.receive_until("seen"), EndsWith("seen 5"));
  GrpcSocketClient grpc(daemon.port);
  CHECK(grpc.call(method, std::string(3 << 20, 'x')).trailer("grpc-status") == "0");
  CHECK(grpc.call(method, "small").trailer("grpc-status") == "0");
  const std::int32_t stream = grpc.peer.post("/v1/traces", "over h2");
  CHECK(grpc.run_until([&] { return grpc.peer.reply(stream).ended; }));
  CHECK(grpc.peer.reply(stream).data == "seen 7");
}

TEST_CASE("connections are dealt out to all loops", "[listeners]") {
  Daemon daemon(3);
  daemon.open();
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int index = 0; index < 6; ++index) {
    clients.push_back(std::make_unique<SocketClient>(daemon.port));
    clients.back()->send(post("x"));
    clients.back()->receive_until("seen");
  }
  std::multiset<std::size_t> workers;
  for (const auto& seen : daemon.service.seen) workers.insert(seen.worker);
  CHECK(workers == std::multiset<std::size_t>{0, 0, 1, 1, 2, 2});
}

TEST_CASE("an answer may come from any thread", "[listeners]") {
  Daemon daemon(2);
  daemon.service.hold = true;
  daemon.open();
  SocketClient client(daemon.port);
  client.send(post("x"));
  std::thread answering([&] {
    for (;;) {
      const std::lock_guard lock(daemon.service.mutex);
      if (daemon.service.held.empty()) continue;
      Response response;
      response.body = "from elsewhere";
      daemon.service.held.front().send(std::move(response));
      daemon.service.held.clear();
      return;
    }
  });
  CHECK_THAT(client.receive_until("elsewhere"), EndsWith("from elsewhere"));
  answering.join();
}

TEST_CASE("an answer larger than the socket takes is sent as the reader makes room",
          "[listeners]") {
  Daemon daemon;
  Response large;
  large.body = std::string(20 << 20, 'l');
  daemon.service.answer = large;
  daemon.open();
  SocketClient client(daemon.port);
  client.send(post("x", "Connection: close\r\n"));
  const std::string all = client.receive_to_end();
  CHECK(all.size() > large.body.size());
  CHECK(all.ends_with(large.body.substr(0, 1000)));
  GrpcSocketClient grpc(daemon.port);
  CHECK(grpc.call(method, "x").data.size() == large.body.size() + 5);
}

TEST_CASE("a reader that takes nothing is cut off after the write time", "[listeners]") {
  Daemon daemon;
  Response large;
  large.body = std::string(50 << 20, 'l');
  daemon.service.answer = large;
  ServerOptions options;
  options.write_timeout = milliseconds(50);
  daemon.open(options);
  SocketClient client(daemon.port);
  client.send(post("x"));
  CHECK(daemon.becomes(1, "sluice_connections_ended", {{"reason", "timeout"}}));
  CHECK(daemon.becomes(0, "sluice_connections"));
}

TEST_CASE("a refusal reaches a client that is still sending", "[listeners]") {
  Daemon daemon;
  daemon.service.body_bytes_max = 1000;
  daemon.open();
  SocketClient client(daemon.port);
  client.send("POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Length: 50000000\r\n\r\n" +
              std::string(5'000'000, 'x'));
  CHECK_THAT(client.receive_to_end(), Contains("HTTP/1.1 413 "));
}

TEST_CASE("timeouts are looked after without traffic", "[listeners]") {
  Daemon daemon;
  ServerOptions options;
  options.header_timeout = milliseconds(40);
  daemon.open(options);
  SocketClient client(daemon.port);
  CHECK(client.receive_to_end().empty());
  CHECK(daemon.becomes(0, "sluice_connections"));
}

TEST_CASE("connections over the cap are closed as they come", "[listeners]") {
  Daemon daemon;
  ServerOptions options;
  options.connections_max = 3;
  daemon.open(options);
  {
    std::vector<std::unique_ptr<SocketClient>> clients;
    for (int index = 0; index < 3; ++index) {
      clients.push_back(std::make_unique<SocketClient>(daemon.port));
      clients.back()->send(post("x"));
      CHECK_FALSE(clients.back()->receive_until("seen").empty());
    }
    SocketClient fourth(daemon.port);
    CHECK(fourth.receive_to_end().empty());
    CHECK(daemon.metrics.value("sluice_connections_refused", {{"reason", "connections_max"}}) == 1);
  }
  CHECK(daemon.becomes(0, "sluice_connections"));
  SocketClient later(daemon.port);
  later.send(post("x"));
  CHECK_FALSE(later.receive_until("seen").empty());
}

TEST_CASE("one peer has a share of the connections, loopback is exempt", "[listeners]") {
  ServerOptions options;
  options.connections_max = 5;
  options.connections_per_peer_max = 2;
  ConnectionCaps caps(options);
  using Verdict = ConnectionCaps::Verdict;
  CHECK(caps.admit("192.0.2.1") == Verdict::admitted);
  CHECK(caps.admit("192.0.2.1") == Verdict::admitted);
  CHECK(caps.admit("192.0.2.1") == Verdict::too_many_of_peer);
  CHECK(caps.admit("192.0.2.2") == Verdict::admitted);
  caps.closed("192.0.2.1");
  CHECK(caps.admit("192.0.2.1") == Verdict::admitted);
  CHECK(caps.admit("127.0.0.1") == Verdict::admitted);
  CHECK(caps.admit("127.0.0.1") == Verdict::admitted);
  CHECK(caps.admit("127.0.0.1") == Verdict::too_many);
  CHECK(caps.admit("192.0.2.3") == Verdict::too_many);
  for (const char* peer : {"192.0.2.1", "192.0.2.1", "192.0.2.2", "127.0.0.1", "127.0.0.1"})
    caps.closed(peer);
  CHECK(caps.count() == 0);
  for (const char* peer : {"", "", "::1", "::1", "127.0.0.9"})
    CHECK(caps.admit(peer) == Verdict::admitted);
}

#ifndef __SANITIZE_ADDRESS__
// UBSan, which goes with ASan here, opens a pipe to look at an object's type, and finds no
// descriptor for it. Not under the address and undefined-behaviour sanitizers: their check of
// virtual tables asks the kernel through a pipe whether memory can be read, and without descriptors
// takes the failure for a broken table.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("without descriptors connections are refused, and taken again when there are some",
          "[listeners]") {
  Daemon daemon;
  daemon.open();
  SocketClient(daemon.port).send("x");  // so that everything that opens files lazily has done so
  CHECK(daemon.becomes(0, "sluice_connections"));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  std::vector<int> all;
  const auto open_one = [&all] {
    all.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return all.back() >= 0;
  };
  REQUIRE(open_one());
  const rlimit low{static_cast<rlim_t>(all.back() + 8), before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &low);
  while (open_one()) {
  }
  all.pop_back();
  ::close(all.back());  // the client's descriptor; the server's side finds none
  all.pop_back();
  {
    SocketClient refused(daemon.port);
    CHECK(refused.receive_to_end().empty());
  }
  for (const int number : all) ::close(number);
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(daemon.metrics.value("sluice_connections_refused", {{"reason", "descriptors"}}) >= 1);
  SocketClient after(daemon.port);
  after.send(post("x"));
  CHECK_FALSE(after.receive_until("seen").empty());
}
#endif
#endif

TEST_CASE("stopping answers what is under way, tells clients and frees the port", "[listeners]") {
  Daemon daemon(2);
  daemon.service.hold = true;
  daemon.open();
  SocketClient idle(daemon.port);
  SocketClient busy(daemon.port);
  busy.send(post("x"));
  GrpcSocketClient grpc(daemon.port);
  const std::int32_t stream = grpc.peer.grpc(method, "x");
  std::thread grpc_reader([&] { grpc.run_until([&] { return grpc.peer.reply(stream).ended; }); });
  for (;;) {
    const std::lock_guard lock(daemon.service.mutex);
    if (daemon.service.held.size() == 2) break;
  }
  std::promise<void> stopped;
  daemon.listeners.stop(seconds(10), [&] { stopped.set_value(); });
  std::future<void> future = stopped.get_future();
  CHECK(idle.receive_to_end().empty());
  CHECK(future.wait_for(milliseconds(1)) == std::future_status::timeout);
  {
    const std::lock_guard lock(daemon.service.mutex);
    for (Reply& reply : daemon.service.held) reply.send({});
  }
  CHECK_THAT(busy.receive_to_end(), Contains("connection: close"));
  grpc_reader.join();
  CHECK(grpc.peer.reply(stream).trailer("grpc-status") == "0");
  CHECK_FALSE(grpc.run_until([] { return false; }));
  CHECK(grpc.peer.goaway() == 0);
  future.get();
  CHECK_FALSE(SocketClient(daemon.port).connected());
}

TEST_CASE("what does not end by the deadline is cut off", "[listeners]") {
  Daemon daemon;
  daemon.service.hold = true;
  daemon.open();
  SocketClient busy(daemon.port);
  busy.send(post("x"));
  for (;;) {
    const std::lock_guard lock(daemon.service.mutex);
    if (!daemon.service.held.empty()) break;
  }
  daemon.stop(milliseconds(10));
  CHECK(busy.receive_to_end().empty());
  daemon.service.held.clear();
}

TEST_CASE("listeners that were never opened stop at once", "[listeners]") {
  Daemon daemon;
  bool done = false;
  daemon.listeners.stop(seconds(1), [&] { done = true; });
  CHECK(done);
}

TEST_CASE("paths are shared by address, clashes are errors", "[listeners]") {
  Daemon daemon;
  std::string error;
  const ServerOptions options;
  CHECK(daemon.listeners.route("one", any_port, options, "/a", {}, daemon.service, error));
  CHECK(daemon.listeners.route("two", any_port, options, "/b", {}, daemon.service, error));
  CHECK(error == "");
  CHECK_FALSE(daemon.listeners.route("two", any_port, options, "/a", {}, daemon.service, error));
  CHECK(error == "127.0.0.1:0/a is taken by one");
  ServerOptions other;
  other.streams_max = 7;
  CHECK_FALSE(daemon.listeners.route("three", any_port, other, "/c", {}, daemon.service, error));
  CHECK(error == "127.0.0.1:0 is shared with one, which has other limits or timeouts");
}

TEST_CASE("an address of the doors is refused to the own pages, and the other way round",
          "[listeners]") {
  Metrics metrics;
  Ledger ledger(1 << 20);
  EventLoops loops(1);
  Listeners doors(loops, ledger, metrics), own(loops, ledger, metrics);
  doors.keep_apart(own);
  NetService service;
  std::string error;
  const auto offer = [&](Listeners& listeners, const char* component, const char* endpoint,
                         const char* path) {
    return listeners.route(component, *Endpoint::parse(endpoint), {}, path, {}, service, error);
  };
  CHECK(offer(doors, "otlp", "127.0.0.1:4318", "/v1/traces"));
  CHECK_FALSE(offer(own, "health_check", "127.0.0.1:4318", "/"));
  CHECK(error == "127.0.0.1:4318 is taken by otlp");
  CHECK(offer(own, "health_check", "127.0.0.1:13133", "/"));
  CHECK_FALSE(offer(doors, "zipkin", "127.0.0.1:13133", "/api/v2/spans"));
  CHECK(error == "127.0.0.1:13133 is taken by health_check");
  // Any port is a different one for each.
  CHECK(offer(doors, "otlp", "127.0.0.1:0", "/v1/traces"));
  CHECK(offer(own, "health_check", "127.0.0.1:0", "/"));
}

TEST_CASE("the star takes what no other path does, but no gRPC", "[listeners]") {
  Daemon daemon;
  NetService rest;
  std::string error;
  REQUIRE(daemon.listeners.route("rest", any_port, {}, "*", {}, rest, error));
  daemon.open();
  SocketClient client(daemon.port);
  client.send("GET /anything HTTP/1.1\r\nHost: t\r\n\r\n");
  client.receive_until("seen");
  client.send(post("x"));
  client.receive_until("seen");
  GrpcSocketClient grpc(daemon.port);
  CHECK(grpc.call("/other.Service/M", "x").field("grpc-status") == "12");
  CHECK(rest.heads == std::vector<std::string>{"GET /anything"});
  CHECK(daemon.service.seen.size() == 1);
}

TEST_CASE("a port in use is an error that says so", "[listeners]") {
  Daemon first;
  first.open();
  Daemon second;
  const Endpoint taken{"127.0.0.1", first.port, ""};
  std::string error;
  REQUIRE(second.listeners.route("test", taken, {}, "/", {}, second.service, error));
  CHECK_FALSE(second.listeners.open(error));
  CHECK(error ==
        "cannot listen on 127.0.0.1:" + std::to_string(first.port) + ": Address already in use");
}

TEST_CASE("localhost is served on both loopback addresses where there are two", "[listeners]") {
  Daemon daemon;
  daemon.open({}, Endpoint{"localhost", 0, ""});
  SocketClient client(daemon.port);
  client.send(post("x"));
  CHECK_FALSE(client.receive_until("seen").empty());
}

TEST_CASE("unix sockets are served; stale ones replaced, live ones and files left alone",
          "[listeners]") {
  const TemporaryFolder folder;
  const std::string path = folder.path + "/door.sock";
  {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(::bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::close(stale);
  }
  const auto refused = [](const std::string& at) {
    Daemon daemon;
    std::string error;
    REQUIRE(
        daemon.listeners.route("test", Endpoint{"", 0, at}, {}, "/", {}, daemon.service, error));
    CHECK_FALSE(daemon.listeners.open(error));
    return error;
  };
  {
    Daemon daemon;
    daemon.open({}, Endpoint{"", 0, path});
    SocketClient client(path);
    client.send(post("x"));
    CHECK_FALSE(client.receive_until("seen").empty());
    CHECK(refused(path) == "cannot listen on unix://" + path + ": another process listens there");
  }
  CHECK_FALSE(std::filesystem::exists(path));
  const std::string file = folder.path + "/file";
  ::close(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  CHECK(refused(file) == "cannot listen on unix://" + file + ": the file exists and is no socket");
  CHECK(std::filesystem::exists(file));
  CHECK_THAT(refused(folder.path + std::string(100, 'x')), Contains("at most 107 bytes"));
}

TEST_CASE("endpoints are written as users write them", "[listeners]") {
  const auto parsed = [](std::string_view text) {
    const std::optional<Endpoint> endpoint = Endpoint::parse(text);
    return endpoint ? endpoint->to_string() : "refused";
  };
  for (const std::string_view text : {"127.0.0.1:4317", "localhost:4317", "[::1]:4317", ":4317",
                                      "0.0.0.0:0", "unix:///run/s.sock"}) {
    CHECK(parsed(text) == text);
  }
  CHECK(parsed("unix:/run/s.sock") == "unix:///run/s.sock");
  for (const std::string_view text : {"", "4317", "localhost", "host:", "host:x", "host:65536",
                                      "::1:4317", "[]:1", "http://h:1", "unix:"}) {
    CHECK(parsed(text) == "refused");
  }
  CHECK(Endpoint{"localhost", 1, ""}.is_loopback());
  CHECK(Endpoint{"127.0.0.2", 1, ""}.is_loopback());
  CHECK(Endpoint{"::1", 1, ""}.is_loopback());
  CHECK(Endpoint{"", 0, "/run/s.sock"}.is_loopback());
  CHECK_FALSE(Endpoint{"", 1, ""}.is_loopback());
  CHECK_FALSE(Endpoint{"0.0.0.0", 1, ""}.is_loopback());
}

}  // namespace sluice::net
