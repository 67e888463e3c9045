#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "exporters/loadbalancing/balancer.h"
#include "pipeline/countdown.h"
#include "test/exporters/loadbalancing_traces.h"
#include "test/pipeline/export/elsewhere.h"

using namespace sluice;
using namespace sluice::test;
using loadbalancing::Balancer;
using Names = std::vector<std::string>;

TEST_CASE("loadbalancing: many threads send while members change: what was accepted arrives",
          "[loadbalancing][threads]") {
  constexpr std::uint64_t threads_count = 4, batches_each = 300;
  net::EventLoops loops(2);
  loops.start();
  Metrics metrics;
  Ledger ledger(1 << 30);
  SpanCounters counters(metrics, "exporter", "lb");
  std::atomic<std::uint64_t> delivered{0};
  loadbalancing::BalancerOptions options;
  options.source = loadbalancing::StaticMembers{{"a:1", "b:1", "c:1"}};
  options.exporting.queue.num_consumers = 4;
  options.exporting.queue.queue_size = 20;
  options.exporting.retry.initial_interval = std::chrono::microseconds(1);
  options.exporting.retry.max_interval = std::chrono::microseconds(1);
  auto balancer = std::make_shared<Balancer>(
      ExporterContext{{"lb", loops[0], metrics, ledger}, counters, loops}, options,
      [&](const std::string&, const ExporterContext&) {
        return std::make_unique<ElsewhereSender>(loops[1], delivered);
      });
  run_on(loops[0], [&] { balancer->start(); });

  CountingTarget target;
  const SpanBatch batch = traces(1, 10);
  const Load load = Load::of(batch);
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < threads_count; ++i) {
    threads.emplace_back([&, promised = i % 2 == 0] {
      for (std::uint64_t n = 0; n < batches_each; ++n) {
        if (!promised) {
          balancer->consume(batch, Ack(target));
        } else if (balancer->reserve(load)) {
          ++target.refused;
        } else {
          balancer->commit(batch, load, Ack(target));
        }
      }
    });
  }
  const std::vector<Names> changes = {{"a:1", "b:1"}, {"b:1", "c:1"}, {"d:1"}, {"a:1", "c:1"}};
  for (std::size_t i = 0; i < 200; ++i) {
    run_on(loops[0], [&] { balancer->resolved(changes[i % changes.size()]); });
  }
  for (std::thread& thread : threads) thread.join();
  std::promise<void> stopped;
  balancer->stop([&] { stopped.set_value(); });
  stopped.get_future().wait();

  CHECK(target.accepted + target.refused == threads_count * batches_each);
  CHECK(target.accepted > 0);
  CHECK(delivered == target.accepted * 10);
  CHECK(counters.out.value() == delivered);
  CHECK(counters.held.value() == 0);
  CHECK(balancer->held() == 0);
  CHECK(metrics.value("otelcol_exporter_queue_size") == 0);
  run_on(loops[0], [&] { balancer.reset(); });
  loops.stop();
}
