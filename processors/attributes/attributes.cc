#include "processors/attributes/attributes.h"

#include <memory>
#include <optional>

#include "pipeline/attributes/edit.h"
#include "pipeline/attributes/match.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice {
namespace {

struct AttributesConfig {
  AttributeActions actions;
  SpanMatcher matcher;
};

AttributesConfig decode(const config::Node& node) {
  AttributesConfig config;
  config.actions = AttributeActions::decode(node, "actions", otlp::span::attributes);
  config.matcher = SpanMatcher::decode(node);
  node.no_other_keys();
  return config;
}

class Attributes final : public Transform {
 public:
  Attributes(const ProcessorContext& context, std::shared_ptr<const AttributesConfig> config)
      : Transform(context), config_(std::move(config)), edit_(config_->actions) {}

 protected:
  SpanBatch process(SpanBatch batch) override {
    edit_.set_context(batch.context().get());
    const bool all = config_->matcher.matches_all();
    SpanMatcher::Walk walk(config_->matcher, batch);
    const std::span<const SpanEntry> spans = batch.spans();
    std::optional<BatchEditor> editor;
    for (std::uint32_t i = 0; i < spans.size(); ++i) {
      if (!all && !walk.matches(spans[i])) continue;
      if (!edit_.apply(batch.span_bytes(spans[i]))) continue;
      if (!editor) editor.emplace(batch);
      if (edit_.size() > AttributeEdit::size_max) {
        editor->drop_span(i);
        continue;
      }
      edit_.write(editor->begin_span(i));
      editor->end_span();
    }
    return editor ? std::move(*editor).finish() : batch;
  }

 private:
  const std::shared_ptr<const AttributesConfig> config_;
  AttributeEdit edit_;
};

}  // namespace

ProcessorType attributes_processor() {
  return {{"attributes", [](const config::Node& node) -> Decoded<ProcessorBuilder> {
             const auto config = std::make_shared<const AttributesConfig>(decode(node));
             return {[config](const ProcessorContext& context) {
                       return std::make_unique<Attributes>(context, config);
                     },
                     config->actions.reads_context()};
           }}};
}

}  // namespace sluice
