#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Extensions of the collector that look into a Go process: their sections load, and do nothing.
ExtensionType pprof_extension();
ExtensionType zpages_extension();

}  // namespace sluice
