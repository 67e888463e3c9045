#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Sends all spans of a trace to the same one of several members, over OTLP/gRPC; also known as
/// `load_balancing`.
ExporterType loadbalancing_exporter();

}  // namespace sluice
