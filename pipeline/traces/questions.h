#pragma once

#include "pipeline/model/span_batch.h"
#include "pipeline/model/span_view.h"
#include "pipeline/traces/trace_facts.h"

namespace sluice {

/// What a component asks of spans beyond what TraceFacts have of every one, while their bytes are
/// in the cache. One a worker.
class SpanQuestions {
 public:
  virtual ~SpanQuestions() = default;
  /// The spans of this batch come next.
  virtual void begin(const SpanBatch& batch) = 0;
  /// What is matched here is matched by all spans of the resource.
  virtual void ask(const ResourceView& resource, Matches& matched) = 0;
  virtual void ask(const SpanBatch& batch, const SpanEntry& entry, const SpanView& span,
                   TraceFacts& facts) = 0;
  /// Whether the facts of a trace have to be gathered one span after the other.
  virtual bool want_single_spans() const { return false; }
};

/// Something that is asked of a trace whenever some of its spans have been added.
class GrowthQuestions {
 public:
  virtual void ask_growth(TraceFacts& so_far) const = 0;

 protected:
  ~GrowthQuestions() = default;
};

}  // namespace sluice
