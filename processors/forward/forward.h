#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `forward`: hands everything on to the pipelines that have it among their receivers.
ConnectorType forward_connector();

}  // namespace sluice
