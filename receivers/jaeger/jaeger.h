#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Jaeger's doors: of the agent (Thrift over UDP) and of the collector (Thrift over HTTP, gRPC).
ReceiverType jaeger_receiver();

}  // namespace sluice
