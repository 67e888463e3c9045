#pragma once

#include <optional>
#include <string_view>

#include "processors/resourcedetection/detected.h"

namespace sluice::resourcedetection {

/// Attributes from the text of OTEL_RESOURCE_ATTRIBUTES, `key=value,key=value`, with values in the
/// encoding of a query (`%2C`, `+` for a blank). Nothing where it is not of that form.
std::optional<Detected> read_environment(std::string_view text);

}  // namespace sluice::resourcedetection
