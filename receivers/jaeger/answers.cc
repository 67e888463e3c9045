#include "receivers/jaeger/answers.h"

#include <algorithm>
#include <random>
#include <utility>

namespace sluice::jaeger_door {
namespace {

using namespace std::chrono_literals;
using net::GrpcCode;
using net::TransportError;

/// Nothing depends on how random this is.
std::chrono::milliseconds random_below(std::chrono::milliseconds limit) {
  thread_local std::minstd_rand random{std::random_device()()};
  std::uniform_int_distribution<std::int64_t> below(0, limit.count());
  return std::chrono::milliseconds(below(random));
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

}  // namespace

net::Response accepted() {
  net::Response response;
  response.status = 202;
  return response;
}

net::Response refused(const Refusal& refusal) {
  net::Response response;
  response.grpc = refusal.grpc;
  response.status = refusal.status;
  response.message = refusal.message;
  response.content_type = "text/plain; charset=utf-8";
  response.body = refusal.message + '\n';
  return response;
}

net::Response undecodable(const std::string& what) {
  return refused({GrpcCode::invalid_argument, 400, what});
}

net::Response come_back(std::string message, std::chrono::milliseconds delay) {
  if (delay <= 0ms) delay = 1s;
  net::Response response = refused({GrpcCode::unavailable, 503, std::move(message)});
  response.retry_after =
      delay + random_below(std::max<std::chrono::milliseconds>(delay / 2, 100ms));
  return response;
}

net::Response faulty(Intake& intake, TransportError error, std::string_view detail) {
  Fault fault = fault_of(error);
  intake.count_refused(fault.reason);
  if (!detail.empty()) fault.refusal.message.append(": ").append(detail);
  if (error == TransportError::busy) return come_back(std::move(fault.refusal.message), {});
  return refused(fault.refusal);
}

}  // namespace sluice::jaeger_door
