#pragma once

#include <string>
#include <vector>

#include "config/document.h"

namespace sluice::config {

/// The pipelines of traces, and, where pipelines of other signals are skipped, those too: what only
/// they use is nobody's business here.
struct Pipelines {
  std::vector<PipelineSection> traces;
  std::vector<PipelineSection> skipped;
};

/// `service.pipelines`. Pipelines of other signals are errors unless `traces_only`.
Pipelines decode_pipelines(const Node& pipelines, bool traces_only);

/// Checks that every component that is named exists, and names the nearest where it does not.
void check_references(const Document& document, Problems& problems);

}  // namespace sluice::config
