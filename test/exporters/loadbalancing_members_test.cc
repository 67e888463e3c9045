#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "exporters/loadbalancing/balancer.h"
#include "pipeline/fanout.h"
#include "test/exporters/loadbalancing_traces.h"
#include "test/pipeline/export/export_fixture.h"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;
using loadbalancing::Balancer;
using Kind = SendResult::Kind;
using Names = std::vector<std::string>;

namespace {

const Names all_three = {"sampler-1:4317", "sampler-2:4317", "sampler-3:4317"};

/// A balancer over destinations of the test's own, on a clock of its own.
struct BalancerFixture {
  BalancerFixture() {
    options.source = loadbalancing::StaticMembers{all_three};
    options.exporting.retry.jitter_seed = 1;
  }

  void start() {
    balancer = std::make_shared<Balancer>(
        context(), options, [this](const std::string& endpoint, const ExporterContext&) {
          return std::make_unique<FakeSender>(at(endpoint));
        });
    balancer->start();
  }
  ExporterContext context() { return {{"lb", executor, metrics, ledger}, counters, loops}; }
  Destination& at(const std::string& endpoint) { return destinations[endpoint]; }
  void all_take() {
    for (const std::string& each : all_three)
      at(each).reply = [](const SpanBatch&) { return SendResult{}; };
  }
  void consume(SpanBatch batch, Ack ack = {}) {
    balancer->consume(std::move(batch), std::move(ack));
    executor.run();
  }
  void members(Names endpoints) {
    balancer->resolved(std::move(endpoints));
    executor.run();
  }
  /// Answers what the endpoint has waiting.
  void answer(const std::string& endpoint, const SendResult& result = {}) {
    while (!at(endpoint).waiting.empty()) {
      at(endpoint).answer(result);
      executor.run();
    }
  }
  /// Names of all spans that were sent there, attempt by attempt.
  Names sent(const std::string& endpoint) {
    Names names;
    for (const SpanBatch& batch : at(endpoint).sent) {
      for (std::string& name : span_names(batch)) names.push_back(std::move(name));
    }
    return names;
  }
  bool conserved() {
    double refused = 0;
    for (const char* reason : {"overload", "no_members", "unavailable", "permanent"}) {
      refused += static_cast<double>(counters.refused(reason).value());
    }
    return static_cast<double>(counters.in.value()) ==
           static_cast<double>(counters.out.value() + counters.dropped.value()) + refused +
               static_cast<double>(counters.held.value());
  }

  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger{1 << 30};
  net::EventLoops loops{1};
  SpanCounters counters{metrics, "exporter", "lb"};
  std::map<std::string, Destination> destinations;
  loadbalancing::BalancerOptions options;
  std::shared_ptr<Balancer> balancer;
};

}  // namespace

TEST_CASE("loadbalancing: a batch is split, and each member gets whole traces of its own",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.all_take();
  fixture.start();
  CaptureAnswer answer;
  fixture.consume(traces(1, 10), answer.ack());
  CHECK(fixture.sent("sampler-1:4317") == Names{"6", "8"});
  CHECK(fixture.sent("sampler-2:4317") == Names{"2", "3", "5", "7", "10"});
  CHECK(fixture.sent("sampler-3:4317") == Names{"1", "4", "9"});
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::accepted);
  CHECK(fixture.counters.in.value() == 10);
  CHECK(fixture.counters.out.value() == 10);
  CHECK(fixture.conserved());
  CHECK(fixture.metrics.value("otelcol_exporter_queue_capacity") == 3000);
}

TEST_CASE("loadbalancing: a full queue of one member refuses the whole and keeps nothing of it",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.options.exporting.queue.queue_size = 1;
  fixture.start();
  fixture.consume(traces(1, 1));  // for the third
  CaptureAnswer answer;
  fixture.consume(traces(1, 10), answer.ack());
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::retry_later);
  CHECK(fixture.sent("sampler-1:4317").empty());
  CHECK(fixture.sent("sampler-2:4317").empty());
  CHECK(fixture.counters.refused("overload").value() == 10);
  CHECK(fixture.balancer->held() == 1);
  CHECK(fixture.conserved());
  fixture.answer("sampler-3:4317");
  fixture.consume(traces(1, 10), answer.ack());
  CHECK(answer.answers.at(1).verdict == Verdict::accepted);
  CHECK(fixture.sent("sampler-1:4317") == Names{"6", "8"});
}

