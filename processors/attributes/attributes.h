#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `attributes`: sets, removes, hashes, extracts and converts attributes of spans.
ProcessorType attributes_processor();

}  // namespace sluice
