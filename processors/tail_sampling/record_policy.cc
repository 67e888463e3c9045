#include "processors/tail_sampling/record_policy.h"

#include <cstdint>
#include <string>
#include <utility>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_writer.h"

namespace sluice::tail_sampling {

SpanBatch with_policy(const SpanBatch& batch, std::string_view policy) {
  SpanWriter attribute(64);
  attribute.attribute(otlp::scope::attributes, "tailsampling.policy", policy);
  const std::string_view field = attribute.out().bytes();
  BatchEditor editor(batch);
  std::uint32_t last = UINT32_MAX;
  for (const SpanEntry& entry : batch.spans()) {
    if (std::exchange(last, entry.scope) == entry.scope) continue;
    editor.replace_scope(entry.scope, std::string(batch.scope_bytes(entry)).append(field));
  }
  return std::move(editor).finish();
}

}  // namespace sluice::tail_sampling