TEST_CASE("loadbalancing: what is not required to keep drops its own part alone",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.options.exporting.queue.queue_size = 1;
  fixture.options.exporting.queue.required = false;
  fixture.start();
  fixture.consume(traces(1, 1));
  fixture.consume(traces(1, 10));
  CHECK(fixture.sent("sampler-1:4317") == Names{"6", "8"});
  CHECK(fixture.counters.dropped.value() == 3);
  CHECK(fixture.conserved());
}

TEST_CASE("loadbalancing: beside another exporter it promises room before either keeps anything",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.options.exporting.queue.queue_size = 1;
  fixture.start();
  CaptureConsumer other;
  const auto fanout = make_fanout({fixture.balancer.get(), &other});
  CaptureAnswer answer;
  SECTION("a full member refuses for all") {
    fixture.consume(traces(1, 1));
    fanout->consume(traces(2, 2), answer.ack());
    CHECK(answer.answers.at(0).verdict == Verdict::retry_later);
    CHECK(other.batches.empty());
  }
  SECTION("when the other refuses, the room is given back") {
    other.refuse = Answer{Verdict::retry_later, {}, "no"};
    fanout->consume(traces(1, 10), answer.ack());
    CHECK(answer.answers.at(0).verdict == Verdict::retry_later);
    other.refuse.reset();
    fanout->consume(traces(1, 10), answer.ack());
    CHECK(answer.answers.at(1).verdict == Verdict::accepted);
  }
  SECTION("members that get no part give it back too") {
    fanout->consume(traces(1, 1), answer.ack());
    fixture.consume(traces(2, 2), answer.ack());
    CHECK(answer.answers.at(1).verdict == Verdict::accepted);
  }
  SECTION("nobody is known yet") {
    fixture.balancer = std::make_shared<Balancer>(fixture.context(), fixture.options, nullptr);
    const auto early = make_fanout({fixture.balancer.get(), &other});
    early->consume(traces(1, 10), answer.ack());
    CHECK(answer.answers.at(0).verdict == Verdict::retry_later);
    CHECK(other.batches.empty());
    CHECK(fixture.counters.refused("no_members").value() == 10);
  }
  fixture.executor.run();
  CHECK(other.reserved == 0);
  CHECK(fixture.conserved());
}

TEST_CASE("loadbalancing: a retry goes to the member that failed and to no other",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.all_take();
  fixture.at("sampler-2:4317").reply = nullptr;
  fixture.start();
  fixture.consume(traces(1, 10));
  fixture.answer("sampler-2:4317", failure(Kind::retry));
  fixture.executor.advance(10s);
  fixture.answer("sampler-2:4317");
  CHECK(fixture.at("sampler-1:4317").sent.size() == 1);
  CHECK(fixture.at("sampler-2:4317").sent.size() == 2);
  CHECK(fixture.at("sampler-3:4317").sent.size() == 1);
  CHECK(fixture.counters.out.value() == 10);
}

TEST_CASE("loadbalancing: what waits for a member that leaves is routed anew, once",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.options.exporting.queue.num_consumers = 1;
  fixture.start();
  fixture.consume(traces(1, 10));
  fixture.consume(traces(11, 20));
  // Under way to the second: 2 3 5 7 10. In its queue: what it gets of the next ten.
  const Names under_way = fixture.sent("sampler-2:4317");
  fixture.members({"sampler-1:4317", "sampler-3:4317"});
  fixture.answer("sampler-1:4317");
  fixture.answer("sampler-3:4317");
  CHECK(fixture.balancer->held() == 5);
  SECTION("what is under way and arrives is not sent again") {
    fixture.answer("sampler-2:4317");
    CHECK(fixture.balancer->held() == 0);
  }
  SECTION("what is under way and fails is") {
    fixture.answer("sampler-2:4317", failure(Kind::retry));
    CHECK(fixture.balancer->held() == 5);
    fixture.answer("sampler-1:4317");
    fixture.answer("sampler-3:4317");
    CHECK(fixture.balancer->held() == 0);
  }
  CHECK(fixture.at("sampler-2:4317").sent.size() == 1);
  CHECK(fixture.at("sampler-2:4317").stops == 1);
  CHECK(fixture.counters.in.value() == 20);
  CHECK(fixture.counters.out.value() == 20);
  CHECK(fixture.metrics.value("otelcol_exporter_queue_capacity") == 2000);
  CHECK(fixture.metrics.value("otelcol_exporter_queue_size") == 0);
}

