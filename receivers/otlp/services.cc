#include "receivers/otlp/services.h"

#include <algorithm>
#include <optional>

namespace sluice::otlp_door {
namespace {

using net::GrpcCode;
using net::TransportError;

/// "application/json; charset=utf-8" → json.
std::optional<Form> form_of(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  const auto is = [&](std::string_view name) {
    const std::size_t last = type.find_last_not_of(" \t");
    const std::string_view trimmed =
        last == std::string_view::npos ? std::string_view() : type.substr(0, last + 1);
    return std::equal(trimmed.begin(), trimmed.end(), name.begin(), name.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
    });
  };
  if (is("application/x-protobuf")) return Form::proto;
  if (is("application/json")) return Form::json;
  return std::nullopt;
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

/// The transport may fail before it asked whether this is OTLP at all: then there is no form.
net::Response answer_fault(Intake& intake, std::optional<Form> form, TransportError error,
                           std::string_view detail) {
  Fault fault = fault_of(error);
  intake.count_refused(fault.reason);
  if (!detail.empty()) fault.refusal.message.append(": ").append(detail);
  if (!form) return plain(fault.refusal);
  if (error == TransportError::busy) return come_back(*form, std::move(fault.refusal.message));
  // A body that cannot be decompressed is one that cannot be decoded.
  if (error == TransportError::bad_encoding) return undecodable(*form, fault.refusal.message);
  return refused(*form, fault.refusal);
}

net::Response method_not_allowed() {
  net::Response response = plain({GrpcCode::unimplemented, 405, "only POST is taken here"});
  response.headers.emplace_back("allow", "POST");
  return response;
}

net::Response wrong_content_type(std::string_view taken) {
  return plain({GrpcCode::unimplemented, 415, "the content type must be " + std::string(taken)});
}

}  // namespace

net::Admission GrpcTraces::admit(const net::RequestHead& head) {
  net::Admission admission;
  admission.body_bytes_max = intake_->body_bytes_max(body_bytes_max_);
  if (head.method != "POST") {
    admission.refusal = method_not_allowed();
  } else if (!head.is_grpc) {
    admission.refusal = wrong_content_type("application/grpc");
  }
  if (admission.refusal) intake_->count_refused(Reason::wrong_request);
  return admission;
}

void GrpcTraces::serve(net::Request request, net::Reply reply) {
  take(*intake_, std::move(request), Form::grpc, std::move(reply));
}

net::Response GrpcTraces::transport_error(TransportError error, const net::RequestHead& head,
                                          std::string_view detail) {
  return answer_fault(*intake_, head.is_grpc ? std::optional(Form::grpc) : std::nullopt, error,
                      detail);
}

net::Admission HttpTraces::admit(const net::RequestHead& head) {
  net::Admission admission;
  admission.body_bytes_max = intake_->body_bytes_max(body_bytes_max_);
  if (head.method != "POST") {
    admission.refusal = method_not_allowed();
  } else if (!form_of(head.header("content-type"))) {
    admission.refusal = wrong_content_type("application/x-protobuf or application/json");
  }
  if (admission.refusal) intake_->count_refused(Reason::wrong_request);
  return admission;
}

void HttpTraces::serve(net::Request request, net::Reply reply) {
  const Form form = form_of(request.content_type).value_or(Form::proto);
  take(*intake_, std::move(request), form, std::move(reply));
}

net::Response HttpTraces::transport_error(TransportError error, const net::RequestHead& head,
                                          std::string_view detail) {
  return answer_fault(*intake_, form_of(head.header("content-type")), error, detail);
}

net::Response OtherSignal::refusal(bool is_grpc, std::string_view content_type) const {
  const Refusal refusal{GrpcCode::unimplemented, 404,
                        "this server takes traces only, not " + signal_};
  if (is_grpc) return refused(Form::grpc, refusal);
  const std::optional<Form> form = form_of(content_type);
  return form ? refused(*form, refusal) : plain(refusal);
}

net::Admission OtherSignal::admit(const net::RequestHead& head) {
  intake_->count_refused(Reason::other_signal);
  net::Admission admission;
  admission.refusal = refusal(head.is_grpc, head.header("content-type"));
  return admission;
}

void OtherSignal::serve(net::Request request, net::Reply reply) {
  reply.send(refusal(request.is_grpc, request.content_type));
}

net::Response OtherSignal::transport_error(TransportError, const net::RequestHead& head,
                                           std::string_view) {
  return refusal(head.is_grpc, head.header("content-type"));
}

}  // namespace sluice::otlp_door
