#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Zipkin's ingest: v1 and v2 over HTTP in JSON, protobuf and Thrift, and over gRPC.
ReceiverType zipkin_receiver();

}  // namespace sluice