TEST_CASE("loadbalancing: spans of others stay where they are when members come and go",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.all_take();
  fixture.start();
  fixture.consume(traces(1, 40));
  const Names first = fixture.sent("sampler-1:4317"), third = fixture.sent("sampler-3:4317");
  fixture.members({"sampler-1:4317", "sampler-3:4317"});
  fixture.consume(traces(1, 40));
  fixture.members(all_three);
  fixture.consume(traces(1, 40));
  const auto times = [&](const std::string& endpoint, const std::string& name) {
    return std::ranges::count(fixture.sent(endpoint), name);
  };
  for (const std::string& name : first) CHECK(times("sampler-1:4317", name) == 3);
  for (const std::string& name : third) CHECK(times("sampler-3:4317", name) == 3);
  CHECK(fixture.counters.out.value() == 120);
  CHECK(fixture.metrics.value("otelcol_loadbalancer_num_backends") == 3);
  CHECK(fixture.metrics.value("otelcol_loadbalancer_num_backend_updates") == 3);
  CHECK(fixture.metrics.value("otelcol_loadbalancer_num_resolutions", {{"success", "true"}}) == 3);
}

TEST_CASE("loadbalancing: room that was promised by a member that left is kept",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.all_take();
  fixture.start();
  const SpanBatch batch = traces(1, 10);
  REQUIRE_FALSE(fixture.balancer->reserve(Load::of(batch)));
  fixture.members({"sampler-1:4317", "sampler-3:4317"});
  CHECK(fixture.at("sampler-2:4317").stops == 0);
  CaptureAnswer answer;
  fixture.balancer->commit(batch, Load::of(batch), answer.ack());
  fixture.executor.run();
  CHECK(answer.answers.at(0).verdict == Verdict::accepted);
  CHECK(fixture.at("sampler-2:4317").sent.empty());
  CHECK(fixture.at("sampler-2:4317").stops == 1);
  CHECK(fixture.counters.out.value() == 10);
  CHECK(fixture.conserved());
}

TEST_CASE("loadbalancing: without a queue the answer is the members' own, all of them",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.options.exporting.queue.enabled = false;
  fixture.options.exporting.retry.enabled = false;
  fixture.all_take();
  fixture.at("sampler-2:4317").reply = nullptr;
  fixture.start();
  CaptureAnswer answer;
  fixture.consume(traces(1, 10), answer.ack());
  CHECK(answer.answers.empty());
  SECTION("taken") {
    fixture.answer("sampler-2:4317");
    CHECK(answer.answers.at(0).verdict == Verdict::accepted);
  }
  SECTION("not now") {
    fixture.answer("sampler-2:4317", failure(Kind::retry, 3s));
    CHECK(answer.answers.at(0).verdict == Verdict::retry_later);
    CHECK(answer.answers.at(0).delay == 3s);
  }
  SECTION("the member leaves: another one's answer counts") {
    fixture.members({"sampler-1:4317", "sampler-3:4317"});
    CHECK(answer.answers.empty());
    fixture.answer("sampler-2:4317", failure(Kind::retry));
    CHECK(answer.answers.at(0).verdict == Verdict::accepted);
    CHECK(fixture.counters.out.value() == 10);
  }
  CHECK(answer.answers.size() == 1);
  CHECK(fixture.balancer->held() == 0);
  CHECK(fixture.conserved());
}

TEST_CASE("loadbalancing: a queue ahead keeps what one member has no room for, and no more",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.options.exporting.queue.queue_size = 1;
  fixture.start();
  Metrics metrics;
  SpanCounters counters(metrics, "exporter", "front");
  ExportOptions options;
  options.retry.jitter_seed = 1;
  const auto front =
      make_exporter({{"front", fixture.executor, metrics, fixture.ledger}, counters, fixture.loops},
                    options, loadbalancing::make_offering_sender(fixture.balancer));
  front->consume(traces(1, 1), {});
  front->consume(traces(1, 10), {});
  fixture.executor.run();
  CHECK(fixture.sent("sampler-1:4317") == Names{"6", "8"});
  CHECK(fixture.sent("sampler-3:4317") == Names{"1"});
  CHECK(counters.out.value() == 8);
  CHECK(front->held() == 3);
  for (const std::string& each : all_three) fixture.answer(each);
  fixture.executor.advance(10s);
  CHECK(fixture.sent("sampler-1:4317") == Names{"6", "8"});
  CHECK(fixture.sent("sampler-3:4317") == Names{"1", "1", "4", "9"});
  CHECK(counters.out.value() == 11);
  CHECK(front->held() == 0);
}

