#pragma once

#include <optional>
#include <span>
#include <utility>

#include "pipeline/attributes/match.h"
#include "pipeline/model/span_batch.h"

namespace sluice {

/// The batch with an edit made to each span that matches: `apply(message)` says whether it changes
/// it, `size` and `write` give the new message. A span that would pass `size_max` is dropped.
template <typename Edit>
SpanBatch edit_spans(SpanBatch batch, const SpanMatcher& matcher, Edit& edit) {
  const bool all = matcher.matches_all();
  SpanMatcher::Walk walk(matcher, batch);
  const std::span<const SpanEntry> spans = batch.spans();
  std::optional<BatchEditor> editor;
  for (std::uint32_t i = 0; i < spans.size(); ++i) {
    if (!all && !walk.matches(spans[i])) continue;
    if (!edit.apply(batch.span_bytes(spans[i]))) continue;
    if (!editor) editor.emplace(batch);
    if (edit.size() > Edit::size_max) {
      editor->drop_span(i);
      continue;
    }
    edit.write(editor->begin_span(i));
    editor->end_span();
  }
  return editor ? std::move(*editor).finish() : batch;
}

}  // namespace sluice
