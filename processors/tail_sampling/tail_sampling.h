#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `tail_sampling`: holds the spans of a trace until it is complete, or as good as, and then keeps
/// or drops it whole.
ProcessorType tail_sampling_processor();

}  // namespace sluice
