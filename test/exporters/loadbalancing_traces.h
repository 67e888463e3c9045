#pragma once

#include <cstdint>
#include <string>

#include "test/support/otlp_builder.h"

namespace sluice::test {

/// Trace id number `number` of the vectors: its product with 2^64 / phi, and the number itself,
/// both big-endian.
inline std::string ring_id(std::uint64_t number) {
  std::string id;
  for (const std::uint64_t half : {number * 0x9e3779b97f4a7c15, number}) {
    for (int shift = 56; shift >= 0; shift -= 8) id += static_cast<char>(half >> shift);
  }
  return id;
}

/// A span in each of the traces [first, last], named after it.
inline SpanBatch traces(std::uint64_t first, std::uint64_t last) {
  ResourceSpec resource{.service = "shop"};
  for (std::uint64_t n = first; n <= last; ++n) {
    resource.spans.push_back({.name = std::to_string(n), .trace_id = ring_id(n)});
  }
  return make_batch({resource});
}

}  // namespace sluice::test
