#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "pipeline/intake/intake.h"
#include "pipeline/net/server.h"

/// What goes back to a sender. Jaeger's clients look at whether it is a 2xx, people read the text.
namespace sluice::jaeger_door {

/// A gRPC status and the HTTP status that stands for it.
struct Refusal {
  net::GrpcCode grpc = net::GrpcCode::unknown;
  int status = 500;
  std::string message;
};

/// 202 without a body; OK with an empty PostSpansResponse.
net::Response accepted();
net::Response refused(const Refusal& refusal);
net::Response undecodable(const std::string& what);
/// UNAVAILABLE/503, to be sent again after `delay` (0: a second) and a random share more, so that
/// those who were refused together do not come back together.
net::Response come_back(std::string message, std::chrono::milliseconds delay);
/// For what the transport found; counted.
net::Response faulty(Intake& intake, net::TransportError error, std::string_view detail);

}  // namespace sluice::jaeger_door
