#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pipeline/ottl/value.h"

namespace sluice::ottl {

/// A member of a W3C trace state: an empty string where it has none of that key, nil where the
/// whole is malformed.
Value trace_state_entry(std::string_view state, std::string_view key);
/// With the member first, as the specification asks of who changes it. Nothing where the state, the
/// key or the value is malformed.
std::optional<std::string> with_trace_state_entry(std::string_view state, std::string_view key,
                                                  std::string_view value);

}  // namespace sluice::ottl
