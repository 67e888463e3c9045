#include "receivers/jaeger/services.h"

#include <algorithm>
#include <array>
#include <optional>

#include "pipeline/codec/allowance.h"
#include "pipeline/ensure.h"
#include "pipeline/intake/translation.h"
#include "pipeline/log.h"
#include "pipeline/model/pages.h"
#include "receivers/jaeger/answers.h"

namespace sluice::jaeger_door {
namespace {

using net::GrpcCode;

/// "application/x-thrift; charset=utf-8" is application/x-thrift.
bool is_thrift(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  type = type.substr(0, type.find_last_not_of(" \t") + 1);
  constexpr std::array<std::string_view, 2> taken = {"application/x-thrift",
                                                     "application/vnd.apache.thrift.binary"};
  return std::any_of(taken.begin(), taken.end(), [&](std::string_view name) {
    return std::equal(type.begin(), type.end(), name.begin(), name.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
    });
  });
}

/// What waits for the pipeline's answer.
struct Respond {
  net::Reply reply;

  void operator()(Answer given) {
    switch (given.verdict) {
      case Verdict::accepted: return reply.send(accepted());
      case Verdict::rejected: return reply.send(undecodable(given.message));
      case Verdict::retry_later:
        return reply.send(come_back(std::move(given.message), given.delay));
    }
  }
};

bool translate_thrift(std::string_view body, SpanWriter& out, jaeger::Report& report) {
  const pages::GrowthByMoving moving;
  thrift::BinaryReader reader(body);
  return jaeger::translate_batch(reader, out, report);
}

bool translate_proto(std::string_view body, SpanWriter& out, jaeger::Report& report) {
  const pages::GrowthByMoving moving;
  return jaeger::translate_post_spans(body, Allowance::Input::read_once, out, report);
}

/// From a request's body into the pipeline. The translation has `expected` bytes or less, mostly:
/// to guess too little would cost the move of a block.
template <typename Translate>
void take(Intake& intake, const ServiceOptions& options, net::Request request, net::Reply reply,
          std::size_t expected, Translate translate) {
  std::optional<Charge> charge = charge_translation(intake.ledger(), request.body);
  if (!charge) {
    intake.count_refused(Reason::busy);
    return reply.send(come_back("busy: too many bytes in flight", {}));
  }
  SpanWriter out(Allowance::capacity_for(expected, request.body.size()));
  jaeger::Report report;
  if (!translate(request.body.bytes(), out, report)) {
    intake.count_refused(Reason::malformed);
    return reply.send(undecodable(report.error));
  }
  log_invalid_ids(options.id, report);
  if (options.strict && report.spans_invalid_id > 0) {
    intake.count_invalid_ids(report.spans_invalid_id + report.spans);
    intake.count_refused(Reason::rejected);
    return reply.send(undecodable(std::to_string(report.spans_invalid_id) +
                                  " spans have no valid trace or span id"));
  }
  intake.count_invalid_ids(report.spans_invalid_id);
  SpanBatch batch = SpanBatch::of_translation(
      replace_body(std::move(request.body), std::move(out), std::move(*charge)));
  if (batch.empty()) {
    intake.count_accepted();
    return reply.send(accepted());
  }
  batch.set_context(std::move(request.context));
  intake.hand_over(std::move(batch), request.worker, Respond{std::move(reply)});
}

net::Admission admitted(Intake& intake, const ServiceOptions& options,
                        std::optional<Refusal> refusal) {
  net::Admission admission;
  admission.body_bytes_max = intake.body_bytes_max(options.body_bytes_max);
  if (refusal) {
    intake.count_refused(Reason::wrong_request);
    admission.refusal = refused(*refusal);
    if (refusal->status == 405) admission.refusal->headers.emplace_back("allow", "POST");
  }
  return admission;
}

constexpr std::string_view only_post = "only POST is taken here";

}  // namespace

void log_invalid_ids(std::string_view receiver, const jaeger::Report& report) {
  if (report.times_clamped > 0)
    log::limited(
        log::Level::warn, "times that OTLP cannot say became the nearest ones",
        {{"receiver", std::string(receiver)}, {"spans", std::to_string(report.times_clamped)}});
  if (report.spans_invalid_id == 0) return;
  log::limited(log::Level::warn, "spans without a valid trace or span id are left out",
               {{"receiver", std::string(receiver)},
                {"spans", std::to_string(report.spans_invalid_id)},
                {"service", report.invalid_service},
                {"span", report.invalid_span}});
}

net::Admission HttpBatches::admit(const net::RequestHead& head) {
  std::optional<Refusal> refusal;
  if (head.method != "POST")
    refusal = {GrpcCode::unimplemented, 405, std::string(only_post)};
  else if (!is_thrift(head.header("content-type")))
    refusal = {GrpcCode::invalid_argument, 400,
               "unsupported content type: application/x-thrift or "
               "application/vnd.apache.thrift.binary is taken here"};
  return admitted(*intake_, options_, std::move(refusal));
}

void HttpBatches::serve(net::Request request, net::Reply reply) {
  const std::size_t size = request.body.size();
  const std::size_t expected = size - size / 8 - size / 16 + 256;
  take(*intake_, options_, std::move(request), std::move(reply), expected, translate_thrift);
}

net::Response HttpBatches::transport_error(net::TransportError error, const net::RequestHead&,
                                           std::string_view detail) {
  return faulty(*intake_, error, detail);
}

net::Admission GrpcBatches::admit(const net::RequestHead& head) {
  std::optional<Refusal> refusal;
  if (head.method != "POST")
    refusal = {GrpcCode::unimplemented, 405, std::string(only_post)};
  else if (!head.is_grpc)
    refusal = {GrpcCode::unimplemented, 415, "the content type must be application/grpc"};
  return admitted(*intake_, options_, std::move(refusal));
}

void GrpcBatches::serve(net::Request request, net::Reply reply) {
  const std::size_t size = request.body.size();
  const std::size_t expected = size + size / 16 + 256;
  take(*intake_, options_, std::move(request), std::move(reply), expected, translate_proto);
}

net::Response GrpcBatches::transport_error(net::TransportError error, const net::RequestHead&,
                                           std::string_view detail) {
  return faulty(*intake_, error, detail);
}

}  // namespace sluice::jaeger_door
