#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "pipeline/model/span_view.h"
#include "processors/tail_sampling/facts.h"

namespace sluice::tail_sampling {

/// Something that a policy asks of a trace's spans, or of their resources: whether any of them
/// meets it.
class SpanCondition {
 public:
  virtual ~SpanCondition() = default;
  virtual bool holds(const SpanView& span) const = 0;
  virtual bool holds(const ResourceView&) const { return false; }
};

/// The conditions of all policies of one processor. Asked for every span; one that a trace has met
/// is not asked again.
class Conditions {
 public:
  /// Its number in TraceFacts::matched.
  std::size_t add(std::unique_ptr<SpanCondition> condition) {
    list_.push_back(std::move(condition));
    return list_.size() - 1;
  }
  std::size_t size() const { return list_.size(); }

  template <typename View>
  void ask(const View& view, Matches& matched) const {
    for (std::size_t number = 0; number < list_.size(); ++number) {
      if (!matched[number] && list_[number]->holds(view)) matched.set(number);
    }
  }

 private:
  std::vector<std::unique_ptr<SpanCondition>> list_;
};

}  // namespace sluice::tail_sampling
