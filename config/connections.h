#pragma once

#include <cstddef>
#include <vector>

#include "config/document.h"

namespace sluice::config {

/// The pipelines (indexes into `service.pipelines`) such that each comes behind all that it sends
/// to through connectors. Those that lie on a circle, or lead into one, are missing.
std::vector<std::size_t> downstream_first(const Document& document);

/// What is wrong with the connectors that pipelines name: an id that a receiver or an exporter has
/// too, one side missing, spans that would go in a circle. Each circle is drawn.
void check_connections(const Document& document, Problems& problems);

}  // namespace sluice::config
