#pragma once

#include <functional>
#include <string>

#include "pipeline/model/span_batch.h"

namespace sluice {

/// Reads a file as the `file` exporter writes it, of any of its formats: lines of OTLP/JSON, or
/// records of protobuf or zstd with four bytes of length before each. Gives `take` one batch a
/// record. False with a sentence in `error`.
bool read_recording(const std::string& path, const std::function<void(SpanBatch)>& take,
                    std::string& error);

}  // namespace sluice
