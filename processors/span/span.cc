#include "processors/span/span.h"

#include <memory>
#include <optional>

#include "processors/span/options.h"
#include "processors/span/span_edit.h"

namespace sluice {
namespace {

using span_processing::Options;
using span_processing::SpanEdit;

class Span final : public Transform {
 public:
  Span(const ProcessorContext& context, std::shared_ptr<const Options> options)
      : Transform(context), options_(std::move(options)), edit_(*options_) {}

 protected:
  SpanBatch process(SpanBatch batch) override {
    const bool all = options_->matcher.matches_all();
    SpanMatcher::Walk walk(options_->matcher, batch);
    const std::span<const SpanEntry> spans = batch.spans();
    std::optional<BatchEditor> editor;
    for (std::uint32_t i = 0; i < spans.size(); ++i) {
      if (!all && !walk.matches(spans[i])) continue;
      if (!edit_.apply(batch.span_bytes(spans[i]))) continue;
      if (!editor) editor.emplace(batch);
      if (edit_.patch().size() > MessagePatch::size_max) {
        editor->drop_span(i);
        continue;
      }
      edit_.patch().write(editor->begin_span(i));
      editor->end_span();
    }
    return editor ? std::move(*editor).finish() : batch;
  }

 private:
  const std::shared_ptr<const Options> options_;
  SpanEdit edit_;
};

}  // namespace

ProcessorType span_processor() {
  return {{"span", [](const config::Node& node) -> Decoded<ProcessorBuilder> {
             const auto options = std::make_shared<const Options>(Options::decode(node));
             return [options](const ProcessorContext& context) {
               return std::make_unique<Span>(context, options);
             };
           }}};
}

}  // namespace sluice
