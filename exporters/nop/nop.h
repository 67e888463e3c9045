#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Takes everything and forgets it: for measuring, and for pipelines whose connectors are what
/// matters.
ExporterType nop_exporter();

}  // namespace sluice
