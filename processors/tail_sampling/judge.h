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
  /// Of a trace that is kept: the lowest under which one samples it.
  std::uint64_t threshold = Opinion::unknown;
};

/// What each policy said of a trace, and noted.
struct Said {
  std::vector<Vote> votes;
  std::vector<std::uint64_t> notes;
};

/// All policies together. A trace is kept when one samples it and none drops it.
class Judge {
 public:
  /// Those that drop are asked first. With `first_match`, the first that samples ends the asking.
  Judge(std::vector<NamedPolicy> policies, bool first_match, std::size_t notes);

  /// Room for what they say.
  Said nothing_said() const;
  /// `votes` has a place for every policy.
  Decision decide(const Case& trace, std::span<Vote> votes) const;
  /// What can be said of spans that are a part of their trace, more of which may come: no trace is
  /// kept while a policy might still drop it.
  Decision decide_part(const Case& trace, std::span<Vote> votes) const;
  /// Whether some decisions have a threshold.
  bool has_thresholds() const { return has_thresholds_; }

  /// In the order in which they are asked.
  const std::vector<NamedPolicy>& policies() const { return policies_; }

 private:
  std::vector<NamedPolicy> policies_;
  std::size_t droppers_ = 0;  ///< how many stand first that can only drop, shadows left out
  std::size_t notes_;
  bool first_match_;
  bool has_thresholds_ = false;
};

}  // namespace sluice::tail_sampling
