#pragma once

#include <chrono>
#include <string>

#include "pipeline/net/server.h"

/// What goes back to a Zipkin client: a status and, for what went wrong, a sentence as text.
namespace sluice::zipkin_door {

struct Refusal {
  net::GrpcCode grpc = net::GrpcCode::unknown;
  int status = 500;
  std::string message;
};

/// 202 without a body; OK with an empty message.
net::Response accepted();
net::Response refused(Refusal refusal);
/// 503/UNAVAILABLE, to be sent again after `delay` (0: a second) and a random share more, so that
/// those who were refused together do not come back together.
net::Response come_back(std::string message, std::chrono::milliseconds delay = {});

}  // namespace sluice::zipkin_door
