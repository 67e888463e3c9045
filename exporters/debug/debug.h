#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Shows spans to people: a line a batch, a line a span, or everything.
ExporterType debug_exporter();

}  // namespace sluice
