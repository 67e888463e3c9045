#include "processors/tail_sampling/held_traces.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "processors/tail_sampling/gather.h"

namespace sluice::tail_sampling {
namespace {

/// A request of which less is still held is copied out: for long, it would pin what nobody wants.
constexpr double share_min = 0.75;

}  // namespace

/// A product folded in half, twice: fast, and not to be foreseen without the key.
std::uint64_t HeldTraces::hash(std::string_view trace_id) const {
  __extension__ using Wide = unsigned __int128;
  std::uint64_t first = 0, second = 0;
  std::memcpy(&first, trace_id.data(), 8);
  std::memcpy(&second, trace_id.data() + 8, 8);
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  constexpr std::uint64_t odd = 0xa0761d6478bd642f;
  return fold(fold(first ^ key_, second ^ odd) ^ key_, odd);
}

void HeldTraces::add(SpanBatch batch, std::vector<Handle>& fresh) {
  if (batch.empty()) return;
  const std::uint32_t count = batch.span_count();
  const std::uint32_t segment = new_segment(std::move(batch));
  for (std::uint32_t index = 0; index < count; ++index) file(segment, index, fresh);
}

void HeldTraces::add(SpanBatch batch, std::span<const std::uint32_t> indexes,
                     std::vector<Handle>& fresh) {
  if (indexes.size() == batch.span_count()) return add(std::move(batch), fresh);
  add(batch.select(indexes).compacted(share_min), fresh);
}

std::uint32_t HeldTraces::new_segment(SpanBatch batch) {
  std::uint32_t number = 0;
  if (free_segments_.empty()) {
    number = static_cast<std::uint32_t>(segments_.size());
    segments_.emplace_back();
  } else {
    number = free_segments_.back();
    free_segments_.pop_back();
  }
  Segment& segment = segments_[number];
  segment.held = batch.span_count();
  segment.is_held.assign(batch.span_count(), true);
  segment.bytes = batch.pinned();
  request_bytes_ += segment.bytes;
  spans_ += segment.held;
  segment.batch = std::move(batch);
  return number;
}

void HeldTraces::file(std::uint32_t segment, std::uint32_t index, std::vector<Handle>& fresh) {
  const SpanBatch& batch = segments_[segment].batch;
  const SpanEntry& entry = batch.spans()[index];
  const SpanView span(batch.span_bytes(entry));
  Trace& trace = traces_[trace_of(span.trace_id(), fresh)];
  gather(span, entry, batch.resource_bytes(entry), conditions_, trace.facts);
  const bool goes_on = !trace.runs.empty() && trace.runs.back().segment == segment &&
                       trace.runs.back().first + trace.runs.back().count == index;
  if (goes_on)
    ++trace.runs.back().count;
  else
    trace.runs.push_back({segment, index, 1});
}

HeldTraces::Handle HeldTraces::find(std::string_view trace_id) const {
  if (buckets_.empty()) return none;
  Handle trace = buckets_[hash(trace_id) & (buckets_.size() - 1)];
  while (trace != none && traces_[trace].facts.id() != trace_id) trace = traces_[trace].in_bucket;
  return trace;
}

HeldTraces::Handle HeldTraces::trace_of(std::string_view id, std::vector<Handle>& fresh) {
  Handle number = find(id);
  if (number != none) return number;
  if (free_traces_.empty()) {
    if (traces_.size() == buckets_.size()) grow();
    number = static_cast<Handle>(traces_.size());
    traces_.emplace_back();
  } else {
    number = free_traces_.back();
    free_traces_.pop_back();
  }
  Trace& trace = traces_[number];
  std::ranges::copy(id, trace.facts.trace_id.begin());
  Handle& bucket = bucket_of(id);
  trace.in_bucket = std::exchange(bucket, number);
  fresh.push_back(number);
  return number;
}

void HeldTraces::grow() {
  constexpr std::size_t least = 64;
  buckets_.assign(std::max(least, 2 * buckets_.size()), none);
  for (Handle number = 0; number < traces_.size(); ++number) {
    Handle& bucket = bucket_of(traces_[number].facts.id());
    traces_[number].in_bucket = std::exchange(bucket, number);
  }
}

SpanBatch HeldTraces::take(Handle trace) {
  const std::vector<Run>& runs = traces_[trace].runs;
  std::vector<SpanBatch> parts;
  std::vector<std::uint32_t> indexes;
  for (auto run = runs.begin(); run != runs.end();) {
    const Segment& segment = segments_[run->segment];
    indexes.clear();
    for (const std::uint32_t number = run->segment; run != runs.end() && run->segment == number;
         ++run) {
      for (std::uint32_t index = run->first; index < run->first + run->count; ++index)
        indexes.push_back(segment.moved.empty() ? index : segment.moved[index]);
    }
    parts.push_back(segment.batch.select(indexes));
  }
  SpanBatch whole = SpanBatch::concat(parts);
  drop(trace);
  return whole;
}

void HeldTraces::drop(Handle number) {
  Trace& trace = traces_[number];
  for (const Run& run : trace.runs) release(run.segment, run);
  Handle* link = &bucket_of(trace.facts.id());
  while (*link != number) link = &traces_[*link].in_bucket;
  *link = trace.in_bucket;
  trace = {};
  free_traces_.push_back(number);
}

void HeldTraces::release(std::uint32_t number, const Run& run) {
  Segment& segment = segments_[number];
  spans_ -= run.count;
  segment.held -= run.count;
  if (segment.held == 0) return let_go(number);
  std::fill_n(segment.is_held.begin() + run.first, run.count, false);
  const bool is_wasteful = segment.held < share_min * segment.batch.span_count();
  if (is_wasteful) compact(segment);
}

void HeldTraces::let_go(std::uint32_t number) {
  request_bytes_ -= segments_[number].bytes;
  segments_[number] = {};
  free_segments_.push_back(number);
}

void HeldTraces::compact(Segment& segment) {
  std::vector<std::uint32_t> wanted;
  std::vector<std::uint32_t> moved(segment.is_held.size());
  for (std::uint32_t index = 0; index < segment.is_held.size(); ++index) {
    if (!segment.is_held[index]) continue;
    moved[index] = static_cast<std::uint32_t>(wanted.size());
    wanted.push_back(segment.moved.empty() ? index : segment.moved[index]);
  }
  segment.batch = segment.batch.select(wanted).compacted(share_min);
  segment.moved = std::move(moved);
  request_bytes_ -= segment.bytes;
  segment.bytes = segment.batch.pinned();
  request_bytes_ += segment.bytes;
}

}  // namespace sluice::tail_sampling
