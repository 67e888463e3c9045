#include <utility>

#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// Samples a trace in which a condition holds on some span or event.
class OttlCondition final : public Policy {
 public:
  explicit OttlCondition(std::size_t number) : number_(number) {}
  Opinion vote(const Case& trace) const override {
    const Matches& matched = trace.facts.matched;
    return matched[number_] && !matched[number_ + 1] ? Vote::sampled : Vote::not_sampled;
  }
  std::string saw(const TraceFacts& facts, ConstNotes) const override {
    if (facts.matched[number_ + 1]) return "a span on which a condition fails";
    return facts.matched[number_] ? "a span that matches" : "no span that matches";
  }

 private:
  std::size_t number_;
};

}  // namespace

std::unique_ptr<Policy> decode_ottl_condition(const config::Node& options, Conditions& conditions) {
  OttlConditions asked;
  ottl::decode_error_mode(options, asked.error_mode);
  const config::Node spans = options.child("span"), events = options.child("spanevent");
  if (spans.list().empty() && events.list().empty())
    options.error("", "needs at least one condition, under \"span\" or \"spanevent\"");
  asked.of_spans =
      ottl::compile_conditions(spans, ottl::Context::span, ottl::PathStyle::short_form);
  asked.of_events =
      ottl::compile_conditions(events, ottl::Context::spanevent, ottl::PathStyle::short_form);
  options.no_other_keys();
  return std::make_unique<OttlCondition>(conditions.add(std::move(asked)));
}

}  // namespace sluice::tail_sampling
