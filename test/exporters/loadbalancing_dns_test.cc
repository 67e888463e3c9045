#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "exporters/loadbalancing/loadbalancing.h"
#include "test/exporters/loadbalancing_traces.h"
#include "test/support/exporter_fixture.h"
#include "test/support/h2_server.h"
#include "test/support/names.h"

using namespace sluice;
using namespace sluice::test;
using Addresses = std::vector<std::string>;

namespace {

/// The exporter, whose members are what a name stands for. At 127.0.0.1 there is a member, at other
/// addresses nobody.
struct Tier {
  explicit Tier(Addresses addresses, const std::string& times = "interval: 1ms, timeout: 1h") {
    name_is(std::move(addresses));
    exporter = std::make_unique<ExporterFixture>(
        loadbalancing_exporter(),
        "{protocol: {otlp: {tls: {insecure: true}, compression: none, "
        "retry_on_failure: {initial_interval: 1ms, max_interval: 1ms}}}, resolver: {dns: "
        "{hostname: tier.test, port: " +
            std::to_string(member.port()) + ", " + times + "}}}");
    on_loop([this] {
      std::string error;
      CHECK(exporter->exporter->start(error));
    });
  }

  void name_is(Addresses addresses) { set_name("tier.test", std::move(addresses)); }
  /// Until the exporter has been told what the name stands for now.
  void settles() {
    wait_for_lookups(2);
    on_loop([] {});
  }
  void on_loop(Task task) {
    std::promise<void> done;
    exporter->loops[0].post([&] {
      task();
      done.set_value();
    });
    done.get_future().get();
  }
  /// Until so many look-ups have gone well, or not.
  void wait_for(const std::string& success, double count) {
    while (resolutions(success) < count) on_loop([] {});
    on_loop([] {});  // counted first, told then
  }
  double resolutions(const std::string& success) const {
    return exporter->metrics.value("otelcol_loadbalancer_num_resolutions",
                                   {{"resolver", "dns"}, {"success", success}});
  }
  double backends() const { return exporter->metrics.value("otelcol_loadbalancer_num_backends"); }
  double updates() const {
    return exporter->metrics.value("otelcol_loadbalancer_num_backend_updates");
  }
  std::size_t arrived() const {
    std::size_t spans = 0;
    for (const H2Server::Seen& seen : member.seen())
      spans += parse_batch(seen.body.substr(5)).span_count();
    return spans;
  }

  H2Server member{[](const H2Server::Seen&) {
    H2Server::Answer answer;
    answer.trailers = {{"grpc-status", "0"}};
    answer.body = grpc_message("");
    return answer;
  }};
  std::unique_ptr<ExporterFixture> exporter;
};

}  // namespace

TEST_CASE("loadbalancing: members come and go with what their name stands for", "[loadbalancing]") {
  Tier tier({"127.0.0.1"});
  tier.settles();
  CHECK(tier.backends() == 1);
  tier.exporter->send(traces(1, 50));
  tier.name_is({"127.0.0.3", "127.0.0.1", "127.0.0.2"});
  tier.settles();
  CHECK(tier.backends() == 3);
  tier.exporter->send(traces(51, 100));  // some of these wait for the two that nobody is at
  tier.name_is({"127.0.0.2", "127.0.0.1"});
  tier.settles();
  CHECK(tier.backends() == 2);
  CHECK(tier.exporter->exporter->held() > 0);
  tier.name_is({"127.0.0.1"});
  tier.settles();
  CHECK(tier.backends() == 1);
  CHECK(tier.updates() == 4);
  tier.exporter->stop();
  CHECK(tier.arrived() == 100);
  CHECK(tier.exporter->counters.out.value() == 100);
}

TEST_CASE("loadbalancing: the order of addresses and their repetition are no change",
          "[loadbalancing]") {
  Tier tier({"127.0.0.1", "127.0.0.2"});
  tier.settles();
  tier.name_is({"127.0.0.2", "127.0.0.1", "127.0.0.2"});
  tier.settles();
  CHECK(tier.backends() == 2);
  CHECK(tier.updates() == 1);
  tier.name_is({"127.0.0.1"});
  tier.exporter->stop();
}

TEST_CASE("loadbalancing: a name that is not found any more leaves the members as they were",
          "[loadbalancing]") {
  Tier tier({"127.0.0.1"});
  tier.settles();
  tier.name_is({});
  tier.settles();
  CHECK(tier.resolutions("false") > 0);
  CHECK(tier.backends() == 1);
  tier.exporter->send(traces(1, 10));
  tier.exporter->stop();
  CHECK(tier.arrived() == 10);
}

TEST_CASE("loadbalancing: a look-up that takes too long has failed, and what it brings is late",
          "[loadbalancing]") {
  auto held = std::make_unique<LookupsHeld>();
  Tier tier({"127.0.0.1", "127.0.0.2"}, "interval: 1ms, timeout: 20ms");
  tier.wait_for("false", 1);
  tier.name_is({"127.0.0.1"});
  held.reset();
  tier.wait_for("true", 1);
  CHECK(tier.backends() == 1);
  CHECK(tier.updates() == 1);
  tier.exporter->send(traces(1, 10));
  tier.exporter->stop();
  CHECK(tier.arrived() == 10);
}
