#pragma once

#include "pipeline/ledger.h"
#include "pipeline/metrics.h"

namespace sluice {

/// Registers what the collector says about its own process (otelcol_process_…), and the ledger's
/// bytes. `ledger` outlives the registry's last exposition.
/// otelcol_process_runtime_total_alloc_bytes has no counterpart: the C library does not count what
/// was ever allocated.
void register_process_metrics(Metrics& metrics, const Ledger& ledger);

}  // namespace sluice
