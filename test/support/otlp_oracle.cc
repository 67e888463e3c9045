#include "test/support/otlp_oracle.h"

#include <cstring>
#include <sstream>
#include <stdexcept>

#include "framing.pb.h"
#include "otlp.pb.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"

namespace sluice::test {
namespace {

template <typename Message>
Message parsed(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw std::runtime_error("libprotobuf refuses a " + message.GetTypeName());
  }
  return message;
}

template <typename Message>
std::string canonical(std::string_view bytes) {
  return parsed<Message>(bytes).SerializeAsString();
}

bool valid_id(const std::string& id, std::size_t size) {
  return id.size() == size && id.find_first_not_of('\0') != std::string::npos;
}

bool valid_ids(const pb::Span& span) {
  return valid_id(span.trace_id(), 16) && valid_id(span.span_id(), 8) &&
         (span.parent_span_id().empty() || span.parent_span_id().size() == 8);
}

class Differences {
 public:
  explicit Differences(const std::string& where) : where_(where) {}

  template <typename One, typename Other>
  void check(const char* what, const One& ours, const Other& theirs) {
    if (ours == theirs) return;
    text_ << where_ << '.' << what << " differs\n";
  }
  void add(const std::string& differences) { text_ << differences; }
  std::string text() const { return text_.str(); }

 private:
  std::string where_;
  std::ostringstream text_;
};

std::uint64_t bits(double real) {
  std::uint64_t value = 0;
  std::memcpy(&value, &real, sizeof value);
  return value;
}

std::string compare_value(const AnyValueView& ours, const pb::AnyValue& theirs);

std::string compare_attributes(AttributeRange ours,
                               const google::protobuf::RepeatedPtrField<pb::KeyValue>& theirs) {
  Differences differences("attributes");
  for (const pb::KeyValue& expected : theirs) {
    const auto attribute = ours.next();
    if (!attribute) return "an attribute is missing\n";
    differences.check("key", attribute->key, expected.key());
    differences.check("has_value", attribute->has_value, expected.has_value());
    differences.add(compare_value(attribute->value(), expected.value()));
  }
  differences.check("count", ours.next().has_value(), false);
  return differences.text();
}

std::string compare_array(std::string_view ours, const pb::ArrayValue& theirs) {
  Differences differences("array");
  FieldRange values(ours, otlp::list::values);
  for (const pb::AnyValue& expected : theirs.values()) {
    const auto value = values.next();
    if (!value) return "an element is missing\n";
    differences.add(compare_value(AnyValueView(value->content), expected));
  }
  differences.check("count", values.next().has_value(), false);
  return differences.text();
}

std::string compare_value(const AnyValueView& ours, const pb::AnyValue& theirs) {
  using Type = AnyValueView::Type;
  Differences differences("value");
  switch (theirs.value_case()) {
    case pb::AnyValue::kStringValue:
      differences.check("type", ours.type() == Type::string, true);
      differences.check("string", ours.string(), theirs.string_value());
      break;
    case pb::AnyValue::kBytesValue:
      differences.check("type", ours.type() == Type::bytes, true);
      differences.check("bytes", ours.string(), theirs.bytes_value());
      break;
    case pb::AnyValue::kBoolValue:
      differences.check("type", ours.type() == Type::boolean, true);
      differences.check("bool", ours.boolean(), theirs.bool_value());
      break;
    case pb::AnyValue::kIntValue:
      differences.check("type", ours.type() == Type::integer, true);
      differences.check("int", ours.integer(), theirs.int_value());
      break;
    case pb::AnyValue::kDoubleValue:
      differences.check("type", ours.type() == Type::real, true);
      differences.check("double", bits(ours.real()), bits(theirs.double_value()));
      break;
    case pb::AnyValue::kArrayValue:
      differences.check("type", ours.type() == Type::array, true);
      differences.add(compare_array(ours.string(), theirs.array_value()));
      break;
    case pb::AnyValue::kKvlistValue:
      differences.check("type", ours.type() == Type::kvlist, true);
      differences.add(compare_attributes(AttributeRange(ours.string(), otlp::list::values),
                                         theirs.kvlist_value().values()));
      break;
    case pb::AnyValue::VALUE_NOT_SET:
      differences.check("type", ours.type() == Type::empty, true);
      break;
  }
  return differences.text();
}

std::string compare_event(const EventView& ours, const pb::Event& theirs) {
  Differences differences("event");
  differences.check("time", ours.time_unix_nano, theirs.time_unix_nano());
  differences.check("name", ours.name, theirs.name());
  differences.check("dropped", ours.dropped_attributes_count, theirs.dropped_attributes_count());
  differences.add(compare_attributes(ours.attributes(), theirs.attributes()));
  return differences.text();
}

std::string compare_link(const LinkView& ours, const pb::Link& theirs) {
  Differences differences("link");
  differences.check("trace_id", ours.trace_id, theirs.trace_id());
  differences.check("span_id", ours.span_id, theirs.span_id());
  differences.check("trace_state", ours.trace_state, theirs.trace_state());
  differences.check("flags", ours.flags, theirs.flags());
  differences.check("dropped", ours.dropped_attributes_count, theirs.dropped_attributes_count());
  differences.add(compare_attributes(ours.attributes(), theirs.attributes()));
  return differences.text();
}

std::string compare_singular(const SpanView& ours, const pb::Span& theirs) {
  Differences differences("span");
  const std::string& parent = theirs.parent_span_id();
  const bool root = parent.find_first_not_of('\0') == std::string::npos;
  differences.check("trace_id", ours.trace_id(), theirs.trace_id());
  differences.check("span_id", ours.span_id(), theirs.span_id());
  differences.check("parent_span_id", ours.parent_span_id(), root ? std::string() : parent);
  differences.check("trace_state", ours.trace_state(), theirs.trace_state());
  differences.check("name", ours.name(), theirs.name());
  differences.check("kind", static_cast<std::int32_t>(ours.kind()), theirs.kind());
  differences.check("start", ours.start_time_unix_nano(), theirs.start_time_unix_nano());
  differences.check("end", ours.end_time_unix_nano(), theirs.end_time_unix_nano());
  differences.check("flags", ours.flags(), theirs.flags());
  differences.check("dropped_attributes", ours.dropped_attributes_count(),
                    theirs.dropped_attributes_count());
  differences.check("dropped_events", ours.dropped_events_count(), theirs.dropped_events_count());
  differences.check("dropped_links", ours.dropped_links_count(), theirs.dropped_links_count());
  differences.check("has_status", ours.has_status(), theirs.has_status());
  differences.check("status.code", static_cast<std::int32_t>(ours.status_code()),
                    theirs.status().code());
  differences.check("status.message", ours.status_message(), theirs.status().message());
  return differences.text();
}

}  // namespace

