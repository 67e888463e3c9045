#include "receivers/otlp/intake.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "pipeline/codec/otlp_json.h"
#include "pipeline/recycled.h"

namespace sluice::otlp_door {
namespace {

constexpr std::array<std::string_view, reason_count> reason_names = {
    "malformed",   "busy",      "stopping",     "overload",
    "rejected",    "too_large", "bad_encoding", "unknown_encoding",
    "bad_framing", "timeout",   "not_otlp",     "other_signal"};

std::string invalid_ids(std::uint64_t count) {
  if (count == 0) return {};
  return std::to_string(count) + (count == 1 ? " span was" : " spans were") +
         " left out: trace or span id absent, zero or of the wrong length, or a parent span id of "
         "the wrong length";
}

}  // namespace

/// A request whose spans are on their way. Owns itself from the hand-over until the answer.
class Intake::Pending final : public AckTarget, public Recycled<Intake::Pending> {
 public:
  Pending(std::shared_ptr<Intake> intake, Form form, net::Reply reply, const ParseReport& report)
      : intake_(std::move(intake)),
        reply_(std::move(reply)),
        spans_(report.spans_taken),
        spans_invalid_id_(report.spans_invalid_id),
        form_(form) {}

  void answered(Answer given) noexcept override {
    const std::shared_ptr<Intake> intake = std::move(intake_);
    reply_.send(intake->answer(form_, spans_, spans_invalid_id_, std::move(given)));
    delete this;
    intake->gate_->leave();
  }

 private:
  ~Pending() = default;
  std::shared_ptr<Intake> intake_;
  net::Reply reply_;
  const std::uint32_t spans_;
  const std::uint32_t spans_invalid_id_;
  const Form form_;
};

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

void Intake::take(net::Request request, Form form, net::Reply reply) {
  if (form == Form::json && !decode_json(request, reply)) return;
  ParseReport report;
  std::optional<SpanBatch> batch = SpanBatch::parse(std::move(request.body), report);
  if (!batch) {
    count_refused(Reason::malformed);
    return reply.send(undecodable(form, report.error));
  }
  in_.add(report.spans_invalid_id);
  refuse_spans(report.spans_invalid_id, invalid_id_);
  if (batch->empty()) {
    accepted_requests_.add(1);
    return reply.send(
        accepted(form, report.spans_invalid_id, invalid_ids(report.spans_invalid_id)));
  }
  if (!gate_->enter()) {
    in_.add(report.spans_taken);
    refuse_spans(report.spans_taken, overload_);
    count_refused(Reason::stopping);
    return reply.send(come_back(form, "shutting down"));
  }
  batch->set_context(std::move(request.context));
  auto* const pending = new Pending(shared_from_this(), form, std::move(reply), report);
  next_[request.worker]->consume(std::move(*batch), Ack(*pending));
}

/// Replaces the body by its protobuf form. Half the text is charged ahead, which is rarely passed;
/// freezing settles what it really took.
bool Intake::decode_json(net::Request& request, net::Reply& reply) {
  std::optional<Charge> charge = ledger_.try_charge(request.body.size() / 2);
  if (!charge) {
    count_refused(Reason::busy);
    reply.send(come_back(Form::json, "busy: too many bytes in flight"));
    return false;
  }
  BufferWriter proto;
  JsonReport report;
  if (!otlp_json_to_proto(request.body.bytes(), proto, report)) {
    count_refused(Reason::malformed);
    reply.send(undecodable(Form::json, report.error));
    return false;
  }
  request.body = std::move(*charge).freeze(std::move(proto));
  return true;
}

void Intake::refuse_spans(std::uint64_t count, Counter& why) {
  if (count == 0) return;
  why.add(count);
  refused_spans_.add(count);
}

net::Response Intake::answer(Form form, std::uint64_t spans, std::uint64_t spans_invalid_id,
                             Answer given) {
  in_.add(spans);
  switch (given.verdict) {
    case Verdict::accepted:
      out_.add(spans);
      accepted_spans_.add(spans);
      accepted_requests_.add(1);
      return accepted(form, spans_invalid_id, invalid_ids(spans_invalid_id));
    case Verdict::rejected:
      refuse_spans(spans, invalid_);
      count_refused(Reason::rejected);
      return refused(form, {net::GrpcCode::invalid_argument, 400, std::move(given.message)});
    case Verdict::retry_later: break;
  }
  refuse_spans(spans, overload_);
  count_refused(Reason::overload);
  return come_back(form, std::move(given.message), given.delay);
}

}  // namespace sluice::otlp_door
