#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/model/span_batch.h"

namespace sluice::loadbalancing {

/// What spans are routed by.
struct RoutingKey {
  enum class Kind : std::uint8_t { trace_id, attributes };
  Kind kind = Kind::trace_id;
  std::vector<std::string> attributes;  ///< `service` is service.name alone
};

/// The position on the ring of each span of the batch.
std::vector<std::uint32_t> ring_positions(const SpanBatch& batch, const RoutingKey& key);

}  // namespace sluice::loadbalancing
