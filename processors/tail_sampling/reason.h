#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::tail_sampling {

/// Why a trace was decided when it was.
enum class Reason : std::uint8_t {
  waited,       ///< its time had come
  root,         ///< its root had come, and a while passed
  over_bytes,   ///< the oldest when max_bytes was reached
  over_traces,  ///< the oldest when num_traces was reached
  too_large,    ///< it passed trace_max_bytes or maximum_trace_size_bytes
  arrived,      ///< a policy could say so as its spans came (span-ingest)
  stopped,      ///< the daemon stopped
};
inline constexpr std::array<std::string_view, 7> reason_words = {
    "waited", "root", "over_bytes", "over_traces", "too_large", "arrived", "stopped"};

}  // namespace sluice::tail_sampling
