#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Sends spans as OTLP over HTTP, in protobuf or JSON; also known as `otlp_http`.
ExporterType otlphttp_exporter();

}  // namespace sluice
