#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::remote_sampling {

/// A SamplingStrategyResponse in protobuf as the JSON that clients read: fields that are zero are
/// written out, messages that are absent are not. Empty where it is not valid, or a number is not
/// finite.
std::optional<std::string> strategy_json(std::string_view response);

}  // namespace sluice::remote_sampling
