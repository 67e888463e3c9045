#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/export/sender.h"
#include "pipeline/ledger.h"
#include "pipeline/metrics.h"
#include "pipeline/net/event_loop.h"
#include "test/support/capture.h"
#include "test/support/manual_executor.h"
#include "test/support/otlp_builder.h"

namespace sluice::test {

/// A destination of which the test says how it answers: by `reply`, or, without one, later by hand.
struct Destination {
  struct Request {
    SpanBatch batch;
    SendDone done;
  };
  std::function<SendResult(const SpanBatch&)> reply;
  std::vector<SpanBatch> sent;   ///< every attempt
  std::vector<Request> waiting;  ///< those without an answer
  int stops = 0;

  std::vector<std::uint32_t> sizes() const {
    std::vector<std::uint32_t> sizes;
    for (const SpanBatch& batch : sent) sizes.push_back(batch.span_count());
    return sizes;
  }
  void answer(SendResult result = {}) {
    Request request = std::move(waiting.front());
    waiting.erase(waiting.begin());
    request.done(std::move(result));
  }
};

class FakeSender final : public Sender {
 public:
  explicit FakeSender(Destination& destination) : destination_(destination) {}
  bool start(std::string&) override { return true; }
  void send(SpanBatch batch, std::chrono::nanoseconds, SendDone done) override {
    destination_.sent.push_back(batch);
    if (destination_.reply) return done(destination_.reply(batch));
    destination_.waiting.push_back({std::move(batch), std::move(done)});
  }
  void stop() override { ++destination_.stops; }

 private:
  Destination& destination_;
};

/// An exporter called "otlp" on a clock of the test's own.
struct ExportFixture {
  ExportFixture() { options.retry.jitter_seed = 1; }

  Exporter& exporter() {
    if (!made) {
      const ExporterContext context{{"otlp", executor, metrics, ledger}, counters, loops};
      made = make_exporter(context, options, std::make_unique<FakeSender>(destination));
    }
    return *made;
  }
  /// Hands over `spans` spans and runs what there is to do.
  void consume(std::size_t spans, Ack ack = {}) {
    exporter().consume(make_batch({{.service = "shop", .spans = numbered_spans(spans)}}),
                       std::move(ack));
    executor.run();
  }
  double value(std::string_view name) const { return metrics.value(name, {{"exporter", "otlp"}}); }
  double dropped(std::string_view reason) const {
    return metrics.value("sluice_exporter_dropped_spans",
                         {{"exporter", "otlp"}, {"reason", std::string(reason)}});
  }
  /// in = out + dropped + refused + held.
  bool conserved() const {
    double refused = 0;
    for (const char* reason :
         {"overload", "invalid", "too_large", "permanent", "partial_success", "unavailable"}) {
      refused += static_cast<double>(counters_for_checks.refused(reason).value());
    }
    return static_cast<double>(counters.in.value()) ==
           static_cast<double>(counters.out.value()) +
               static_cast<double>(counters.dropped.value()) + refused +
               static_cast<double>(counters.held.value());
  }

  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger{1 << 30};
  net::EventLoops loops{1};
  SpanCounters counters{metrics, "exporter", "otlp"};
  mutable SpanCounters counters_for_checks{metrics, "exporter", "otlp"};
  ExportOptions options;
  Destination destination;
  std::unique_ptr<Exporter> made;
};

inline SendResult failure(SendResult::Kind kind, std::chrono::milliseconds delay = {}) {
  return {kind, "the destination says no", delay};
}

}  // namespace sluice::test
