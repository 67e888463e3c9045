#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

/// "type" or "type/name" with blanks around both parts removed, as the collector reads it: the type
/// is a letter and up to 62 letters, digits and underscores; the name is up to 1,024 bytes without
/// blanks, control characters and symbols. Empty if `text` is no such id.
std::optional<std::string> parse_component_id(std::string_view text);

}  // namespace sluice::config
