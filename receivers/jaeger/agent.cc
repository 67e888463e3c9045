#include "receivers/jaeger/agent.h"

#include <chrono>
#include <optional>
#include <utility>

#include "pipeline/ensure.h"
#include "receivers/jaeger/services.h"

namespace sluice::jaeger_door {
namespace {

constexpr std::array<std::string_view, outcome_count> outcome_names = {
    "", "empty", "too_large", "malformed", "wrong_type", "unknown_method", "invalid_id"};

Counter& dropped(const ReceiverContext& context, const std::string& transport,
                 std::string_view reason) {
  return context.metrics.counter(
      "sluice_datagrams_dropped", "Datagrams that did not get into the pipeline, by reason.",
      {{"receiver", context.id}, {"transport", transport}, {"reason", std::string(reason)}});
}

}  // namespace

Agent::Agent(const ReceiverContext& context, const std::string& transport,
             std::shared_ptr<Intake> intake, bool strict)
    : id_(context.id),
      clock_(context.executor),
      intake_(std::move(intake)),
      strict_(strict),
      received_(context.metrics.counter("sluice_datagrams_received",
                                        "Datagrams that were read from the socket.",
                                        {{"receiver", context.id}, {"transport", transport}})),
      kernel_(dropped(context, transport, "kernel")),
      busy_(dropped(context, transport, "busy")),
      overload_(dropped(context, transport, "overload")),
      rejected_(dropped(context, transport, "rejected")) {
  for (std::size_t i = 1; i < outcome_count; ++i)
    outcomes_[i] = &dropped(context, transport, outcome_names[i]);
}

/// Counts the datagrams whose spans were refused.
struct Agent::Respond {
  Counter* overload;
  Counter* rejected;
  std::uint64_t datagrams;

  void operator()(const Answer& given) const {
    if (given.verdict == Verdict::retry_later) overload->add(datagrams);
    if (given.verdict == Verdict::rejected) rejected->add(datagrams);
  }
};

Outcome Agent::translate(const net::Datagram& datagram, std::uint64_t now, SpanWriter& out) const {
  if (datagram.truncated) return Outcome::too_large;
  const std::size_t start = out.size();
  jaeger::Report report;
  const Outcome outcome = read(datagram.bytes, now, out, report);
  if (outcome != Outcome::taken) return outcome;
  log_invalid_ids(id_, report);
  if (!strict_ || report.spans_invalid_id == 0) {
    if (report.spans_invalid_id > 0) intake_->count_invalid_ids(report.spans_invalid_id);
    return outcome;
  }
  intake_->count_invalid_ids(report.spans_invalid_id + report.spans);
  out.truncate(start);
  return Outcome::invalid_id;
}

void Agent::receive(std::span<const net::Datagram> datagrams, std::size_t worker) {
  received_.add(datagrams.size());
  std::size_t bytes = 0;
  for (const net::Datagram& each : datagrams) bytes += each.bytes.size();
  std::optional<Charge> charge = intake_->ledger().try_charge(bytes);
  if (!charge) return busy_.add(datagrams.size());
  SpanWriter out(bytes * 3 / 4 + 256);
  const auto now = static_cast<std::uint64_t>(
      std::chrono::nanoseconds(clock_.wall_time().time_since_epoch()).count());
  std::uint64_t taken = 0;
  for (const net::Datagram& each : datagrams) {
    const Outcome outcome = translate(each, now, out);
    if (outcome == Outcome::taken)
      ++taken;
    else
      count(outcome);
  }
  if (out.size() == 0) return;
  SpanBatch batch = SpanBatch::of_translation(std::move(*charge).freeze(std::move(out).take()));
  intake_->hand_over(std::move(batch), worker, Respond{&overload_, &rejected_, taken});
}

void Agent::dropped_by_kernel(std::uint64_t count) { kernel_.add(count); }

}  // namespace sluice::jaeger_door
