#include "processors/redaction/redaction.h"

#include <memory>
#include <optional>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"
#include "processors/redaction/attribute_redaction.h"
#include "processors/redaction/options.h"

namespace sluice {
namespace {

using redaction::AttributeRedaction;
using redaction::Options;

class Redaction final : public Transform {
 public:
  Redaction(const ProcessorContext& context, std::shared_ptr<const Options> options)
      : Transform(context),
        options_(std::move(options)),
        resource_(*options_, otlp::resource::attributes),
        scope_(*options_, otlp::scope::attributes),
        span_(*options_, otlp::span::attributes),
        event_(*options_, otlp::event::attributes) {}

 protected:
  SpanBatch process(SpanBatch batch) override {
    std::optional<BatchEditor> editor;
    const auto edit = [&]() -> BatchEditor& { return editor ? *editor : editor.emplace(batch); };
    const std::span<const ResourceEntry> resources = batch.resources();
    for (std::uint32_t i = 0; i < resources.size(); ++i) {
      if (resource_.apply(batch.bytes(resources[i].resource)))
        edit().replace_resource(i, written(resource_.patch()));
    }
    const std::span<const ScopeEntry> scopes = batch.scopes();
    for (std::uint32_t i = 0; i < scopes.size(); ++i) {
      if (scope_.apply(batch.bytes(scopes[i].scope)))
        edit().replace_scope(i, written(scope_.patch()));
    }
    for (std::uint32_t i = 0; i < batch.span_count(); ++i) {
      if (!redact_span(batch.span_bytes(i))) continue;
      if (span_.patch().size() > MessagePatch::size_max) {
        edit().drop_span(i);
        continue;
      }
      span_.patch().write(edit().begin_span(i));
      edit().end_span();
    }
    return editor ? std::move(*editor).finish() : batch;
  }

 private:
  /// An event is a message of its own within the span's; one that is malformed is left out where it
  /// cannot be read.
  bool redact_span(std::string_view message) {
    span_.begin(message);
    bool changed = false;
    wire::Cursor cursor(message);
    wire::Field field;
    while (cursor.next(field)) {
      if (field.type != wire::Type::length) continue;
      if (field.number == otlp::span::attributes) {
        span_.redact(field.whole, field.content);
      } else if (field.number == otlp::span::events && event_.apply(field.content)) {
        MessagePatch& patch = span_.patch();
        patch.replace(field.whole, patch.message_field(otlp::span::events, event_.patch()));
        changed = true;
      }
    }
    return span_.end() || changed;
  }

  /// A message that masks would make absurdly large loses all that it has.
  std::string_view written(const MessagePatch& patch) {
    message_.truncate(0);
    if (patch.size() <= MessagePatch::size_max) patch.write(message_);
    return message_.bytes();
  }

  const std::shared_ptr<const Options> options_;
  AttributeRedaction resource_, scope_, span_, event_;
  BufferWriter message_;
};

}  // namespace

ProcessorType redaction_processor() {
  return {{"redaction", [](const config::Node& node) -> Decoded<ProcessorBuilder> {
             const auto options = std::make_shared<const Options>(Options::decode(node));
             return [options](const ProcessorContext& context) {
               return std::make_unique<Redaction>(context, options);
             };
           }}};
}

}  // namespace sluice
