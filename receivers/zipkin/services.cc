#include "receivers/zipkin/services.h"

#include <algorithm>
#include <array>
#include <optional>

#include "receivers/zipkin/answers.h"

namespace sluice::zipkin_door {
namespace {

using net::GrpcCode;
using net::TransportError;

/// Who posts there means another receiver, and its spans would be misread here.
struct Foreign {
  std::string_view path, protocol;
};
constexpr std::array foreign_paths = {Foreign{"/v1/traces", "OTLP"}, Foreign{"/v1/metrics", "OTLP"},
                                      Foreign{"/v1/logs", "OTLP"},
                                      Foreign{"/api/traces", "Jaeger"}};

bool is_type(std::string_view content_type, std::string_view name) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  const std::size_t last = type.find_last_not_of(" \t");
  if (last == std::string_view::npos) return false;
  return std::ranges::equal(type.substr(0, last + 1), name, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
  });
}

bool is_v1(std::string_view path) { return path.find("api/v1/spans") != std::string_view::npos; }

/// As Zipkin's server has it, everything that is not named is JSON. Nothing for what the version
/// does not have.
std::optional<Format> format_of(std::string_view path, std::string_view content_type) {
  const bool v1 = is_v1(path);
  if (is_type(content_type, "application/x-protobuf"))
    return v1 ? std::nullopt : std::optional(Format::v2_proto);
  if (is_type(content_type, "application/x-thrift"))
    return v1 ? std::optional(Format::v1_thrift) : std::nullopt;
  return v1 ? Format::v1_json : Format::v2_json;
}

struct Fault {
  Reason reason;
  Refusal refusal;
};

Fault fault_of(TransportError error) {
  switch (error) {
    case TransportError::busy: break;
    case TransportError::too_large:
      return {Reason::too_large, {GrpcCode::resource_exhausted, 413, "the request is too large"}};
    case TransportError::bad_encoding:
      return {Reason::bad_encoding,
              {GrpcCode::invalid_argument, 400, "the body cannot be decompressed"}};
    case TransportError::unknown_encoding:
      return {Reason::unknown_encoding,
              {GrpcCode::unimplemented, 415, "this compression is not taken here"}};
    case TransportError::bad_framing:
      return {Reason::bad_framing,
              {GrpcCode::internal, 400, "the body is not framed as one message"}};
    case TransportError::timeout:
      return {Reason::timeout, {GrpcCode::deadline_exceeded, 408, "the request came too slowly"}};
  }
  return {Reason::busy, {GrpcCode::unavailable, 503, "busy"}};
}

net::Response answer_fault(Intake& intake, TransportError error, std::string_view detail) {
  Fault fault = fault_of(error);
  intake.count_refused(fault.reason);
  if (!detail.empty()) fault.refusal.message.append(": ").append(detail);
  if (error == TransportError::busy) return come_back(std::move(fault.refusal.message));
  return refused(std::move(fault.refusal));
}

net::Response method_not_allowed() {
  net::Response response = refused({GrpcCode::unimplemented, 405, "only POST is taken here"});
  response.headers.emplace_back("allow", "POST");
  return response;
}

std::optional<net::Response> refusal_of(const net::RequestHead& head) {
  if (head.method != "POST") return method_not_allowed();
  const auto foreign = std::ranges::find(foreign_paths, head.path, &Foreign::path);
  if (foreign != foreign_paths.end())
    return refused({GrpcCode::unimplemented, 404,
                    "this address takes Zipkin's spans; " + std::string(foreign->protocol) +
                        " has a receiver and a port of its own"});
  if (format_of(head.path, head.header("content-type"))) return std::nullopt;
  return refused({GrpcCode::invalid_argument, 400,
                  is_v1(head.path) ? "v1 spans are JSON or Thrift, not protobuf"
                                   : "v2 spans are JSON or protobuf, not Thrift"});
}

}  // namespace

net::Admission GrpcSpans::admit(const net::RequestHead& head) {
  net::Admission admission;
  admission.body_bytes_max = intake_->body_bytes_max(body_bytes_max_);
  if (head.is_grpc) return admission;
  intake_->count_refused(Reason::wrong_request);
  admission.refusal =
      refused({GrpcCode::unimplemented, 415, "the content type must be application/grpc"});
  return admission;
}

void GrpcSpans::serve(net::Request request, net::Reply reply) {
  take(*intake_, options_, std::move(request), Format::v2_proto, std::move(reply));
}

net::Response GrpcSpans::transport_error(TransportError error, const net::RequestHead&,
                                         std::string_view detail) {
  return answer_fault(*intake_, error, detail);
}

net::Admission HttpSpans::admit(const net::RequestHead& head) {
  net::Admission admission;
  admission.body_bytes_max = intake_->body_bytes_max(body_bytes_max_);
  admission.refusal = refusal_of(head);
  if (admission.refusal) {
    intake_->count_refused(Reason::wrong_request);
    return admission;
  }
  const std::optional<Format> format = format_of(head.path, head.header("content-type"));
  admission.note = static_cast<std::uint32_t>(format.value_or(Format::v2_json));
  return admission;
}

void HttpSpans::serve(net::Request request, net::Reply reply) {
  const auto format = static_cast<Format>(request.note);
  take(*intake_, options_, std::move(request), format, std::move(reply));
}

net::Response HttpSpans::transport_error(TransportError error, const net::RequestHead&,
                                         std::string_view detail) {
  return answer_fault(*intake_, error, detail);
}

}  // namespace sluice::zipkin_door
