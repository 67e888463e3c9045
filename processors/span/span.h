#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `span`: makes names of spans from attributes and attributes from names, and sets the status.
ProcessorType span_processor();

}  // namespace sluice
