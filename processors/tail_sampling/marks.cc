#include "processors/tail_sampling/marks.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/span_writer.h"
#include "pipeline/model/wire.h"
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
std::optional<std::string> trace_state_under(std::string_view before, const Marks& marks,
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
  return sampling::with_sampling(before, *state);
}

/// In the place of the last one there is, which counts; else at the end.
void write_trace_state(std::string_view span, std::string_view trace_state, BufferWriter& out) {
  FieldRange fields(span, otlp::span::trace_state);
  std::string_view last = span.substr(span.size());
  while (const auto field = fields.next()) last = field->whole;
  const auto at = static_cast<std::size_t>(last.data() - span.data());
  out.append(span.substr(0, at));
  wire::append_length_delimited(out, otlp::span::trace_state, trace_state);
  out.append(span.substr(at + last.size()));
}

void mark_spans(const SpanBatch& batch, const Marks& marks, Counter& unreadable,
                BatchEditor& editor) {
  for (std::uint32_t index = 0; index < batch.span_count(); ++index) {
    const std::string_view span = batch.span_bytes(index);
    const auto after = trace_state_under(SpanView(span).trace_state(), marks, unreadable);
    if (!after) continue;
    write_trace_state(span, *after, editor.begin_span(index));
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
