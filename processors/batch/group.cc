#include "processors/batch/group.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

/// Requests are held until the batch is full: one whose spans are a small share of the memory that
/// they pin (a selection of a large request) is copied out.
constexpr double share_min = 0.25;

SpanBatch unpinned(SpanBatch batch) {
  if (batch.wire_size() >= batch.pinned() / 4) return batch;
  return batch.compacted(share_min);
}

Histogram& send_size_histogram(const ProcessorContext& context) {
  return context.metrics.histogram(
      "otelcol_processor_batch_batch_send_size", "Number of units in the batch",
      {10,   25,   50,   75,   100,  250,  500,   750,   1000,  2000,  3000,
       4000, 5000, 6000, 7000, 8000, 9000, 10000, 20000, 30000, 50000, 100000},
      {{"processor", context.id}});
}

}  // namespace

BatchMetrics::BatchMetrics(const ProcessorContext& context)
    : spans(context.counters),
      overload(context.counters.refused("overload")),
      cardinality(context.counters.refused("cardinality")),
      send_size(send_size_histogram(context)),
      size_trigger(context.metrics.counter(
          "otelcol_processor_batch_batch_size_trigger_send",
          "Number of times the batch was sent due to a size trigger", {{"processor", context.id}})),
      timeout_trigger(
          context.metrics.counter("otelcol_processor_batch_timeout_trigger_send",
                                  "Number of times the batch was sent due to a timeout trigger",
                                  {{"processor", context.id}})),
      metadata_cardinality(
          context.metrics.gauge("otelcol_processor_batch_metadata_cardinality",
                                "Number of distinct metadata value combinations being processed",
                                {{"processor", context.id}})) {}

BatchGroup::BatchGroup(const BatchOptions& options, BatchMetrics& metrics,
                       const ProcessorContext& processor, std::string key,
                       RequestContextRef context, Owner& owner)
    : options_(options),
      metrics_(metrics),
      executor_(processor.executor),
      key_(std::move(key)),
      context_(std::move(context)),
      owner_(owner),
      handover_(processor, *this) {}

/// What is still held is given up: the deadline of the stop has passed.
BatchGroup::~BatchGroup() {
  metrics_.spans.dropped.add(collected_spans_);
  metrics_.spans.held.add(-static_cast<std::int64_t>(collected_spans_));
}

std::uint64_t BatchGroup::spans_max(const BatchOptions& options) {
  constexpr std::uint32_t least = 8192;
  return 4ULL * std::max({options.send_batch_size, options.send_batch_max_size, least});
}

std::optional<Answer> BatchGroup::refusal(std::uint64_t spans) const {
  if (std::optional<Answer> refusal = handover_.refusal()) return refusal;
  if (!handover_.is_busy() || collected_spans_ + spans <= spans_max(options_)) return std::nullopt;
  return Answer{Verdict::retry_later, {}, "the batch before has not been taken yet"};
}

/// Merged as it comes: to return to the indexes of hundreds of small requests when they are long
/// out of the cache takes a tenth of all CPU time at ten spans a request.
void BatchGroup::add(SpanBatch batch) {
  collected_spans_ += batch.span_count();
  merger_.add(unpinned(std::move(batch)));
  if (merger_.span_count() >= options_.send_batch_size) close_collection();
  advance();
}

void BatchGroup::flush() {
  due_ = true;
  advance();
}

/// Nothing may be touched after this call: the group may be gone.
void BatchGroup::advance() {
  advancing_ = true;
  send_what_is_due();
  advancing_ = false;
  if (collected_spans_ == 0) {
    due_ = false;
    timeout_.cancel();
  } else if (!due_ && !timeout_) {
    timeout_ = executor_.after(options_.timeout, [this] {
      timeout_ = {};
      flush();
    });
  }
  if (idle()) owner_.went_idle(*this);
}

void BatchGroup::send_what_is_due() {
  while (!handover_.is_busy() && collected_spans_ > 0 && (due_ || full())) {
    out_by_size_ = full();
    timeout_.cancel();  // what is left waits for its own time
    handover_.send(cut());
  }
}

bool BatchGroup::full() const {
  const bool at_once = options_.timeout.count() == 0 || options_.send_batch_size == 0;
  return at_once || collected_spans_ >= options_.send_batch_size;
}

void BatchGroup::close_collection() {
  if (merger_.span_count() > 0) collected_.push_back(merger_.finish());
}

/// Takes from the front: all, or send_batch_max_size spans exactly.
SpanBatch BatchGroup::cut() {
  std::uint64_t wanted = collected_spans_;
  if (options_.send_batch_max_size > 0)
    wanted = std::min<std::uint64_t>(wanted, options_.send_batch_max_size);
  collected_spans_ -= wanted;
  close_collection();
  std::vector<SpanBatch> parts;
  auto first = collected_.begin();
  while (wanted > 0) {
    const std::uint32_t left = first->span_count() - front_taken_;
    const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, wanted));
    const bool whole = count == first->span_count();
    parts.push_back(whole ? std::move(*first) : first->slice(front_taken_, count));
    wanted -= count;
    front_taken_ = count == left ? 0 : front_taken_ + count;
    if (count == left) ++first;
  }
  collected_.erase(collected_.begin(), first);
  SpanBatch result = SpanBatch::concat(parts);
  result.set_context(context_);
  return result;
}

void BatchGroup::settled(std::uint64_t spans, bool was_taken) {
  if (was_taken) {
    metrics_.send_size.observe(static_cast<double>(spans));
    (out_by_size_ ? metrics_.size_trigger : metrics_.timeout_trigger).add(1);
  }
  if (!advancing_) advance();
}

}  // namespace sluice
