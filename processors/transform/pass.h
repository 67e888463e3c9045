#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pipeline/model/span_batch.h"
#include "pipeline/ottl/failures.h"
#include "processors/transform/options.h"

namespace sluice::transform {

/// One walk over a batch with the groups of a pass, from the outside in: a resource's statements
/// before those of its scopes, these before those of their spans. One an instance.
class PassRun {
 public:
  PassRun(const Pass& pass, ottl::Failures& failures);

  /// Nothing where the request is refused for a failure.
  std::optional<SpanBatch> run(const SpanBatch& batch, ottl::Evaluation& in);

 private:
  struct Numbered {
    const Group* group;
    std::size_t first;  ///< number of its first condition among the failures
  };

  bool run_groups(const std::vector<Numbered>& groups);
  bool run_group(const Numbered& numbered);
  std::optional<bool> wanted(const Numbered& numbered);
  bool run_span(std::uint32_t index, const SpanEntry& span);
  bool run_events(const Numbered& numbered);
  bool enter_scope(std::uint32_t scope);
  bool enter_resource(std::uint32_t resource);
  void leave_scope();
  void leave_resource();
  void write_span(std::uint32_t index);
  std::string_view written(ottl::Draft& draft);
  BatchEditor& editor() { return editor_ ? *editor_ : editor_.emplace(*batch_); }

  static constexpr std::uint32_t none = UINT32_MAX;
  ottl::Failures& failures_;
  std::vector<Numbered> of_resources_, of_scopes_, of_spans_;  ///< the last: of events too
  const SpanBatch* batch_ = nullptr;
  ottl::Evaluation* in_ = nullptr;
  std::optional<BatchEditor> editor_;
  BufferWriter scratch_;
  std::uint32_t resource_ = none, scope_ = none;
};

}  // namespace sluice::transform
