#include "processors/tail_sampling/ottl_questions.h"

#include "pipeline/model/otlp_fields.h"

namespace sluice::tail_sampling {

OttlQuestions::OttlQuestions(const Conditions& conditions, const ComponentContext& context)
    : failures_(context) {
  for (const auto& [number, each] : conditions.in_ottl()) {
    add(number, each.of_spans, each.error_mode, of_spans_);
    add(number, each.of_events, each.error_mode, of_events_);
  }
}

void OttlQuestions::add(std::size_t number, const std::vector<ottl::CompiledCondition>& conditions,
                        ottl::ErrorMode mode, std::vector<Question>& questions) {
  for (const ottl::CompiledCondition& each : conditions)
    questions.push_back({number, &each, failures_.add(each.text, mode)});
}

void OttlQuestions::begin(const SpanBatch& batch) {
  in_.request = batch.context().get();
  scope_ = resource_ = none;
}

void OttlQuestions::ask(const SpanBatch& batch, const SpanEntry& span, Matches& matched) {
  enter(batch, span);
  in_.release();
  in_.begin_span(batch.span_bytes(span));
  ask(of_spans_, matched);
  if (of_events_.empty()) return;
  FieldRange events(in_.span.message(), otlp::span::events);
  for (std::int64_t index = 0; const auto event = events.next(); ++index) {
    in_.begin_event(event->content, index);
    ask(of_events_, matched);
  }
}

void OttlQuestions::enter(const SpanBatch& batch, const SpanEntry& span) {
  if (span.scope == scope_) return;
  scope_ = span.scope;
  const ScopeEntry& scope = batch.scopes()[scope_];
  if (scope.resource != resource_) {
    resource_ = scope.resource;
    const ResourceEntry& resource = batch.resources()[resource_];
    in_.begin_resource(batch.bytes(resource.resource), batch.bytes(resource.extra));
  }
  in_.begin_scope(batch.bytes(scope.scope), batch.bytes(scope.extra));
}

void OttlQuestions::ask(const std::vector<Question>& questions, Matches& matched) {
  for (const auto& [number, condition, failure] : questions) {
    if (matched[number]) continue;
    const ottl::Truth answer = condition->test(in_);
    if (answer == ottl::Truth::yes) matched.set(number);
    if (answer == ottl::Truth::failed && failures_.report(failure, in_)) matched.set(number + 1);
  }
}

}  // namespace sluice::tail_sampling
