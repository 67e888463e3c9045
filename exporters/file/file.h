#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Writes spans to files, as OTLP/JSON lines or length-delimited protobuf, with rotation.
ExporterType file_exporter();

}  // namespace sluice
