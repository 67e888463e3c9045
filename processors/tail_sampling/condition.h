#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "pipeline/model/span_view.h"
#include "pipeline/ottl/ottl.h"
#include "pipeline/traces/questions.h"
#include "pipeline/traces/trace_facts.h"

namespace sluice::tail_sampling {

/// Something that a policy asks of a trace's spans, or of their resources: whether any of them
/// meets it.
class SpanCondition {
 public:
  virtual ~SpanCondition() = default;
  virtual bool holds(const SpanView& span) const = 0;
  virtual bool holds(const ResourceView&) const { return false; }
};

/// Something that is asked of a trace as it grows, span by span: whether it was ever so.
class GrowthCondition {
 public:
  virtual ~GrowthCondition() = default;
  virtual bool holds(const TraceFacts& so_far) const = 0;
};

/// Conditions in OTTL that one policy asks of spans, and of their events.
struct OttlConditions {
  std::vector<ottl::CompiledCondition> of_spans, of_events;
  ottl::ErrorMode error_mode = ottl::ErrorMode::ignore;
};

/// Numbers that a policy noted when it was asked about a trace, so that it can say later what it
/// went by; each has its own place among them. Those of one that was not asked are `no_note`.
using Notes = std::span<std::uint64_t>;
using ConstNotes = std::span<const std::uint64_t>;
inline constexpr std::uint64_t no_note = UINT64_MAX;

/// What all policies of one processor ask for: the conditions, by their number in
/// TraceFacts::matched, asked for every span; and room for notes.
class Conditions final : public GrowthQuestions {
 public:
  /// Its number.
  std::size_t add(std::unique_ptr<SpanCondition> condition) {
    of_spans_.emplace_back(size_, std::move(condition));
    return size_++;
  }
  std::size_t add(std::unique_ptr<GrowthCondition> condition) {
    of_growth_.emplace_back(size_, std::move(condition));
    return size_++;
  }
  /// It has two numbers: this is whether one held, the next is whether one failed under
  /// `propagate`.
  std::size_t add(OttlConditions conditions) {
    in_ottl_.emplace_back(size_, std::move(conditions));
    return std::exchange(size_, size_ + 2);
  }
  const std::vector<std::pair<std::size_t, OttlConditions>>& in_ottl() const { return in_ottl_; }
  /// Whether one of them needs the RequestContext.
  bool reads_request() const {
    const auto reads = [](const ottl::CompiledCondition& each) { return each.reads_request; };
    return std::ranges::any_of(in_ottl_, [&](const auto& numbered) {
      return std::ranges::any_of(numbered.second.of_spans, reads) ||
             std::ranges::any_of(numbered.second.of_events, reads);
    });
  }
  /// Room for so many notes of a policy; returns the number of the first.
  std::size_t add_notes(std::size_t count) { return std::exchange(notes_, notes_ + count); }
  std::size_t notes() const { return notes_; }
  /// From now on the random bits that traces bring along are looked at.
  void want_randomness() { wants_randomness_ = true; }
  bool wants_randomness() const { return wants_randomness_; }
  /// May pass `conditions_max`, which the options then refuse.
  std::size_t size() const { return size_; }
  /// Null where nothing is asked of traces that grow.
  const GrowthQuestions* growth() const { return of_growth_.empty() ? nullptr : this; }

  template <typename View>
  void ask(const View& view, Matches& matched) const {
    for (const auto& [number, condition] : of_spans_) {
      if (!matched[number] && condition->holds(view)) matched.set(number);
    }
  }
  void ask_growth(TraceFacts& so_far) const override {
    for (const auto& [number, condition] : of_growth_) {
      if (!so_far.matched[number] && condition->holds(so_far)) so_far.matched.set(number);
    }
  }

 private:
  std::size_t size_ = 0, notes_ = 0;
  bool wants_randomness_ = false;
  std::vector<std::pair<std::size_t, std::unique_ptr<SpanCondition>>> of_spans_;
  std::vector<std::pair<std::size_t, std::unique_ptr<GrowthCondition>>> of_growth_;
  std::vector<std::pair<std::size_t, OttlConditions>> in_ottl_;
};

}  // namespace sluice::tail_sampling
