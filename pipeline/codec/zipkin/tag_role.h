#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::zipkin {

/// What a tag becomes in OTLP. Every role up to `last_single` is kept aside as the span's only one
/// of its kind; the later of two counts.
enum class TagRole : std::uint8_t {
  status_code,         ///< otel.status_code
  status_description,  ///< otel.status_description
  error,
  span_kind,            ///< span.kind
  trace_state,          ///< w3c.tracestate
  service_name_source,  ///< otlp.service.name.source
  scope_name,           ///< otel.scope.name, otel.library.name
  scope_version,
  dropped_attributes,  ///< otel.dropped_attributes_count
  dropped_events,
  dropped_links,
  census_code,  ///< v1 alone: census.status_code
  census_description,
  service_name,  ///< service.name: the resource's where the local endpoint has none
  last_single = service_name,
  http_code,         ///< http.status_code, an attribute; in v1 it tells the status too
  http_description,  ///< http.status_message, likewise
  peer_service,      ///< service.peer.name or peer.service: an attribute; where it is, the
                     ///< remote endpoint's name is not written
  local_address,     ///< network.local.address and so on, likewise
  local_port,
  peer_address,
  peer_port,
  last_noted = peer_port,
  link,      ///< otlp.link.N
  resource,  ///< an attribute of the resource
  attribute,
};

TagRole role_of(std::string_view key);
/// The number of "otlp.link.N": below 128, without leading zeros; 128 for any other.
unsigned link_number(std::string_view key);

}  // namespace sluice::zipkin
