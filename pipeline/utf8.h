#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/model/span_batch.h"

namespace sluice {

bool valid_utf8(std::string_view text);
/// Each maximal invalid sequence becomes one U+FFFD.
std::string repair_utf8(std::string_view text);

struct RepairedBatch {
  SpanBatch batch;
  std::uint64_t strings = 0;  ///< how many were repaired; 0: `batch` is the one that came in
};
/// Repairs every string of every span, scope and resource (keys, values, names, nested ones too),
/// for backends that refuse invalid UTF-8.
RepairedBatch repair_utf8(const SpanBatch& batch);

}  // namespace sluice
