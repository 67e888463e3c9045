#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::remote_sampling {

/// The value of `key` in the query of a URL, which holds it exactly once; percent-decoded, '+' is a
/// space. Empty where it is absent, there twice, or not validly encoded.
std::optional<std::string> only_value(std::string_view query, std::string_view key);

}  // namespace sluice::remote_sampling
