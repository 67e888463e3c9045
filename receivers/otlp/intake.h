#pragma once

#include "pipeline/intake/intake.h"
#include "pipeline/net/server.h"
#include "receivers/otlp/answers.h"

namespace sluice::otlp_door {

/// From a request's body into the pipeline, and the answer in the sender's form.
void take(Intake& intake, net::Request request, Form form, net::Reply reply);

}  // namespace sluice::otlp_door
