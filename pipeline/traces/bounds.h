#pragma once

#include <chrono>
#include <cstdint>

#include "config/node.h"

namespace sluice {

/// How long traces are held, and how much of them. Of all shards of a component together.
struct TraceBounds {
  std::chrono::nanoseconds wait{0};             ///< from a trace's first span
  std::chrono::nanoseconds wait_after_root{0};  ///< from its root, if that is earlier; 0: no
  std::uint64_t num_traces = 0;
  std::uint64_t max_bytes = 0;
  std::uint64_t trace_max_bytes = std::uint64_t{64} << 20;  ///< with this it is let go at once
  bool refuse_newcomers = false;  ///< where there are too many; else the oldest are let go
};

/// Reads `num_traces`, whose default is there already, `max_bytes` (half of the memory) and
/// `trace_max_bytes`.
void decode_trace_bounds(const config::Node& node, TraceBounds& bounds);

}  // namespace sluice
