#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::tail_sampling {

/// How many conditions on spans the policies of one processor may have between them.
inline constexpr std::size_t conditions_max = 256;

/// Which conditions some span of a trace has met, by their number.
using Matches = std::bitset<conditions_max>;

/// What a decision is made from: gathered span by span as they arrive, while their bytes are in the
/// cache, so that deciding reads no span again.
struct TraceFacts {
  std::array<char, 16> trace_id{};
  std::uint64_t spans = 0;
  std::uint64_t bytes = 0;        ///< of the spans' own fields on the wire
  std::uint64_t first_start = 0;  ///< the earliest start, Unix time in ns; 0: of no span
  std::uint64_t last_end = 0;     ///< the latest end
  Matches matched;

  std::string_view id() const { return {trace_id.data(), trace_id.size()}; }
  /// In whole milliseconds, as the collector counts it; negative where no end is behind a start.
  std::int64_t duration_ms() const {
    return (static_cast<std::int64_t>(last_end) - static_cast<std::int64_t>(first_start)) /
           1'000'000;
  }
};

}  // namespace sluice::tail_sampling