TEST_CASE("loadbalancing: two names of one address are two places on the ring and one member",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.options.source = loadbalancing::StaticMembers{{"sampler-1", "sampler-1:4317"}};
  fixture.all_take();
  fixture.start();
  fixture.consume(traces(1, 10));
  CHECK(fixture.at("sampler-1:4317").sent.size() == 1);
  CHECK(fixture.counters.out.value() == 10);
}

TEST_CASE("loadbalancing: more members than there may be change nothing", "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.all_take();
  fixture.start();
  fixture.members(Names(Balancer::members_max + 1, "sampler-1:4317"));
  CHECK(fixture.metrics.value("otelcol_loadbalancer_num_backends") == 3);
  fixture.consume(traces(1, 10));
  CHECK(fixture.sent("sampler-2:4317").size() == 5);
}

TEST_CASE("loadbalancing: stop delivers what members hold, those that left first",
          "[loadbalancing]") {
  BalancerFixture fixture;
  fixture.start();
  fixture.consume(traces(1, 10));
  fixture.members({"sampler-1:4317", "sampler-3:4317"});
  int done = 0;
  fixture.balancer->stop([&] { ++done; });
  fixture.executor.run();
  CHECK(done == 0);
  fixture.answer("sampler-1:4317");
  fixture.answer("sampler-3:4317");
  CHECK(done == 0);
  fixture.answer("sampler-2:4317", failure(Kind::retry));
  fixture.answer("sampler-1:4317");
  fixture.answer("sampler-3:4317");
  CHECK(done == 1);
  CHECK(fixture.counters.out.value() == 10);
  for (const std::string& each : all_three) CHECK(fixture.at(each).stops == 1);
}

TEST_CASE("loadbalancing: whatever members do as they come and go, every span arrives once",
          "[loadbalancing]") {
  constexpr std::uint32_t seed = 20261125;
  CAPTURE(seed);
  std::mt19937 random(seed);
  BalancerFixture fixture;
  fixture.options.exporting.queue.num_consumers = 2;
  fixture.options.exporting.queue.queue_size = 5;
  fixture.options.exporting.queue.batch.enabled = GENERATE(false, true);
  fixture.options.exporting.queue.batch.min_size = 50;
  fixture.options.exporting.retry.max_elapsed_time = 0s;
  fixture.start();
  const Names pool = {"a:1", "b:1", "c:1", "d:1", "e:1"};
  std::multiset<std::string> accepted, arrived;
  std::uint64_t next = 1;
  const auto settle = [&](const std::string& endpoint, bool always) {
    Destination& destination = fixture.at(endpoint);
    if (destination.waiting.empty()) return;
    const bool taken = always || random() % 3 != 0;
    if (taken) {
      for (std::string& name : span_names(destination.waiting.front().batch)) {
        arrived.insert(std::move(name));
      }
    }
    destination.answer(taken ? SendResult{} : failure(Kind::retry));
    fixture.executor.run();
  };
  for (int step = 0; step < 2000; ++step) {
    switch (random() % 8) {
      case 0: {
        Names members;
        for (const std::string& each : pool) {
          if (random() % 2 == 0) members.push_back(each);
        }
        if (!members.empty()) fixture.members(members);
        break;
      }
      case 1: fixture.executor.advance(std::chrono::seconds(random() % 10)); break;
      case 2:
      case 3: {
        const std::uint64_t count = 1 + random() % 20;
        const SpanBatch batch = traces(next, next + count - 1);
        next += count;
        CaptureAnswer answer;
        fixture.consume(batch, answer.ack());
        if (answer.answers.at(0).verdict != Verdict::accepted) break;
        for (std::string& name : span_names(batch)) accepted.insert(std::move(name));
        break;
      }
      default: settle(pool[random() % pool.size()], false);
    }
    REQUIRE(fixture.conserved());
  }
  bool done = false;
  fixture.balancer->stop([&] { done = true; });
  for (int round = 0; round < 1000 && !done; ++round) {
    for (const auto& [endpoint, destination] : fixture.destinations) settle(endpoint, true);
    fixture.executor.advance(1s);
  }
  CHECK(done);
  CHECK(accepted.size() > 1000);
  CHECK(accepted == arrived);
  CHECK(fixture.counters.out.value() == arrived.size());
  CHECK(fixture.balancer->held() == 0);
  CHECK(fixture.conserved());
}
