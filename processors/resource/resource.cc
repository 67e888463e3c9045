#include "processors/resource/resource.h"

#include <memory>
#include <optional>

#include "pipeline/attributes/edit.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice {
namespace {

class Resource final : public Transform {
 public:
  Resource(const ProcessorContext& context, std::shared_ptr<const AttributeActions> actions)
      : Transform(context), actions_(std::move(actions)), edit_(*actions_) {}

 protected:
  /// Each occurrence of a resource is edited once, for all of its spans.
  SpanBatch process(SpanBatch batch) override {
    edit_.set_context(batch.context().get());
    const std::span<const ResourceEntry> resources = batch.resources();
    std::optional<BatchEditor> editor;
    for (std::uint32_t i = 0; i < resources.size(); ++i) {
      if (!edit_.apply(batch.bytes(resources[i].resource))) continue;
      if (!editor) editor.emplace(batch);
      message_.truncate(0);
      if (edit_.size() <= AttributeEdit::size_max) edit_.write(message_);
      editor->replace_resource(i, message_.bytes());
    }
    return editor ? std::move(*editor).finish() : batch;
  }

 private:
  const std::shared_ptr<const AttributeActions> actions_;
  AttributeEdit edit_;
  BufferWriter message_;
};

}  // namespace

ProcessorType resource_processor() {
  return {{"resource", [](const config::Node& node) -> Decoded<ProcessorBuilder> {
             const auto actions = std::make_shared<const AttributeActions>(
                 AttributeActions::decode(node, "attributes", otlp::resource::attributes));
             node.no_other_keys();
             return {[actions](const ProcessorContext& context) {
                       return std::make_unique<Resource>(context, actions);
                     },
                     actions->reads_context()};
           }}};
}

}  // namespace sluice
