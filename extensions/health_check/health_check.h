#pragma once

#include "pipeline/component.h"

namespace sluice {

/// Answers HTTP requests with 200 while the pipelines run, else with 503, in the collector's form.
ExtensionType health_check_extension();

}  // namespace sluice
