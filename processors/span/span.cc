#include "processors/span/span.h"

#include <memory>
#include <utility>

#include "pipeline/attributes/edit_spans.h"
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
    return edit_spans(std::move(batch), options_->matcher, edit_);
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
