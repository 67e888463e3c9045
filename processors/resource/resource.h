#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `resource`: the actions of `attributes`, on the attributes of resources.
ProcessorType resource_processor();

}  // namespace sluice
