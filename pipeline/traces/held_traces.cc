#include "pipeline/traces/held_traces.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

/// A request of which less is still held is copied out: for long, it would pin what nobody wants.
constexpr double share_min = 0.75;

}  // namespace

/// What is downstream may outlive this: it must not be charged here.
HeldTraces::~HeldTraces() {
  for (std::size_t number = 0; number < segments_.size(); ++number)
    no_longer_pay(segments_[number]);
  account_.release(tables_charged_);
}

/// Traces are found in memory that is long out of the cache: all that will be looked at is fetched
/// at once, instead of one after the other.
void HeldTraces::find(std::span<Arrival> arrivals) const {
  if (buckets_.empty()) return;
  const auto first_of = [this](const Arrival& each) {
    return buckets_[each.hash & (buckets_.size() - 1)];
  };
  for (const Arrival& each : arrivals)
    __builtin_prefetch(&buckets_[each.hash & (buckets_.size() - 1)]);
  for (const Arrival& each : arrivals) {
    if (const Number number = first_of(each); number != none) prefetch(number);
  }
  for (Arrival& each : arrivals) each.trace = find(each.facts.trace_id, each.hash);
}

/// The part of a batch that the arrivals are about, which are told their new places in it. Where
/// other shards hold the rest, all hold the whole: they let go of it at about the same time. (With
/// parts copied, two workers did no more than one; with an index for each part, a tenth less.)
SpanBatch HeldTraces::part_of(SpanBatch batch, std::span<Arrival> arrivals) const {
  std::uint64_t spans = 0;
  for (const Arrival& each : arrivals) spans += each.facts.spans;
  if (spans == batch.span_count()) return batch;
  const double share = share_min / static_cast<double>(shards_);
  const auto wanted = static_cast<double>(batch.wire_size() * spans / batch.span_count());
  if (shards_ > 1 && wanted >= share * static_cast<double>(batch.pinned())) return batch;
  std::vector<std::uint32_t> indexes;
  indexes.reserve(spans);
  for (Arrival& each : arrivals) {
    const std::uint32_t first =
        std::exchange(each.first, static_cast<std::uint32_t>(indexes.size()));
    for (std::uint32_t i = 0; i < each.facts.spans; ++i) indexes.push_back(first + i);
  }
  return batch.select(indexes).compacted(share);
}

void HeldTraces::add(SpanBatch batch, std::span<Arrival> arrivals, Executor::TimePoint now) {
  if (arrivals.empty()) return;
  const std::uint32_t span_count = batch.span_count();
  const Number segment = new_segment(part_of(std::move(batch), arrivals), arrivals);
  segments_[segment].is_shared = shards_ > 1 && segments_[segment].held < span_count;
  for (Arrival& arrival : arrivals) {
    // One that is new may have come with the arrival before.
    if (!arrival.trace) arrival.trace = find(arrival.facts.trace_id, arrival.hash);
    if (!arrival.trace) {
      arrival.is_new = true;
      arrival.trace.number = new_trace(arrival, now);
      arrival.trace.generation = traces_[arrival.trace.number].generation;
    }
    Trace& trace = traces_[arrival.trace.number];
    arrival.is_first_root = arrival.facts.has_root && !trace.facts.has_root;
    trace.facts.add(arrival.facts);
    if (growth_ != nullptr) growth_->ask_growth(trace.facts);
    const Run run{segment, arrival.first, static_cast<std::uint32_t>(arrival.facts.spans),
                  static_cast<std::uint32_t>(arrival.facts.bytes)};
    Run* last = trace.runs.size() == 0 ? nullptr : &trace.runs[trace.runs.size() - 1];
    if (last != nullptr && last->segment == segment)
      trace.facts.bytes -=
          shared_size(segments_[segment].batch, last->first + last->count - 1, run.first);
    if (last != nullptr && last->segment == segment && last->first + last->count == run.first) {
      last->count += run.count;
      last->bytes += run.bytes;
    } else {
      runs_bytes_ -= trace.runs.memory();
      trace.runs.add(run);
      runs_bytes_ += trace.runs.memory();
    }
  }
  charge_tables();
}

HeldTraces::Number HeldTraces::new_segment(SpanBatch batch, std::span<const Arrival> arrivals) {
  Number number = 0;
  if (free_segments_.empty()) {
    number = static_cast<Number>(segments_.size());
    segments_.emplace_back();
  } else {
    number = free_segments_.back();
    free_segments_.pop_back();
  }
  Segment& segment = segments_[number];
  segment.is_held.assign(batch.span_count(), false);
  for (const Arrival& each : arrivals) {
    segment.held += static_cast<std::uint32_t>(each.facts.spans);
    segment.held_bytes += each.facts.bytes;
    mark(segment, each.first, each.facts.spans, true);
  }
  segment.bytes = segment.held_bytes;
  segments_bytes_ += segment.memory();
  spans_ += segment.held;
  batch.charge_to(account_);
  segment.batch = std::move(batch);
  return number;
}

HeldTraces::Handle HeldTraces::find(const TraceId& id, std::uint64_t hash) const {
  if (buckets_.empty()) return {};
  Number number = buckets_[hash & (buckets_.size() - 1)];
  while (number != none && !same_id(traces_[number].facts.trace_id, id))
    number = traces_[number].in_bucket;
  return number == none ? Handle() : Handle{number, traces_[number].generation};
}

