#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `filter`: drops the spans, events and resources that OTTL conditions name.
ProcessorType filter_processor();

}  // namespace sluice
