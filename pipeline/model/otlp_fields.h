#pragma once

#include <cstdint>

/// Field numbers of the OTLP trace messages (opentelemetry-proto 1.11.0).
namespace sluice::otlp {

namespace request {
inline constexpr std::uint32_t resource_spans = 1;
}
namespace resource_spans {
inline constexpr std::uint32_t resource = 1, scope_spans = 2, schema_url = 3;
}
namespace scope_spans {
inline constexpr std::uint32_t scope = 1, spans = 2, schema_url = 3;
}
namespace resource {
inline constexpr std::uint32_t attributes = 1, dropped_attributes_count = 2, entity_refs = 3;
}
namespace entity_ref {
inline constexpr std::uint32_t schema_url = 1, type = 2, id_keys = 3, description_keys = 4;
}
namespace scope {
inline constexpr std::uint32_t name = 1, version = 2, attributes = 3, dropped_attributes_count = 4;
}
namespace span {
inline constexpr std::uint32_t trace_id = 1, span_id = 2, trace_state = 3, parent_span_id = 4,
                               name = 5, kind = 6, start_time = 7, end_time = 8, attributes = 9,
                               dropped_attributes_count = 10, events = 11,
                               dropped_events_count = 12, links = 13, dropped_links_count = 14,
                               status = 15, flags = 16;
}
namespace event {
inline constexpr std::uint32_t time = 1, name = 2, attributes = 3, dropped_attributes_count = 4;
}
namespace link {
inline constexpr std::uint32_t trace_id = 1, span_id = 2, trace_state = 3, attributes = 4,
                               dropped_attributes_count = 5, flags = 6;
}
namespace status {
inline constexpr std::uint32_t message = 2, code = 3;
}
namespace key_value {
inline constexpr std::uint32_t key = 1, value = 2;
}
namespace any_value {
inline constexpr std::uint32_t string_value = 1, bool_value = 2, int_value = 3, double_value = 4,
                               array_value = 5, kvlist_value = 6, bytes_value = 7;
}
namespace list {
inline constexpr std::uint32_t values = 1;
}  // namespace list
namespace response {
inline constexpr std::uint32_t partial_success = 1;
}
namespace partial_success {
inline constexpr std::uint32_t rejected_spans = 1, error_message = 2;
}

}  // namespace sluice::otlp
