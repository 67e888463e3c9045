#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/net/server.h"

/// What goes back to a sender, in the form that it speaks (specification: OTLP, "OTLP/gRPC
/// Response" and "OTLP/HTTP Response").
namespace sluice::otlp_door {

/// How a request came, and so how its answer must look.
enum class Form : std::uint8_t { grpc, proto, json };

/// A gRPC status and the HTTP status that stands for it.
struct Refusal {
  net::GrpcCode grpc = net::GrpcCode::unknown;
  int status = 500;
  std::string message;
};

/// 200/OK. With spans left out or something to say, a partial success (a sender does not repeat
/// it).
net::Response accepted(Form form, std::uint64_t rejected_spans = 0, std::string_view message = {});
/// An error; over HTTP its body is a google.rpc.Status in the request's own encoding.
net::Response refused(Form form, const Refusal& refusal);
/// INVALID_ARGUMENT/400 with a BadRequest about the body, which is what the protocol asks for.
net::Response undecodable(Form form, const std::string& what);
/// UNAVAILABLE/503, to be sent again after `delay` (0: a second) and a random share more, so that
/// those who were refused together do not come back together.
net::Response come_back(Form form, std::string message, std::chrono::milliseconds delay = {});
/// Text for those who do not speak OTLP: wrong method, wrong content type.
net::Response plain(const Refusal& refusal);

}  // namespace sluice::otlp_door
