#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "pipeline/sampling/threshold.h"

namespace sluice {

/// How many questions one component may ask of spans.
inline constexpr std::size_t conditions_max = 256;

/// Which of them some span of a trace has answered with yes, by their number.
using Matches = std::bitset<conditions_max>;

using TraceId = std::array<char, 16>;

/// As two numbers: what compilers make of comparing the arrays is a call, which took a twentieth of
/// all time.
inline bool same_id(const TraceId& one, const TraceId& other) {
  using Halves = std::array<std::uint64_t, 2>;
  const auto a = std::bit_cast<Halves>(one), b = std::bit_cast<Halves>(other);
  return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

/// What is known of a trace: gathered span by span as they arrive, while their bytes are in the
/// cache, so that deciding on it reads no span again.
struct TraceFacts {
  TraceId trace_id{};
  std::uint64_t spans = 0;
  std::uint64_t bytes = 0;        ///< as OTLP protobuf, with their resources and scopes
  std::uint64_t first_start = 0;  ///< the earliest start, Unix time in ns; 0: of no span
  std::uint64_t last_end = 0;     ///< the latest end
  /// The latest end there was when a span without a start came: its trace had been going on since
  /// 1970 then, as the collector sees it.
  std::uint64_t last_end_unstarted = 0;
  Matches matched;
  std::uint64_t random_bits = no_random_bits;  ///< `rv` of a trace state, where they are wanted
  bool has_root = false;
  bool has_unstarted = false;  ///< some span has no start

  static constexpr std::uint64_t no_random_bits = UINT64_MAX;

  std::string_view id() const { return {trace_id.data(), trace_id.size()}; }
  /// As they were said, or of the id.
  std::uint64_t randomness() const {
    return random_bits != no_random_bits ? random_bits : sampling::randomness_of(id());
  }

  /// In whole milliseconds, as the collector counts it: negative where no end is behind a start, at
  /// the limit of its numbers where times are beyond them.
  std::int64_t duration_ms() const {
    std::int64_t duration = 0;
    const auto start = static_cast<std::int64_t>(first_start);
    if (__builtin_sub_overflow(static_cast<std::int64_t>(last_end), start, &duration)) {
      using Limits = std::numeric_limits<std::int64_t>;
      duration = start < 0 ? Limits::max() : Limits::min();
    }
    return duration / 1'000'000;
  }

  /// Takes in what further spans of the trace say.
  void add(const TraceFacts& more) {
    spans += more.spans;
    bytes += more.bytes;
    if (more.has_unstarted)
      last_end_unstarted = std::max({last_end_unstarted, more.last_end_unstarted, last_end});
    has_unstarted = has_unstarted || more.has_unstarted;
    if (first_start == 0 || more.first_start < first_start) first_start = more.first_start;
    last_end = std::max(last_end, more.last_end);
    matched |= more.matched;
    random_bits = std::min(random_bits, more.random_bits);
    has_root = has_root || more.has_root;
  }
};

}  // namespace sluice
