#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `groupbytrace`: holds spans for a while, so that those of one trace leave together, each trace
/// as a batch of its own.
ProcessorType groupbytrace_processor();

}  // namespace sluice
