#include <string>

#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

class AlwaysSample final : public Policy {
 public:
  Opinion vote(const Case&) const override { return Vote::sampled; }
  std::string saw(const TraceFacts&, ConstNotes) const override { return "any trace"; }
};

}  // namespace

std::unique_ptr<Policy> decode_always_sample(const config::Node&, Conditions&) {
  return std::make_unique<AlwaysSample>();
}

}  // namespace sluice::tail_sampling
