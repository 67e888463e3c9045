#include <cstdint>
#include <string>

#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

class SpanCount final : public Policy {
 public:
  SpanCount(std::uint32_t least, std::uint32_t most) : least_(least), most_(most) {}
  Opinion vote(const Case& trace) const override {
    const std::uint64_t spans = trace.facts.spans;
    const bool in_range = spans >= least_ && (most_ == 0 || spans <= most_);
    return in_range ? Vote::sampled : Vote::not_sampled;
  }
  std::string saw(const TraceFacts& facts, ConstNotes) const override {
    return std::to_string(facts.spans) + " spans";
  }
  bool needs_whole_trace() const override { return most_ > 0; }

 private:
  std::uint32_t least_, most_;
};

}  // namespace

std::unique_ptr<Policy> decode_span_count(const config::Node& options, Conditions&) {
  std::uint32_t least = 0, most = 0;
  options.optional("min_spans", least);
  options.optional("max_spans", most);
  options.expect(most == 0 || most >= least, "max_spans",
                 "must be at least min_spans, or 0 for no limit");
  options.no_other_keys();
  return std::make_unique<SpanCount>(least, most);
}

}  // namespace sluice::tail_sampling
