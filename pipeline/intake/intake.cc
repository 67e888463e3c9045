#include "pipeline/intake/intake.h"

#include <algorithm>
#include <string_view>

namespace sluice {
namespace {

constexpr std::array<std::string_view, reason_count> reason_names = {
    "malformed",   "busy",      "stopping",      "overload",
    "rejected",    "too_large", "bad_encoding",  "unknown_encoding",
    "bad_framing", "timeout",   "wrong_request", "other_signal"};

}  // namespace

Intake::Intake(const ReceiverContext& context, const std::string& transport,
               std::shared_ptr<Gate> gate)
    : ledger_(context.ledger),
      next_(context.next),
      gate_(std::move(gate)),
      in_(context.counters.in),
      out_(context.counters.out),
      overload_(context.counters.refused("overload")),
      invalid_(context.counters.refused("invalid")),
      invalid_id_(context.counters.refused("invalid_id")),
      accepted_spans_(
          context.metrics.counter("otelcol_receiver_accepted_spans",
                                  "Number of spans successfully pushed into the pipeline.",
                                  {{"receiver", context.id}, {"transport", transport}})),
      refused_spans_(
          context.metrics.counter("otelcol_receiver_refused_spans",
                                  "Number of spans that could not be pushed into the pipeline.",
                                  {{"receiver", context.id}, {"transport", transport}})),
      accepted_requests_(context.metrics.counter(
          "otelcol_receiver_requests", "Number of requests, by outcome.",
          {{"receiver", context.id}, {"transport", transport}, {"outcome", "success"}})) {
  for (std::size_t i = 0; i < reason_count; ++i) {
    refused_requests_[i] =
        &context.metrics.counter("otelcol_receiver_requests", "Number of requests, by outcome.",
                                 {{"receiver", context.id},
                                  {"transport", transport},
                                  {"outcome", "refused"},
                                  {"reason", std::string(reason_names[i])}});
  }
}

std::size_t Intake::body_bytes_max(std::size_t configured) const {
  return std::min(configured, ledger_.limit() / 2);
}

void Intake::count_invalid_ids(std::uint64_t spans) {
  in_.add(spans);
  refuse_spans(spans, invalid_id_);
}

void Intake::count_late(std::uint64_t spans) {
  in_.add(spans);
  refuse_spans(spans, overload_);
  count_refused(Reason::stopping);
}

void Intake::refuse_spans(std::uint64_t count, Counter& why) {
  if (count == 0) return;
  why.add(count);
  refused_spans_.add(count);
}

void Intake::count(std::uint64_t spans, Verdict verdict) {
  in_.add(spans);
  switch (verdict) {
    case Verdict::accepted:
      out_.add(spans);
      accepted_spans_.add(spans);
      accepted_requests_.add(1);
      return;
    case Verdict::rejected: refuse_spans(spans, invalid_); return count_refused(Reason::rejected);
    case Verdict::retry_later:
      refuse_spans(spans, overload_);
      return count_refused(Reason::overload);
  }
}

}  // namespace sluice
