#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "processors/tail_sampling/policy.h"

namespace sluice::tail_sampling {

struct Decision {
  static constexpr std::uint16_t nobody = UINT16_MAX;
  bool is_kept = false;
  std::uint16_t policy = nobody;  ///< which of them decided; nobody: none that sampled or dropped
};

/// All policies together. A trace is kept when one samples it and none drops it.
class Judge {
 public:
  /// Those that drop are asked first. With `first_match`, the first that samples ends the asking.
  Judge(std::vector<NamedPolicy> policies, bool first_match);

  /// What each said goes to `votes`, which has a place for every policy.
  Decision decide(const TraceFacts& facts, Policy::TimePoint now, std::span<Vote> votes) const;
  /// What can be said of spans that are a part of their trace, more of which may come: no trace is
  /// kept while a policy might still drop it.
  Decision decide_part(const TraceFacts& facts, Policy::TimePoint now, std::span<Vote> votes) const;

  /// In the order in which they are asked.
  const std::vector<NamedPolicy>& policies() const { return policies_; }

 private:
  std::vector<NamedPolicy> policies_;
  std::size_t droppers_ = 0;  ///< how many stand first that can only drop, shadows left out
  bool first_match_;
};

}  // namespace sluice::tail_sampling
