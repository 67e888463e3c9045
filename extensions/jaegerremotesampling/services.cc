#include "extensions/jaegerremotesampling/services.h"

#include <optional>
#include <utility>

#include "extensions/jaegerremotesampling/query.h"
#include "extensions/jaegerremotesampling/sampling_fields.h"
#include "extensions/jaegerremotesampling/strategy_json.h"
#include "pipeline/model/wire.h"

namespace sluice::remote_sampling {
namespace {

using net::GrpcCode;
using net::TransportError;

constexpr std::size_t body_bytes_max = 16 * 1024;
constexpr std::size_t service_bytes_max = 4096;
constexpr std::string_view too_long = "the name of the service is too long";

Counter& requests(const ComponentContext& context, const std::string& protocol,
                  const std::string& outcome) {
  return context.metrics.counter(
      "sluice_remote_sampling_requests", "Questions for a sampling strategy, by outcome.",
      {{"extension", context.id}, {"protocol", protocol}, {"outcome", outcome}});
}

net::Response plain(int status, GrpcCode code, const std::string& text) {
  net::Response response;
  response.status = status;
  response.grpc = code;
  response.message = text;
  response.content_type = "text/plain; charset=utf-8";
  response.body = text + '\n';
  return response;
}

net::Response transport_failure(TransportError error, std::string_view detail) {
  const std::string text(detail);
  switch (error) {
    case TransportError::busy: return plain(503, GrpcCode::unavailable, text);
    case TransportError::too_large: return plain(413, GrpcCode::resource_exhausted, text);
    case TransportError::bad_encoding: return plain(400, GrpcCode::invalid_argument, text);
    case TransportError::unknown_encoding: return plain(415, GrpcCode::unimplemented, text);
    case TransportError::bad_framing: return plain(400, GrpcCode::internal, text);
    case TransportError::timeout: return plain(408, GrpcCode::deadline_exceeded, text);
  }
  return plain(500, GrpcCode::internal, text);
}

/// Empty where the message is broken.
std::optional<std::string> service_name(std::string_view parameters) {
  std::string_view name;
  wire::Cursor cursor(parameters);
  for (wire::Field field; cursor.next(field);) {
    if (field.is(parameters_field::service_name, wire::Type::length)) name = field.content;
  }
  if (!cursor.ok()) return std::nullopt;
  return std::string(name);
}

net::Response http_answer(const Found& found) {
  if (found.kind == Found::Kind::failed)
    return plain(500, found.code, "no sampling strategy: " + found.reason);
  std::optional<std::string> json = strategy_json(found.response);
  if (!json) return plain(500, GrpcCode::internal, "the sampling strategy has no form in JSON");
  net::Response response;
  response.content_type = "application/json";
  response.body = std::move(*json);
  return response;
}

net::Response grpc_answer(Found found) {
  net::Response response;
  if (found.kind == Found::Kind::failed) {
    response.grpc = found.code;
    response.message = "no sampling strategy: " + found.reason;
  } else {
    response.body = std::move(found.response);
  }
  return response;
}

}  // namespace

Desk::Desk(Source& source, const ComponentContext& context, const std::string& protocol)
    : source_(source),
      executor_(context.executor),
      fresh_(requests(context, protocol, "answered")),
      stale_(requests(context, protocol, "stale")),
      failed_(requests(context, protocol, "failed")),
      bad_requests_(requests(context, protocol, "bad_request")) {}

void Desk::ask(std::string service, FoundDone done) {
  auto task = [this, name = std::move(service), answer = std::move(done)]() mutable {
    source_.find(name, [this, last = std::move(answer)](Found found) mutable {
      count(found.kind);
      last(std::move(found));
    });
  };
  if (executor_.is_current()) return task();
  executor_.post(std::move(task));
}

void Desk::count(Found::Kind kind) {
  switch (kind) {
    case Found::Kind::fresh: return fresh_.add(1);
    case Found::Kind::stale: return stale_.add(1);
    case Found::Kind::failed: return failed_.add(1);
  }
}

net::Response HttpStrategies::bad_request(int status, const std::string& text) {
  desk_.count_bad_request();
  return plain(status, GrpcCode::invalid_argument, text);
}

net::Admission HttpStrategies::admit(const net::RequestHead& head) {
  net::Admission admission{body_bytes_max, {}};
  if (head.method != "GET" && head.method != "HEAD") {
    admission.refusal = bad_request(405, "only GET is taken here");
    admission.refusal->headers.emplace_back("allow", "GET, HEAD");
  }
  return admission;
}

void HttpStrategies::serve(net::Request request, net::Reply reply) {
  std::optional<std::string> service = only_value(request.query, "service");
  if (!service || service->empty())
    return reply.send(bad_request(400, "the parameter \"service\" must be given exactly once"));
  if (service->size() > service_bytes_max)
    return reply.send(bad_request(400, std::string(too_long)));
  desk_.ask(std::move(*service), [answer = std::move(reply)](const Found& found) mutable {
    answer.send(http_answer(found));
  });
}

net::Response HttpStrategies::transport_error(TransportError error, const net::RequestHead&,
                                              std::string_view detail) {
  desk_.count_bad_request();
  return transport_failure(error, detail);
}

net::Admission GrpcStrategies::admit(const net::RequestHead& head) {
  net::Admission admission{body_bytes_max, {}};
  if (head.is_grpc) return admission;
  desk_.count_bad_request();
  admission.refusal = plain(415, GrpcCode::internal, "the content type must be application/grpc");
  return admission;
}

void GrpcStrategies::serve(net::Request request, net::Reply reply) {
  std::optional<std::string> service = service_name(request.body.bytes());
  if (!service || service->size() > service_bytes_max) {
    desk_.count_bad_request();
    return reply.send(
        plain(400, GrpcCode::invalid_argument,
              service ? std::string(too_long) : "the parameters are not valid protobuf"));
  }
  desk_.ask(std::move(*service), [answer = std::move(reply)](Found found) mutable {
    answer.send(grpc_answer(std::move(found)));
  });
}

net::Response GrpcStrategies::transport_error(TransportError error, const net::RequestHead&,
                                              std::string_view detail) {
  desk_.count_bad_request();
  return transport_failure(error, detail);
}

}  // namespace sluice::remote_sampling
