#include "pipeline/ottl/evaluation.h"

#include "pipeline/model/otlp_fields.h"

namespace sluice::ottl {
namespace {

/// ResourceSpans and ScopeSpans hold no attributes; this number none of their fields has.
constexpr std::uint32_t no_attributes = 15;

/// How much of a span is trace id, span id and parent id as everybody writes them, which need no
/// walk.
std::size_t ids_size(std::string_view span) {
  using namespace std::string_view_literals;
  if (span.size() < 38 || !span.starts_with("\x0a\x10"sv) || span.substr(18, 2) != "\x12\x08"sv)
    return 0;
  return span.substr(28, 2) == "\x22\x08"sv ? 38 : 28;
}

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
  span.attributes.skip(ids_size(message));
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
  cache.begin({}, 1);
  cache_memory.release();
}

}  // namespace sluice::ottl
