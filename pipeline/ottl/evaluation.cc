#include "pipeline/ottl/evaluation.h"

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/usual_span.h"

namespace sluice::ottl {
namespace {

/// ResourceSpans and ScopeSpans hold no attributes; this number none of their fields has.
constexpr std::uint32_t no_attributes = 15;

}  // namespace

void Evaluation::begin_resource(std::string_view content, std::string_view extra) {
  resource.begin(content, otlp::resource::attributes);
  resource_extra.begin(extra, no_attributes);
}

void Evaluation::begin_scope(std::string_view content, std::string_view extra) {
  scope.begin(content, otlp::scope::attributes);
  scope_extra.begin(extra, no_attributes);
}

void Evaluation::begin_span(std::string_view message) {
  span.begin(message, otlp::span::attributes);
  span.attributes.skip(UsualSpan::head_size(message));
  span_view_.reset();
}

void Evaluation::continue_span(std::string_view message) {
  begin_span(message);
  span.mark_rewritten();
}

void Evaluation::begin_event(std::string_view message, std::int64_t index) {
  event.begin(message, otlp::event::attributes);
  event_index = index;
}

void Evaluation::clear_cache() {
  if (cache.changed()) cache.begin({}, 1);
}

}  // namespace sluice::ottl
