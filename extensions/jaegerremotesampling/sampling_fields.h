#pragma once

#include <cstdint>

/// Field numbers of jaeger.api_v2's sampling messages.
namespace sluice::remote_sampling {

namespace parameters_field {
inline constexpr std::uint32_t service_name = 1;
}
namespace response_field {
inline constexpr std::uint32_t strategy_type = 1, probabilistic = 2, rate_limiting = 3,
                               operations = 4;
}
namespace probabilistic_field {
inline constexpr std::uint32_t sampling_rate = 1;
}
namespace rate_limiting_field {
inline constexpr std::uint32_t traces_per_second_max = 1;
}
namespace operations_field {
inline constexpr std::uint32_t default_probability = 1, default_lower_bound = 2, strategies = 3,
                               default_upper_bound = 4;
}
namespace operation_field {
inline constexpr std::uint32_t operation = 1, probabilistic = 2;
}

/// SamplingStrategyType.
inline constexpr std::uint64_t probabilistic_type = 0, rate_limiting_type = 1;

}  // namespace sluice::remote_sampling
