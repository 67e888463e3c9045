#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "pipeline/fanout.h"
#include "test/pipeline/export/elsewhere.h"

using namespace sluice;
using namespace sluice::test;

namespace {

ExportOptions fast_options() {
  ExportOptions options;
  options.queue.num_consumers = 4;
  options.queue.queue_size = 20;
  options.retry.initial_interval = std::chrono::microseconds(1);
  options.retry.max_interval = std::chrono::microseconds(1);
  return options;
}

void stop_and_wait(Exporter& exporter) {
  std::promise<void> stopped;
  exporter.stop([&] { stopped.set_value(); });
  stopped.get_future().wait();
}

}  // namespace

TEST_CASE("many threads into two exporters at once: what was accepted is delivered to both",
          "[export][threads]") {
  constexpr std::uint64_t threads_count = 4, batches_each = 300, spans_each = 3;
  net::EventLoops loops(2);
  loops.start();
  Metrics metrics;
  Ledger ledger(1 << 30);
  SpanCounters counters_a(metrics, "exporter", "a"), counters_b(metrics, "exporter", "b");
  std::atomic<std::uint64_t> delivered_a{0}, delivered_b{0};
  const ExporterContext context_a{{"a", loops[0], metrics, ledger}, counters_a, loops};
  const ExporterContext context_b{{"b", loops[1], metrics, ledger}, counters_b, loops};
  ExportOptions batching = fast_options();
  batching.queue.batch.enabled = true;
  batching.queue.batch.min_size = 10;
  batching.queue.batch.max_size = 10;
  const auto a = make_exporter(context_a, fast_options(),
                               std::make_unique<ElsewhereSender>(loops[1], delivered_a));
  const auto b =
      make_exporter(context_b, batching, std::make_unique<ElsewhereSender>(loops[0], delivered_b));
  const auto both = make_fanout({a.get(), b.get()});
  const SpanBatch batch = make_batch({{.service = "shop", .spans = numbered_spans(spans_each)}});

  CountingTarget target;
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < threads_count; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t n = 0; n < batches_each; ++n) both->consume(batch, Ack(target));
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop_and_wait(*a);
  stop_and_wait(*b);
  loops.stop();

  CHECK(target.accepted + target.refused == threads_count * batches_each);
  CHECK(target.accepted > 0);
  CHECK(delivered_a == target.accepted * spans_each);
  CHECK(delivered_b == target.accepted * spans_each);
  CHECK(counters_a.out.value() == delivered_a);
  CHECK(counters_b.out.value() == delivered_b);
  CHECK(a->held() == 0);
  CHECK(b->held() == 0);
  CHECK(metrics.value("otelcol_exporter_queue_size") == 0);
}

TEST_CASE("an exporter may end on another thread while requests are under way",
          "[export][threads]") {
  net::EventLoops loops(2);
  loops.start();
  Metrics metrics;
  Ledger ledger(1 << 30);
  SpanCounters counters(metrics, "exporter", "a");
  std::atomic<std::uint64_t> delivered{0};
  const ExporterContext context{{"a", loops[0], metrics, ledger}, counters, loops};
  auto exporter = make_exporter(context, fast_options(),
                                std::make_unique<ElsewhereSender>(loops[1], delivered));
  const SpanBatch batch = make_batch({{.service = "shop", .spans = numbered_spans(2)}});
  for (int i = 0; i < 20; ++i) exporter->consume(batch, {});
  exporter.reset();
  CHECK(counters.in.value() ==
        counters.out.value() + counters.dropped.value() + counters.refused("overload").value());
  CHECK(counters.held.value() == 0);
  loops.stop();
}
