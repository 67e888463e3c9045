#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Tells Jaeger clients and OpenTelemetry SDKs how much to sample, over HTTP and gRPC, from a file
/// or from another server; also known as `remote_sampling`.
ExtensionType jaegerremotesampling_extension();

}  // namespace sluice
