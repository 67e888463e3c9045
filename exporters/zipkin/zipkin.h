#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Sends spans to a Zipkin server, as v2 JSON or protobuf.
ExporterType zipkin_exporter();

}  // namespace sluice