HeldTraces::Number HeldTraces::new_trace(const Arrival& arrival, Executor::TimePoint now) {
  Number number = 0;
  if (free_traces_.empty()) {
    if (2 * traces_.size() == buckets_.size()) grow();
    number = static_cast<Number>(traces_.size());
    traces_.emplace_back();
  } else {
    number = free_traces_.back();
    free_traces_.pop_back();
  }
  Trace& trace = traces_[number];
  trace.facts = {};
  trace.facts.trace_id = arrival.facts.trace_id;
  trace.hash = arrival.hash;
  trace.first_seen = now;
  trace.is_held = true;
  trace.in_bucket = std::exchange(bucket_of(arrival.hash), number);
  return number;
}

void HeldTraces::grow() {
  constexpr std::size_t least = 64;
  buckets_.assign(std::max(least, 2 * buckets_.size()), none);
  for (Number number = 0; number < traces_.size(); ++number) {
    Trace& trace = traces_[number];
    if (trace.is_held) trace.in_bucket = std::exchange(bucket_of(trace.hash), number);
  }
}

/// An estimate of what is kept beside the requests; once a call, since accounts are shared.
void HeldTraces::charge_tables() {
  const std::size_t now = traces_.capacity() * (sizeof(Trace) + 3 * sizeof(Number)) +
                          segments_.capacity() * sizeof(Segment) + segments_bytes_ + runs_bytes_;
  if (now > tables_charged_) account_.hold(now - tables_charged_);
  if (now < tables_charged_) account_.release(tables_charged_ - now);
  tables_charged_ = now;
}

SpanBatch HeldTraces::take(Handle trace) {
  Runs& runs = traces_[trace.number].runs;
  std::vector<SpanBatch> parts;
  std::vector<std::uint32_t> indexes;
  for (std::size_t i = 0; i < runs.size();) {
    const Number number = runs[i].segment;
    const Segment& segment = segments_[number];
    indexes.clear();
    for (; i < runs.size() && runs[i].segment == number; ++i) {
      const std::uint32_t first = place(segment, runs[i].first);
      for (std::uint32_t span = 0; span < runs[i].count; ++span) indexes.push_back(first + span);
    }
    parts.push_back(segment.batch.select(indexes));
  }
  SpanBatch whole = SpanBatch::concat(parts);
  drop(trace);
  return whole;
}

void HeldTraces::drop(Handle handle) {
  Trace& trace = traces_[handle.number];
  for (std::size_t i = 0; i < trace.runs.size(); ++i) release(trace.runs[i]);
  Number* link = &bucket_of(trace.hash);
  while (*link != handle.number) link = &traces_[*link].in_bucket;
  *link = trace.in_bucket;
  runs_bytes_ -= trace.runs.memory();
  trace.runs.clear();
  trace.is_held = false;
  ++trace.generation;
  free_traces_.push_back(handle.number);
}

void HeldTraces::release(const Run& run) {
  Segment& segment = segments_[run.segment];
  spans_ -= run.count;
  segment.held -= run.count;
  if (segment.held == 0) return let_go(run.segment);
  mark(segment, run.first, run.count, false);
  segment.held_bytes -= run.bytes;
  if (segment.is_wasteful ||
      static_cast<double>(segment.held_bytes) >= share_min * static_cast<double>(segment.bytes))
    return;
  segment.is_wasteful = true;
  wasteful_.push_back(run.segment);
}

/// Whoever downstream still has a share of it pays from here on. Of what other shards hold too,
/// nothing is downstream: it is copied out (Outbox).
void HeldTraces::no_longer_pay(const Segment& segment) {
  if (!segment.is_shared) segment.batch.charge_to(in_flight_, account_);
}

void HeldTraces::let_go(Number number) {
  no_longer_pay(segments_[number]);
  segments_bytes_ -= segments_[number].memory();
  segments_[number] = {};
  free_segments_.push_back(number);
}

void HeldTraces::compact() {
  for (const Number number : wasteful_) {
    Segment& segment = segments_[number];
    // It may have been let go since, and be another one by now.
    if (std::exchange(segment.is_wasteful, false)) compact(segment);
  }
  wasteful_.clear();
  charge_tables();
}

void HeldTraces::compact(Segment& segment) {
  std::vector<std::uint32_t> left, places;
  left.reserve(segment.held);
  places.reserve(segment.held);
  const std::size_t count = segment.left.empty() ? segment.is_held.size() : segment.left.size();
  for (std::uint32_t at = 0; at < count; ++at) {
    const std::uint32_t span = segment.left.empty() ? at : segment.left[at];
    if (!segment.is_held[span]) continue;
    left.push_back(span);
    places.push_back(at);
  }
  SpanBatch rest = segment.batch.select(places).compacted(share_min);
  no_longer_pay(segment);
  rest.charge_to(account_);
  segments_bytes_ -= segment.memory();
  segment.batch = std::move(rest);
  segment.bytes = segment.held_bytes;
  segment.left = std::move(left);
  segments_bytes_ += segment.memory();
}

}  // namespace sluice
