#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `routing`: hands each span on to the pipelines that a table of conditions names.
ConnectorType routing_connector();

}  // namespace sluice