bool oracle_accepts_framing(std::string_view request) {
  framing::ExportTraceServiceRequest message;
  return message.ParseFromArray(request.data(), static_cast<int>(request.size()));
}

std::vector<OracleSpan> oracle_spans(std::string_view request, bool drop_invalid_ids) {
  std::vector<OracleSpan> spans;
  const auto message = parsed<pb::ExportTraceServiceRequest>(request);
  for (pb::ResourceSpans resource : message.resource_spans()) {
    OracleSpan span;
    span.resource = resource.resource().SerializeAsString();
    const auto scopes = resource.scope_spans();
    resource.clear_resource();
    resource.clear_scope_spans();
    span.resource_rest = resource.SerializeAsString();
    for (pb::ScopeSpans scope : scopes) {
      span.scope = scope.scope().SerializeAsString();
      const auto own = scope.spans();
      scope.clear_scope();
      scope.clear_spans();
      span.scope_rest = scope.SerializeAsString();
      for (const pb::Span& each : own) {
        if (drop_invalid_ids && !valid_ids(each)) continue;
        span.span = each.SerializeAsString();
        spans.push_back(span);
      }
    }
  }
  return spans;
}

std::vector<OracleSpan> oracle_spans(const SpanBatch& batch) {
  std::vector<OracleSpan> spans;
  for (const SpanEntry& entry : batch.spans()) {
    const ResourceEntry& resource = batch.resource_of(entry);
    const ScopeEntry& scope = batch.scopes()[entry.scope];
    spans.push_back({canonical<pb::Resource>(batch.resource_bytes(entry)),
                     canonical<pb::ResourceSpans>(batch.bytes(resource.extra)),
                     canonical<pb::InstrumentationScope>(batch.scope_bytes(entry)),
                     canonical<pb::ScopeSpans>(batch.bytes(scope.extra)),
                     canonical<pb::Span>(batch.span_bytes(entry))});
  }
  return spans;
}

std::string oracle_span(std::string_view message) { return canonical<pb::Span>(message); }
std::string oracle_resource(std::string_view message) { return canonical<pb::Resource>(message); }
std::string oracle_scope(std::string_view message) {
  return canonical<pb::InstrumentationScope>(message);
}

std::string view_differences(const SpanView& ours) {
  const auto theirs = parsed<pb::Span>(ours.message());
  Differences differences("");
  differences.add(compare_singular(ours, theirs));
  differences.add(compare_attributes(ours.attributes(), theirs.attributes()));
  FieldRange events = ours.events();
  for (const pb::Event& expected : theirs.events()) {
    const auto event = events.next();
    if (!event) return "an event is missing\n";
    differences.add(compare_event(EventView(event->content), expected));
  }
  FieldRange links = ours.links();
  for (const pb::Link& expected : theirs.links()) {
    const auto link = links.next();
    if (!link) return "a link is missing\n";
    differences.add(compare_link(LinkView(link->content), expected));
  }
  differences.check("events", events.next().has_value(), false);
  differences.check("links", links.next().has_value(), false);
  return differences.text();
}

}  // namespace sluice::test
