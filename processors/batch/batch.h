#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `batch`: merges requests into batches of send_batch_size spans, waiting at most `timeout` for
/// more; with metadata_keys, one batch per combination of their values.
ProcessorType batch_processor();

}  // namespace sluice
