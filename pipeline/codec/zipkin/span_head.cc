// What a span is beside its tags and annotations, as fields and attributes.

#include <cstring>

#include "pipeline/codec/zipkin/names.h"
#include "pipeline/codec/zipkin/span_builder.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::zipkin {
namespace {

std::uint64_t sum(std::uint64_t a, std::uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

}  // namespace

void SpanBuilder::write_head() {
  write_ids();
  if (!head_.name.empty()) append_string(out_, otlp::span::name, head_.name);
  write_kind();
  write_times();
  if (has(TagRole::trace_state))
    append_string(out_, otlp::span::trace_state, slot(TagRole::trace_state).value);
  if (!head_.local.empty()) write_local();
  if (!head_.remote.empty()) write_endpoint(head_.remote, false);
  if (head_.debug) out_.attribute(otlp::span::attributes, name::debug, true);
  const Text& service = head_.local.service_name;
  if (service.size > role_text_max)
    append_attribute(out_, otlp::span::attributes, name::service, service);
  else if (has(TagRole::service_name) && !service_name().empty())
    write_single_as_attribute(TagRole::service_name);
  if (head_.shared && head_.kind != SpanKind::client)
    out_.attribute(otlp::span::attributes, name::shared, true);
}

/// Their sizes are known, so they are written as one piece.
void SpanBuilder::write_ids() {
  const auto put = [](char* at, std::uint32_t number, std::string_view bytes) {
    *at++ = static_cast<char>(wire::tag(number, wire::Type::length));
    *at++ = static_cast<char>(bytes.size());
    std::memcpy(at, bytes.data(), bytes.size());
    return at + bytes.size();
  };
  BufferWriter& bytes = out_.out();
  char* const start = bytes.tail(64);
  char* at = put(start, otlp::span::trace_id, head_.trace_id.view());
  at = put(at, otlp::span::span_id, head_.id.view());
  const bool has_parent = head_.parent_id.state == Id<8>::State::valid;
  if (has_parent && head_.parent_id.bytes != head_.id.bytes)
    at = put(at, otlp::span::parent_span_id, head_.parent_id.view());
  bytes.advance(static_cast<std::size_t>(at - start));
}

void SpanBuilder::write_kind() {
  SpanKind kind = head_.kind;
  if (has(TagRole::span_kind)) {
    if (kind == SpanKind::unspecified && text(TagRole::span_kind) == "internal")
      kind = SpanKind::internal;
    else
      write_single_as_attribute(TagRole::span_kind);
  }
  if (kind != SpanKind::unspecified)
    out_.varint(otlp::span::kind, static_cast<std::uint64_t>(kind));
}

void SpanBuilder::write_times() {
  std::uint64_t start = nanoseconds(head_.timestamp);
  if (head_.timestamp == 0) {
    if (version_ == Version::v1) start = options_.now_unix_nano;
    out_.attribute(otlp::span::attributes, name::absent_start, true);
  }
  const std::uint64_t end = sum(start, nanoseconds(head_.duration));
  if (start != 0) out_.fixed64(otlp::span::start_time, start);
  if (end != 0) out_.fixed64(otlp::span::end_time, end);
}

void SpanBuilder::write_local() {
  // Where no tag stands in for one of its attributes.
  KnownLocal* const known = present_.none() ? head_.known_local : nullptr;
  if (known != nullptr && known->attributes_size > 0)
    return out_.out().append({known->attributes.data(), known->attributes_size});
  const std::size_t before = out_.size();
  write_endpoint(head_.local, true);
  const std::string_view written = out_.out().bytes().substr(before);
  if (known == nullptr || written.size() > known->attributes.size()) return;
  known->attributes_size =
      static_cast<std::uint8_t>(written.copy(known->attributes.data(), written.size()));
}

void SpanBuilder::write_endpoint(const Endpoint& endpoint, bool local) {
  const auto number = otlp::span::attributes;
  const Address& address = endpoint.ipv4 ? endpoint.ipv4 : endpoint.ipv6;
  if (!local && !endpoint.service_name.empty() && !has(TagRole::peer_service))
    append_attribute(out_, number, name::peer_service, endpoint.service_name);
  if (address && !has(local ? TagRole::local_address : TagRole::peer_address))
    out_.attribute(number, local ? name::local_address : name::peer_address, address.text());
  if (endpoint.ipv4 && endpoint.ipv6)
    out_.attribute(number, local ? name::local_ipv6 : name::peer_ipv6, endpoint.ipv6.text());
  if (endpoint.port != 0 && !has(local ? TagRole::local_port : TagRole::peer_port))
    out_.attribute(number, local ? name::local_port : name::peer_port, std::int64_t{endpoint.port});
}

}  // namespace sluice::zipkin
