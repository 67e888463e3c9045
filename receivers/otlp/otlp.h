#pragma once

#include "pipeline/component.h"

namespace sluice {

/// OTLP over gRPC and HTTP, protobuf and JSON: `protocols.grpc`, `protocols.http`.
ReceiverType otlp_receiver();

}  // namespace sluice
