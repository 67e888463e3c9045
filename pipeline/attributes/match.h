#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "config/node.h"
#include "pipeline/model/span_batch.h"

namespace sluice {

/// The collector's `include` and `exclude`: which spans a processor acts on. All lists that are
/// given must match; of services, names, kinds and libraries one entry must, of attributes and
/// resources each.
class SpanMatcher {
 public:
  /// Reads both keys of a processor's node.
  static SpanMatcher decode(const config::Node& node);

  /// Neither is given.
  bool matches_all() const { return include_ == nullptr && exclude_ == nullptr; }

  class Properties;
  /// The conditions on resource and scope are decided once a scope, those on the span for each.
  class Walk {
   public:
    /// Both outlive the walk.
    Walk(const SpanMatcher& matcher, const SpanBatch& batch) : matcher_(matcher), batch_(batch) {}
    bool matches(const SpanEntry& entry);

   private:
    void enter_scope(const SpanEntry& entry);
    const SpanMatcher& matcher_;
    const SpanBatch& batch_;
    std::uint32_t scope_ = UINT32_MAX;
    bool include_open_ = false;  ///< resource and scope are included, the span decides
    bool exclude_open_ = false;
  };

 private:
  std::shared_ptr<const Properties> include_, exclude_;
};

}  // namespace sluice
