#include "pipeline/traces/outbox.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

constexpr std::uint32_t batch_spans = 8192;
constexpr std::uint64_t waiting_max = 4 * batch_spans;  ///< behind a batch that is out

}  // namespace

Outbox::Outbox(const ProcessorContext& processor, bool others_hold, Task changed)
    : others_hold_(others_hold),
      counters_(processor.counters),
      in_flight_(processor.ledger),
      changed_(std::move(changed)),
      handover_(processor, *this) {}

/// What is out is given up by the handover; this is about the rest.
Outbox::~Outbox() {
  std::uint64_t left = open_.span_count();
  for (const SpanBatch& each : sealed_) left += each.span_count();
  counters_.dropped.add(left);
  counters_.held.add(-static_cast<std::int64_t>(left));
}

void Outbox::add(SpanBatch trace) {
  spans_ += trace.span_count();
  open_.add(std::move(trace));
  if (open_.span_count() >= batch_spans) seal();
}

void Outbox::add_alone(SpanBatch trace) {
  seal();
  add(std::move(trace));
  seal();
}

void Outbox::add_in_pieces(const SpanBatch& trace) {
  seal();
  for (std::uint32_t first = 0; first < trace.span_count(); first += batch_spans) {
    add(trace.slice(first, std::min(batch_spans, trace.span_count() - first)));
    seal();
  }
}

void Outbox::seal() {
  if (open_.span_count() == 0) return;
  // Charged where it is made from, then as in flight.
  SpanBatch batch = open_.finish();
  batch = others_hold_ ? batch.copied() : batch.compacted(0.75);
  batch.charge_to(in_flight_);
  sealed_.push_back(std::move(batch));
}

void Outbox::flush() {
  if (std::exchange(is_flushing_, true)) return;
  while (!handover_.is_busy()) {
    if (sealed_.empty()) seal();
    if (sealed_.empty()) break;
    SpanBatch next = std::move(sealed_.front());
    sealed_.pop_front();
    handover_.send(std::move(next));
  }
  is_flushing_ = false;
}

std::optional<Answer> Outbox::refusal() const {
  if (std::optional<Answer> refusal = handover_.refusal()) return refusal;
  if (!handover_.is_busy() || spans_ <= waiting_max) return std::nullopt;
  return Answer{Verdict::retry_later, {}, "traces that leave have not been taken yet"};
}

void Outbox::settled(std::uint64_t spans, bool) {
  spans_ -= spans;
  flush();
  changed_();
}

}  // namespace sluice
