// What is under way to the agent's doors when the daemon stops.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "pipeline/countdown.h"
#include "pipeline/graph.h"
#include "pipeline/net/listen_socket.h"
#include "receivers/jaeger/jaeger.h"
#include "test/support/jaeger_model.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

class CountingExporter final : public Exporter {
 public:
  explicit CountingExporter(std::atomic<std::uint64_t>& spans) : spans_(spans) {}
  bool start(std::string&) override { return true; }
  void stop(Task done) override { done(); }
  std::uint64_t held() const override { return 0; }
  void consume(SpanBatch batch, Ack ack) override { commit(std::move(batch), {}, std::move(ack)); }
  std::optional<Answer> reserve(const Load&) override { return std::nullopt; }
  void commit(SpanBatch batch, const Load&, Ack ack) override {
    spans_ += batch.span_count();
    ack.accepted();
  }
  void cancel(const Load&) override {}

 private:
  std::atomic<std::uint64_t>& spans_;
};

net::Descriptor connect_to(const char* address, std::uint16_t port) {
  net::Descriptor made(::socket(AF_INET, SOCK_DGRAM, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  REQUIRE(::inet_pton(AF_INET, address, &to.sin_addr) == 1);
  REQUIRE(::connect(made.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  return made;
}

void send(const net::Descriptor& socket, const std::string& bytes, int times) {
  for (int i = 0; i < times; ++i) {
    REQUIRE(::send(socket.get(), bytes.data(), bytes.size(), 0) ==
            static_cast<ssize_t>(bytes.size()));
  }
}

/// Keeps a loop from whatever else it has to do until it is let go.
class Hold {
 public:
  explicit Hold(net::EventLoop& loop) {
    std::promise<void> entered;
    loop.post([&entered, open = open_.get_future().share()] {
      entered.set_value();
      open.wait();
    });
    entered.get_future().wait();
  }
  void let_go() { open_.set_value(); }

 private:
  std::promise<void> open_;
};

constexpr std::string_view configuration = R"(
receivers:
  jaeger:
    protocols:
      thrift_compact: {endpoint: "127.0.0.1:0"}
      thrift_binary: {endpoint: "127.0.0.2:0"}
exporters: {counting: }
service: {pipelines: {traces: {receivers: [jaeger], exporters: [counting]}}}
)";

ComponentTable table_of(std::atomic<std::uint64_t>& spans) {
  ComponentTable table;
  table.receivers = {jaeger_receiver()};
  table.exporters.push_back({{"counting",
                              [&spans](const config::Node&) -> Decoded<ExporterBuilder> {
                                return ExporterBuilder(
                                    [&spans](const ExporterContext&) -> std::unique_ptr<Exporter> {
                                      return std::make_unique<CountingExporter>(spans);
                                    });
                              },
                              {}}});
  return table;
}

}  // namespace

TEST_CASE("datagrams that wait when the daemon stops are taken, whichever worker has them",
          "[jaeger_receiver]") {
  constexpr int count = 100;
  std::atomic<std::uint64_t> spans = 0;
  Metrics metrics;
  Ledger ledger(64 << 20);
  net::EventLoops loops(3);
  net::Listeners doors(loops, ledger, metrics), own(loops, ledger, metrics);
  config::Problems problems;
  const auto graph = Graph::build(config::load_text(configuration, "test.yaml", problems),
                                  table_of(spans), {loops, doors, own, ledger, metrics}, problems);
  REQUIRE(graph != nullptr);
  loops.start();
  std::string error;
  REQUIRE(graph->start(error));
  // The first door lives on loop 0, where receivers are stopped, and deals out to the others.
  Hold first(loops[0]), second(loops[1]), third(loops[2]);
  const auto compact =
      connect_to("127.0.0.1", doors.datagram_port(*net::Endpoint::parse("127.0.0.1:0")));
  const auto binary =
      connect_to("127.0.0.2", doors.datagram_port(*net::Endpoint::parse("127.0.0.2:0")));
  send(compact, jaeger_model::compact_message({}), count);
  send(binary, jaeger_model::binary_message({}), count);

  std::future<std::uint64_t> left =
      std::async(std::launch::async, [&] { return graph->stop(60s, {}); });
  first.let_go();
  while (::send(compact.get(), "", 0, 0) == 0 || errno != ECONNREFUSED) std::this_thread::yield();
  run_on(loops[0], [] {});
  second.let_go();
  third.let_go();
  CHECK(left.get() == 0);
  loops.stop();

  CHECK(spans == 2 * count);
  for (const char* transport : {"udp_thrift_compact", "udp_thrift_binary"}) {
    CHECK(metrics.value("otelcol_receiver_accepted_spans",
                        {{"receiver", "jaeger"}, {"transport", transport}}) == count);
    for (const char* reason : {"overload", "busy"}) {
      CHECK(metrics.value("sluice_datagrams_dropped",
                          {{"receiver", "jaeger"}, {"transport", transport}, {"reason", reason}}) ==
            0);
    }
  }
}

}  // namespace sluice::test
