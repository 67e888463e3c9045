#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/codec/jaeger/jaeger.h"

namespace sluice::jaeger_door {

/// What becomes of one datagram before the pipeline; all but `taken` are reasons of a counter.
enum class Outcome : std::uint8_t {
  taken,
  empty,           ///< of no bytes
  too_large,       ///< longer than max_packet_size
  malformed,       ///< not Thrift in this protocol, or no batch in it
  wrong_type,      ///< a message, but no call
  unknown_method,  ///< a call, but not of the agent's methods
  invalid_id,      ///< strict: a span without valid ids
};
inline constexpr std::size_t outcome_count = 7;

/// Reads the message of one datagram, a call of the agent's `emitBatch` or `emitZipkinBatch`, and
/// appends its spans to `out`, or nothing. `now` (ns) stands in for times that a Zipkin span lacks.
template <typename Reader>
Outcome read_datagram(std::string_view bytes, std::uint64_t now, SpanWriter& out,
                      jaeger::Report& report);
extern template Outcome read_datagram<thrift::BinaryReader>(std::string_view, std::uint64_t,
                                                            SpanWriter&, jaeger::Report&);
extern template Outcome read_datagram<thrift::CompactReader>(std::string_view, std::uint64_t,
                                                             SpanWriter&, jaeger::Report&);

}  // namespace sluice::jaeger_door
