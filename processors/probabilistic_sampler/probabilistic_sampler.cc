#include "processors/probabilistic_sampler/probabilistic_sampler.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "pipeline/model/trace_state_field.h"
#include "processors/probabilistic_sampler/sampler.h"

namespace sluice {
namespace {

using namespace probabilistic_sampler;

Options decode(const config::Node& node) {
  Options options;
  node.one_of("mode", options.mode,
              {{"hash_seed", Mode::hash_seed},
               {"proportional", Mode::proportional},
               {"equalizing", Mode::equalizing}});
  double percentage = 0;
  node.optional("sampling_percentage", percentage);
  options.percentage = static_cast<float>(std::min(percentage, 100.0));
  const double probability = static_cast<double>(options.percentage) / 100;
  node.expect(percentage == 0 || probability >= 0x1p-56, "sampling_percentage",
              "must be 0, or at least 1.4e-15, of which 56 bits can tell");
  node.optional("hash_seed", options.hash_seed);
  node.optional("fail_closed", options.fail_closed);
  node.optional("sampling_precision", options.precision);
  node.expect(options.precision >= 1 && options.precision <= 14, "sampling_precision",
              "must be from 1 to 14 hexadecimal digits");
  // The collector's traces pipelines do not look at them either.
  node.accepted_without_effect({"attribute_source", "from_attribute", "sampling_priority"});
  node.no_other_keys();
  return options;
}

void warn_where_nothing_is_kept(const config::Node& node, const Options& options) {
  if (!node.has("sampling_percentage")) {
    node.warning("", "has no sampling_percentage, so nothing is kept");
  } else if (options.percentage > 0 && Sampler(options).keeps_nothing()) {
    node.warning("sampling_percentage",
                 "is less than hash_seed can tell, which is 0.0062, so nothing is kept");
  }
}

/// Counts what was decided about the spans of a batch, and adds it up at its end.
class Tally {
 public:
  Tally(Metrics& metrics, const std::string& id) {
    for (std::size_t i = 0; i < policy_words.size(); ++i) {
      for (const bool is_kept : {false, true})
        decided_[i][is_kept].counter =
            &metrics.counter("otelcol_processor_probabilistic_sampler_count_traces_sampled",
                             "Count of traces that were sampled or not",
                             {{"processor", id},
                              {"policy", std::string(policy_words[i])},
                              {"sampled", is_kept ? "true" : "false"}});
    }
    for (std::size_t i = 1; i < mistake_words.size(); ++i)
      mistakes_[i].counter =
          &metrics.counter("sluice_probabilistic_sampler_mistakes",
                           "Count of spans whose chance nobody can tell: fail_closed decides",
                           {{"processor", id}, {"reason", std::string(mistake_words[i])}});
  }

  void count(const Decision& decision) {
    ++decided_[static_cast<std::size_t>(decision.policy)][decision.is_kept].count;
    ++mistakes_[static_cast<std::size_t>(decision.mistake)].count;
  }
  void flush() {
    for (auto& policy : decided_)
      for (Sum& sum : policy) sum.flush();
    for (Sum& sum : mistakes_) sum.flush();
  }

 private:
  struct Sum {
    std::uint64_t count = 0;
    Counter* counter = nullptr;  ///< none for what is no mistake
    void flush() {
      if (counter != nullptr && count > 0) counter->add(count);
      count = 0;
    }
  };
  std::array<std::array<Sum, 2>, policy_words.size()> decided_;
  std::array<Sum, mistake_words.size()> mistakes_;
};

class ProbabilisticSampler final : public Transform {
 public:
  ProbabilisticSampler(const ProcessorContext& context, const Options& options)
      : Transform(context), sampler_(options), tally_(context.metrics, context.id) {}

 protected:
  SpanBatch process(SpanBatch batch) override {
    const std::span<const SpanEntry> spans = batch.spans();
    std::optional<BatchEditor> editor;
    for (std::uint32_t i = 0; i < spans.size(); ++i) {
      const std::string_view message = batch.span_bytes(spans[i]);
      const SampledSpan span(message);
      const Decision decision = sampler_.decide(span);
      tally_.count(decision);
      if (decision.is_kept && !says_more(span.trace_state.content, decision)) continue;
      if (!editor) editor.emplace(batch);
      if (!decision.is_kept) {
        editor->drop_span(i);
        continue;
      }
      write_with_trace_state(message, span.trace_state, trace_state_, editor->begin_span(i));
      editor->end_span();
    }
    tally_.flush();
    return editor ? std::move(*editor).finish() : batch;
  }

 private:
  /// Whether the trace state becomes another one, which is then in `trace_state_`.
  bool says_more(std::string_view before, const Decision& decision) {
    if (!decision.state) return false;
    trace_state_.clear();
    sampling::append_with_sampling(trace_state_, before, *decision.state);
    return trace_state_ != before;
  }

  const Sampler sampler_;
  Tally tally_;
  std::string trace_state_;  ///< its memory serves all spans
};

}  // namespace

ProcessorType probabilistic_sampler_processor() {
  return {{"probabilistic_sampler", [](const config::Node& node) -> Decoded<ProcessorBuilder> {
             const Options options = decode(node);
             if (!node.has_errors()) warn_where_nothing_is_kept(node, options);
             return [options](const ProcessorContext& context) {
               return std::make_unique<ProbabilisticSampler>(context, options);
             };
           }}};
}

}  // namespace sluice
