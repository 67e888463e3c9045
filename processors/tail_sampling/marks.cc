#include "processors/tail_sampling/marks.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_writer.h"
#include "pipeline/model/trace_state_field.h"
#include "pipeline/sampling/trace_state.h"

namespace sluice::tail_sampling {
namespace {

void mark_scopes(const SpanBatch& batch, std::string_view policy, BatchEditor& editor) {
  SpanWriter attribute(64);
  attribute.attribute(otlp::scope::attributes, "tailsampling.policy", policy);
  const std::string_view field = attribute.out().bytes();
  std::uint32_t last = UINT32_MAX;
  for (const SpanEntry& entry : batch.spans()) {
    if (std::exchange(last, entry.scope) == entry.scope) continue;
    editor.replace_scope(entry.scope, std::string(batch.scope_bytes(entry)).append(field));
  }
}

/// Nothing where it says so already, or cannot be read.
std::optional<sampling::SamplingState> state_under(std::string_view before, const Marks& marks,
                                                   Counter& unreadable) {
  std::optional<sampling::SamplingState> state = sampling::read_sampling(before);
  if (!state) {
    unreadable.add(1);
    return std::nullopt;
  }
  // One that the trace cannot have passed says nothing.
  const bool is_wrong = state->threshold && *state->threshold > marks.randomness;
  const std::uint64_t passed = is_wrong ? 0 : state->threshold.value_or(0);
  const std::uint64_t threshold = std::max(passed, marks.threshold);
  if (state->threshold == threshold) return std::nullopt;
  state->threshold = threshold;
  return state;
}

void mark_spans(const SpanBatch& batch, const Marks& marks, Counter& unreadable,
                BatchEditor& editor) {
  std::string after;
  for (std::uint32_t index = 0; index < batch.span_count(); ++index) {
    const std::string_view span = batch.span_bytes(index);
    const FieldRange::Field before = find_trace_state(span);
    const auto state = state_under(before.content, marks, unreadable);
    if (!state) continue;
    after.clear();
    sampling::append_with_sampling(after, before.content, *state);
    write_with_trace_state(span, before, after, editor.begin_span(index));
    editor.end_span();
  }
}

}  // namespace

SpanBatch marked(const SpanBatch& batch, const Marks& marks, Counter& unreadable) {
  BatchEditor editor(batch);
  if (!marks.policy.empty()) mark_scopes(batch, marks.policy, editor);
  if (marks.threshold != Opinion::unknown) mark_spans(batch, marks, unreadable, editor);
  return std::move(editor).finish();
}

}  // namespace sluice::tail_sampling
