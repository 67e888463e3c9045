#include "receivers/zipkin/intake.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "pipeline/codec/allowance.h"
#include "pipeline/codec/zipkin/read.h"
#include "pipeline/codec/zipkin/read_v1_thrift.h"
#include "pipeline/ensure.h"
#include "pipeline/intake/translation.h"
#include "pipeline/log.h"
#include "pipeline/model/pages.h"
#include "receivers/zipkin/answers.h"

namespace sluice::zipkin_door {
namespace {

/// The translated spans are usually 0.6 to 0.8 of JSON, a little more than Thrift, and up to 1.6 of
/// protobuf, whose addresses become attributes. To guess too little would cost the move of a block;
/// freezing settles what they really took.
std::size_t expected_size(Format format, std::size_t body) {
  switch (format) {
    case Format::v2_json:
    case Format::v1_json: return body - body / 8;
    case Format::v1_thrift: return body + body / 4;
    case Format::v2_proto: break;
  }
  return body + body / 2 + body / 8;
}

std::uint64_t now_unix_nano() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
}

bool read(Format format, std::string_view body, const zipkin::ReadOptions& options, SpanWriter& out,
          zipkin::ReadReport& report) {
  const pages::GrowthByMoving moving;
  switch (format) {
    case Format::v2_json: return zipkin::read_v2_json(body, options, out, report);
    case Format::v2_proto: return zipkin::read_v2_proto(body, options, out, report);
    case Format::v1_json: return zipkin::read_v1_json(body, options, out, report);
    case Format::v1_thrift: break;
  }
  return zipkin::read_v1_thrift(body, options, out, report);
}

/// What waits for the pipeline's answer.
struct Respond {
  net::Reply reply;

  void operator()(Answer given) {
    switch (given.verdict) {
      case Verdict::accepted: return reply.send(accepted());
      case Verdict::rejected:
        return reply.send(
            refused({net::GrpcCode::invalid_argument, 400, std::move(given.message)}));
      case Verdict::retry_later:
        return reply.send(come_back(std::move(given.message), given.delay));
    }
  }
};

void refuse_malformed(Intake& intake, net::Reply& reply, std::string what) {
  intake.count_refused(Reason::malformed);
  reply.send(refused({net::GrpcCode::invalid_argument, 400, std::move(what)}));
}

}  // namespace

void take(Intake& intake, const TakeOptions& options, net::Request request, Format format,
          net::Reply reply) {
  std::optional<Charge> charge = charge_translation(intake.ledger(), request.body);
  if (!charge) {
    intake.count_refused(Reason::busy);
    return reply.send(come_back("busy: too many bytes in flight"));
  }
  const std::size_t size = request.body.size();
  SpanWriter spans(Allowance::capacity_for(expected_size(format, size), size));
  zipkin::ReadReport report;
  const zipkin::ReadOptions reading = {options.parse_string_tags, now_unix_nano(), true};
  if (!read(format, request.body.bytes(), reading, spans, report))
    return refuse_malformed(intake, reply, std::move(report.error));
  if (report.spans_invalid_id > 0) {
    if (options.strict) return refuse_malformed(intake, reply, std::move(report.first_invalid));
    intake.count_invalid_ids(report.spans_invalid_id);
    log::limited(log::Level::warn, "Zipkin spans with invalid ids were left out",
                 {{"receiver", options.receiver},
                  {"spans", std::to_string(report.spans_invalid_id)},
                  {"first", report.first_invalid}});
  }
  if (report.spans_taken == 0) {
    intake.count_accepted();
    return reply.send(accepted());
  }
  request.body = replace_body(std::move(request.body), std::move(spans), std::move(*charge));
  SpanBatch batch = SpanBatch::of_translation(std::move(request.body));
  ensure(batch.span_count() == report.spans_taken, "all translated spans are there");
  batch.set_context(std::move(request.context));
  intake.hand_over(std::move(batch), request.worker, Respond{std::move(reply)});
}

}  // namespace sluice::zipkin_door
