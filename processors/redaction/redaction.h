#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `redaction`: removes attributes whose keys are not allowed, and masks values that are blocked.
ProcessorType redaction_processor();

}  // namespace sluice
