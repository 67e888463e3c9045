#include "receivers/otlp/answers.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_writer.h"

namespace sluice::otlp_door {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view bad_request_type = "type.googleapis.com/google.rpc.BadRequest";

namespace status_field {
constexpr std::uint32_t code = 1, message = 2, details = 3;
}
namespace any_field {
constexpr std::uint32_t type_url = 1, value = 2;
}
namespace bad_request_field {
constexpr std::uint32_t field_violations = 1;
}
namespace violation_field {
constexpr std::uint32_t field = 1, description = 2;
}

std::string_view content_type(Form form) {
  return form == Form::json ? "application/json" : "application/x-protobuf";
}

std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string proto_status(const Refusal& refusal, bool about_body) {
  SpanWriter writer(128 + 2 * refusal.message.size());
  writer.varint(status_field::code, static_cast<std::uint64_t>(refusal.grpc));
  writer.string(status_field::message, refusal.message);
  if (about_body) {
    const std::size_t detail = writer.begin(status_field::details);
    writer.string(any_field::type_url, bad_request_type);
    const std::size_t bad_request = writer.begin(any_field::value);
    const std::size_t violation = writer.begin(bad_request_field::field_violations);
    writer.string(violation_field::field, "body");
    writer.string(violation_field::description, refusal.message);
    writer.end(violation);
    writer.end(bad_request);
    writer.end(detail);
  }
  return std::string(writer.out().bytes());
}

std::string json_status(const Refusal& refusal, bool about_body) {
  nlohmann::json status = {{"code", static_cast<int>(refusal.grpc)}, {"message", refusal.message}};
  if (about_body) {
    const nlohmann::json violation = {{"field", "body"}, {"description", refusal.message}};
    const nlohmann::json detail = {{"@type", bad_request_type},
                                   {"fieldViolations", nlohmann::json::array({violation})}};
    status["details"] = nlohmann::json::array({detail});
  }
  return dump(status);
}

net::Response error(Form form, const Refusal& refusal, bool about_body) {
  net::Response response;
  response.grpc = refusal.grpc;
  response.status = refusal.status;
  response.message = refusal.message;
  if (form == Form::grpc) return response;
  response.content_type = content_type(form);
  response.body =
      form == Form::json ? json_status(refusal, about_body) : proto_status(refusal, about_body);
  return response;
}

/// Nothing depends on how random this is.
std::chrono::milliseconds random_below(std::chrono::milliseconds limit) {
  thread_local std::minstd_rand random{std::random_device()()};
  return std::chrono::milliseconds(
      std::uniform_int_distribution<std::int64_t>(0, limit.count())(random));
}

/// Retry-After knows whole seconds only.
std::chrono::milliseconds delay_for(Form form, std::chrono::milliseconds least) {
  const std::chrono::milliseconds delay =
      least + random_below(std::max<std::chrono::milliseconds>(least / 2, 100ms));
  if (form == Form::grpc) return delay;
  return std::chrono::ceil<std::chrono::seconds>(delay);
}

}  // namespace

net::Response accepted(Form form, std::uint64_t rejected_spans, std::string_view message) {
  net::Response response;
  const bool partial = rejected_spans > 0 || !message.empty();
  if (form != Form::grpc) response.content_type = content_type(form);
  if (form == Form::json) {
    nlohmann::json body = nlohmann::json::object();
    if (partial) {
      nlohmann::json& success = body["partialSuccess"] = nlohmann::json::object();
      if (rejected_spans > 0) success["rejectedSpans"] = std::to_string(rejected_spans);
      success["errorMessage"] = message;
    }
    response.body = dump(body);
  } else if (partial) {
    SpanWriter writer(32 + message.size());
    const std::size_t success = writer.begin(otlp::response::partial_success);
    if (rejected_spans > 0) writer.varint(otlp::partial_success::rejected_spans, rejected_spans);
    writer.string(otlp::partial_success::error_message, message);
    writer.end(success);
    response.body = std::string(writer.out().bytes());
  }
  return response;
}

net::Response refused(Form form, const Refusal& refusal) { return error(form, refusal, false); }

net::Response undecodable(Form form, const std::string& what) {
  return error(form, {net::GrpcCode::invalid_argument, 400, what}, true);
}

net::Response come_back(Form form, std::string message, std::chrono::milliseconds delay) {
  net::Response response =
      error(form, {net::GrpcCode::unavailable, 503, std::move(message)}, false);
  response.retry_after = delay_for(form, delay > 0ms ? delay : 1s);
  return response;
}

net::Response plain(const Refusal& refusal) {
  net::Response response;
  response.grpc = refusal.grpc;
  response.status = refusal.status;
  response.message = refusal.message;
  response.content_type = "text/plain; charset=utf-8";
  response.body = refusal.message + '\n';
  return response;
}

}  // namespace sluice::otlp_door
