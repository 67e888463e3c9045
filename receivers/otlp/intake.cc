#include "receivers/otlp/intake.h"

#include <optional>
#include <string>
#include <utility>

#include "pipeline/codec/otlp_json.h"

namespace sluice::otlp_door {
namespace {

std::string invalid_ids(std::uint64_t count) {
  if (count == 0) return {};
  return std::to_string(count) + (count == 1 ? " span was" : " spans were") +
         " left out: trace or span id absent, zero or of the wrong length, or a parent span id of "
         "the wrong length";
}

/// What waits for the pipeline's answer.
struct Respond {
  net::Reply reply;
  std::uint32_t spans_invalid_id;
  Form form;

  void operator()(Answer given) {
    switch (given.verdict) {
      case Verdict::accepted:
        return reply.send(accepted(form, spans_invalid_id, invalid_ids(spans_invalid_id)));
      case Verdict::rejected:
        return reply.send(
            refused(form, {net::GrpcCode::invalid_argument, 400, std::move(given.message)}));
      case Verdict::retry_later:
        return reply.send(come_back(form, std::move(given.message), given.delay));
    }
  }
};

/// Replaces the body by its protobuf form. Half the text is charged ahead, which is rarely passed;
/// freezing settles what it really took.
bool decode_json(Intake& intake, net::Request& request, net::Reply& reply) {
  std::optional<Charge> charge = intake.ledger().try_charge(request.body.size() / 2);
  if (!charge) {
    intake.count_refused(Reason::busy);
    reply.send(come_back(Form::json, "busy: too many bytes in flight"));
    return false;
  }
  BufferWriter proto;
  JsonReport report;
  if (!otlp_json_to_proto(request.body.bytes(), proto, report)) {
    intake.count_refused(Reason::malformed);
    reply.send(undecodable(Form::json, report.error));
    return false;
  }
  request.body = std::move(*charge).freeze(std::move(proto));
  return true;
}

}  // namespace

void take(Intake& intake, net::Request request, Form form, net::Reply reply) {
  if (form == Form::json && !decode_json(intake, request, reply)) return;
  ParseReport report;
  std::optional<SpanBatch> batch = SpanBatch::parse(std::move(request.body), report);
  if (!batch) {
    intake.count_refused(Reason::malformed);
    return reply.send(undecodable(form, report.error));
  }
  intake.count_invalid_ids(report.spans_invalid_id);
  if (batch->empty()) {
    intake.count_accepted();
    return reply.send(
        accepted(form, report.spans_invalid_id, invalid_ids(report.spans_invalid_id)));
  }
  batch->set_context(std::move(request.context));
  intake.hand_over(std::move(*batch), request.worker,
                   Respond{std::move(reply), report.spans_invalid_id, form});
}

}  // namespace sluice::otlp_door
