#pragma once

#include "pipeline/traces/questions.h"
#include "processors/tail_sampling/condition.h"
#include "processors/tail_sampling/ottl_questions.h"

namespace sluice::tail_sampling {

/// What the policies will want to know of a trace, asked of every span that comes. One a worker.
class Questions final : public SpanQuestions {
 public:
  /// `conditions` outlives this.
  Questions(const Conditions& conditions, const ComponentContext& context)
      : conditions_(conditions), ottl_(conditions, context) {}

  void begin(const SpanBatch& batch) override;
  void ask(const ResourceView& resource, Matches& matched) override;
  void ask(const SpanBatch& batch, const SpanEntry& entry, const SpanView& span,
           TraceFacts& facts) override;
  bool want_single_spans() const override { return conditions_.growth() != nullptr; }

 private:
  const Conditions& conditions_;
  OttlQuestions ottl_;
};

}  // namespace sluice::tail_sampling
