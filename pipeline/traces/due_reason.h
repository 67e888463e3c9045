#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice {

/// Why a trace was let go when it was.
enum class DueReason : std::uint8_t {
  waited,       ///< its time had come
  root,         ///< its root had come, and a while passed
  over_bytes,   ///< the oldest when all that is held had come to as many bytes as may be
  over_traces,  ///< the oldest when there were as many traces as may be
  too_large,    ///< it had itself come to as many bytes as a trace may have
  arrived,      ///< what its spans say was enough as they came
  stopped,      ///< the daemon stopped
};
inline constexpr std::array<std::string_view, 7> due_reason_words = {
    "waited", "root", "over_bytes", "over_traces", "too_large", "arrived", "stopped"};

}  // namespace sluice
