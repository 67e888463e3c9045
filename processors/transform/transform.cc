#include "processors/transform/transform.h"

#include <deque>
#include <memory>
#include <utility>

#include "processors/transform/options.h"
#include "processors/transform/pass.h"

namespace sluice {
namespace {

class Transformer final : public Transform {
 public:
  Transformer(const ProcessorContext& context, std::shared_ptr<const transform::Options> options)
      : Transform(context), options_(std::move(options)), failures_(context) {
    for (const transform::Pass& pass : options_->passes()) passes_.emplace_back(pass, failures_);
  }

 protected:
  SpanBatch process(SpanBatch batch) override {
    in_.request = batch.context().get();
    for (transform::PassRun& pass : passes_) {
      std::optional<SpanBatch> result = pass.run(batch, in_);
      if (!result) {
        reject(failures_.refusal());
        return batch;
      }
      batch = std::move(*result);
      if (batch.empty()) break;
    }
    return batch;
  }

 private:
  const std::shared_ptr<const transform::Options> options_;
  ottl::Evaluation in_;
  ottl::Failures failures_;
  std::deque<transform::PassRun> passes_;
};

}  // namespace

ProcessorType transform_processor() {
  return {{"transform", [](const config::Node& node) -> Decoded<ProcessorBuilder> {
             const auto options =
                 std::make_shared<const transform::Options>(transform::Options::decode(node));
             return {[options](const ProcessorContext& context) {
                       return std::make_unique<Transformer>(context, options);
                     },
                     options->reads_request()};
           }}};
}

}  // namespace sluice
