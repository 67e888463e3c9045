#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The sentence about a component whose type is none of `known`: the nearest one, or that the
/// collector has such a `kind` ("receiver", "processor", …) and sluice has not, and what there is.
std::string unknown_type(std::string_view kind, std::string_view type,
                         const std::vector<std::string>& known);

}  // namespace sluice
