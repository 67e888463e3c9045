#pragma once

#include <string_view>

/// Keys of attributes and tags that both directions of the translation know.
namespace sluice::zipkin::name {

inline constexpr std::string_view service = "service.name";
inline constexpr std::string_view service_name_source = "otlp.service.name.source";
inline constexpr std::string_view peer_service = "service.peer.name";
inline constexpr std::string_view local_address = "network.local.address";
inline constexpr std::string_view local_port = "network.local.port";
inline constexpr std::string_view peer_address = "network.peer.address";
inline constexpr std::string_view peer_port = "network.peer.port";
inline constexpr std::string_view absent_start = "otel.zipkin.absentField.startTime";

/// Ours, for what OTLP has no field for.
inline constexpr std::string_view debug = "zipkin.debug";
inline constexpr std::string_view shared = "zipkin.shared";
inline constexpr std::string_view local_ipv6 = "zipkin.local.ipv6";  ///< beside an IPv4 address
inline constexpr std::string_view peer_ipv6 = "zipkin.peer.ipv6";

/// What others write where there is no service name.
inline constexpr std::string_view no_service = "OTLPResourceNoServiceName";

inline constexpr std::string_view error = "error";
inline constexpr std::string_view span_kind = "span.kind";
inline constexpr std::string_view trace_state = "w3c.tracestate";
inline constexpr std::string_view status_code = "otel.status_code";
inline constexpr std::string_view status_description = "otel.status_description";
inline constexpr std::string_view scope_name = "otel.scope.name";
inline constexpr std::string_view scope_version = "otel.scope.version";
inline constexpr std::string_view dropped_attributes = "otel.dropped_attributes_count";
inline constexpr std::string_view dropped_events = "otel.dropped_events_count";
inline constexpr std::string_view dropped_links = "otel.dropped_links_count";
inline constexpr std::string_view link = "otlp.link.";

}  // namespace sluice::zipkin::name
