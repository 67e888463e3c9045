#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `transform`: runs OTTL statements on spans, their events, scopes and resources.
ProcessorType transform_processor();

}  // namespace sluice
