#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/ottl/evaluation.h"
#include "pipeline/ottl/failures.h"
#include "processors/tail_sampling/condition.h"

namespace sluice::tail_sampling {

/// Asks the conditions in OTTL of every span that comes. One a worker.
class OttlQuestions {
 public:
  /// `conditions` outlives this.
  OttlQuestions(const Conditions& conditions, const ComponentContext& context);

  bool empty() const { return of_spans_.empty() && of_events_.empty(); }
  /// The spans of this batch come next.
  void begin(const SpanBatch& batch);
  void ask(const SpanBatch& batch, const SpanEntry& span, Matches& matched);

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  struct Question {
    std::size_t number;
    const ottl::CompiledCondition* condition;
    std::size_t failure;
  };

  void add(std::size_t number, const std::vector<ottl::CompiledCondition>& conditions,
           ottl::ErrorMode mode, std::vector<Question>& questions);
  void enter(const SpanBatch& batch, const SpanEntry& span);
  void ask(const std::vector<Question>& questions, Matches& matched);

  ottl::Evaluation in_;
  ottl::Failures failures_;
  std::vector<Question> of_spans_, of_events_;
  std::uint32_t scope_ = none, resource_ = none;
};

}  // namespace sluice::tail_sampling
