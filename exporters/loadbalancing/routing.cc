#include "exporters/loadbalancing/routing.h"

#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "exporters/loadbalancing/hash_ring.h"
#include "pipeline/attributes/value.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"

namespace sluice::loadbalancing {
namespace {

std::string_view kind_name(SpanKind kind) {
  switch (kind) {
    case SpanKind::unspecified: return "Unspecified";
    case SpanKind::internal: return "Internal";
    case SpanKind::server: return "Server";
    case SpanKind::client: return "Client";
    case SpanKind::producer: return "Producer";
    case SpanKind::consumer: return "Consumer";
  }
  return "";
}

std::vector<std::uint32_t> positions_by_trace_id(const SpanBatch& batch) {
  std::vector<std::uint32_t> positions;
  positions.reserve(batch.span_count());
  std::string_view last_id;
  for (const SpanEntry& entry : batch.spans()) {
    const std::string_view id = batch.view(entry).trace_id();
    positions.push_back(id == last_id ? positions.back() : ring_position(id));
    last_id = id;
  }
  return positions;
}

/// As the collector has it: the spans of one trace in one scope go together, by the attributes of
/// the first of them. A key is `NAME=VALUE|` for each attribute in order, of the resource, else of
/// the scope, else of the span, where `span.kind` and `span.name` stand for its fields; else
/// `NAME=|`.
class AttributePositions {
 public:
  AttributePositions(const SpanBatch& batch, const std::vector<std::string>& attributes)
      : batch_(batch), attributes_(attributes), of_scope_(batch.scopes().size()) {}

  std::uint32_t of(const SpanEntry& entry) {
    std::optional<std::uint32_t>& of_scope = of_scope_[entry.scope];
    if (of_scope) return *of_scope;
    const SpanView span = batch_.view(entry);
    const auto [found, fresh] = of_trace_.try_emplace({entry.scope, span.trace_id()});
    if (!fresh) return found->second;
    bool asked_span = false;
    const std::uint32_t position = ring_position(key_of(entry, span, asked_span));
    if (!asked_span) of_scope = position;
    return found->second = position;
  }

 private:
  std::string key_of(const SpanEntry& entry, const SpanView& span, bool& asked_span) const {
    std::string key;
    for (const std::string& name : attributes_) {
      key += name + '=';
      std::optional<KeyValueView> found =
          find_attribute(batch_.resource_bytes(entry), otlp::resource::attributes, name);
      if (!found) found = find_attribute(batch_.scope_bytes(entry), otlp::scope::attributes, name);
      if (found) {
        key += text_of(found->value());
      } else {
        asked_span = true;
        key += text_of_span(span, name);
      }
      key += '|';
    }
    return key;
  }

  static std::string text_of_span(const SpanView& span, std::string_view name) {
    if (name == "span.kind") return std::string(kind_name(span.kind()));
    if (name == "span.name") return std::string(span.name());
    const std::optional<KeyValueView> found = span.attribute(name);
    return found ? text_of(found->value()) : "";
  }

  const SpanBatch& batch_;
  const std::vector<std::string>& attributes_;
  std::vector<std::optional<std::uint32_t>> of_scope_;  ///< where spans need not be asked
  /// Ordered: senders choose their ids, and could make hashes of them collide.
  std::map<std::pair<std::uint32_t, std::string_view>, std::uint32_t> of_trace_;
};

}  // namespace

std::vector<std::uint32_t> ring_positions(const SpanBatch& batch, const RoutingKey& key) {
  if (key.kind == RoutingKey::Kind::trace_id) return positions_by_trace_id(batch);
  AttributePositions by_attributes(batch, key.attributes);
  std::vector<std::uint32_t> positions;
  positions.reserve(batch.span_count());
  for (const SpanEntry& entry : batch.spans()) positions.push_back(by_attributes.of(entry));
  return positions;
}

}  // namespace sluice::loadbalancing
