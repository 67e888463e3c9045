#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Sends spans as OTLP over gRPC; also known as `otlp_grpc`.
ExporterType otlp_exporter();

}  // namespace sluice
