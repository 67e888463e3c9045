#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::ottl {

/// What a name such as `IPV4` stands for: a regular expression (RE2) in which other patterns may be
/// named.
std::optional<std::string_view> grok_pattern(std::string_view name);
std::vector<std::string> grok_pattern_names();

}  // namespace sluice::ottl
