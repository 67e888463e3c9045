#include "processors/groupbytrace/groupbytrace.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/traces/trace_processor.h"

namespace sluice {
namespace {

/// Why a trace may leave; no root is waited for, and nothing is decided on arrival.
constexpr std::array reasons = {DueReason::waited, DueReason::over_bytes, DueReason::over_traces,
                                DueReason::too_large, DueReason::stopped};

/// What the collector has never had, and refuses.
void refuse_if_on(const config::Node& node, std::string_view key, std::string why) {
  bool is_on = false;
  node.optional(key, is_on);
  if (is_on) node.error(key, std::move(why));
}

TraceBounds decode(const config::Node& node) {
  TraceBounds bounds{.wait = std::chrono::seconds(1), .num_traces = 1'000'000};
  node.optional("wait_duration", bounds.wait);
  node.expect(bounds.wait.count() >= 0, "wait_duration", "must not be negative");
  decode_trace_bounds(node, bounds);
  refuse_if_on(node, "discard_orphans", "is not supported: traces leave with or without a root");
  refuse_if_on(node, "store_on_disk", "is not supported: traces are held in memory");
  node.accepted_without_effect({"num_workers"});
  node.no_other_keys();
  return bounds;
}

std::string prefixed(std::string_view name) {
  return "otelcol_processor_groupbytrace_" + std::string(name);
}

TraceMetrics of_traces(Metrics& metrics, const Labels& processor) {
  Labels expired = processor;
  expired.emplace_back("event", "onTraceExpired");
  return {
      metrics.counter("sluice_groupbytrace_traces", "Traces that were not held when spans came",
                      processor),
      metrics.counter(prefixed("traces_evicted"),
                      "Traces that were released before their time, for want of room", processor),
      metrics.gauge(prefixed("num_traces_in_memory"), "Traces that are held", processor),
      metrics.histogram(prefixed("event_latency"),
                        "Time (in milliseconds) that it takes to release the traces that are due",
                        {1, 2, 5, 10, 25, 50, 75, 100, 250, 500, 1000}, expired)};
}

/// Under the collector's names, and some of our own.
struct GroupingMetrics {
  GroupingMetrics(const ProcessorContext& context, const TraceBounds& bounds)
      : GroupingMetrics(context.metrics, {{"processor", context.id}}, bounds) {}
  GroupingMetrics(Metrics& metrics, const Labels& processor, const TraceBounds& bounds)
      : traces(of_traces(metrics, processor)),
        traces_released(
            metrics.counter(prefixed("traces_released"), "Traces that were released", processor)),
        spans_released(
            metrics.counter(prefixed("spans_released"), "Spans that were released", processor)) {
    metrics.gauge(prefixed("conf_num_traces"), "Traces that may be held", processor)
        .set(static_cast<std::int64_t>(bounds.num_traces));
    for (const DueReason reason : reasons) {
      const auto number = static_cast<std::size_t>(reason);
      Labels labels = processor;
      labels.emplace_back("reason", due_reason_words[number]);
      by_reason[number] = &metrics.counter("sluice_groupbytrace_releases",
                                           "Traces released, by what made them due", labels);
    }
  }

  TraceMetrics traces;
  Counter& traces_released;
  Counter& spans_released;
  std::array<Counter*, due_reason_words.size()> by_reason{};
};

/// What the instances of all workers share.
struct Grouping {
  Grouping(const TraceBounds& bounds, const ProcessorContext& context)
      : metrics(context, bounds), pool(bounds, 0, metrics.traces, context) {}
  GroupingMetrics metrics;
  TracePool pool;
};

/// Sends each trace on by itself.
class Groups final : public TraceShard {
 public:
  Groups(const ProcessorContext& context, Grouping& grouping)
      : TraceShard(context, grouping.pool),
        metrics_(grouping.metrics),
        trace_max_bytes_(grouping.pool.bounds.trace_max_bytes) {}

 private:
  void let_go(TraceHandle trace, DueReason reason, TimePoint) override {
    const TraceFacts& facts = traces().facts(trace);
    ++released_[static_cast<std::size_t>(reason)];
    spans_released_ += facts.spans;
    if (facts.bytes >= trace_max_bytes_)
      outbox().add_in_pieces(take_out(trace));
    else
      outbox().add_alone(take_out(trace));
  }

  void tell() override {
    for (const DueReason reason : reasons) {
      const auto number = static_cast<std::size_t>(reason);
      if (released_[number] == 0) continue;
      metrics_.traces_released.add(released_[number]);
      metrics_.by_reason[number]->add(std::exchange(released_[number], 0));
    }
    if (spans_released_ > 0) metrics_.spans_released.add(std::exchange(spans_released_, 0));
  }

  GroupingMetrics& metrics_;
  const std::uint64_t trace_max_bytes_;
  std::array<std::uint64_t, due_reason_words.size()> released_{};  ///< traces, not told yet
  std::uint64_t spans_released_ = 0;                               ///< likewise
};

std::unique_ptr<Processor> build(const TraceBounds& bounds, const ProcessorContext& context) {
  const auto grouping =
      context.siblings.share<Grouping>([&] { return std::make_shared<Grouping>(bounds, context); });
  return std::make_unique<TraceProcessor>(
      context, std::shared_ptr<TracePool>(grouping, &grouping->pool), nullptr,
      [&] { return std::make_unique<Groups>(context, *grouping); });
}

}  // namespace

ProcessorType groupbytrace_processor() {
  return {{"groupbytrace", [](const config::Node& node) {
             return [bounds = decode(node)](const ProcessorContext& context) {
               return build(bounds, context);
             };
           }}};
}

}  // namespace sluice
