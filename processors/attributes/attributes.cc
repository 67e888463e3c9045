#include "processors/attributes/attributes.h"

#include <memory>
#include <utility>

#include "pipeline/attributes/edit.h"
#include "pipeline/attributes/edit_spans.h"
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
    return edit_spans(std::move(batch), config_->matcher, edit_);
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
