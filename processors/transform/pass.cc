#include "processors/transform/pass.h"

#include <utility>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/ottl/draft.h"

namespace sluice::transform {

using ottl::Context;
using ottl::Draft;
using ottl::Truth;

PassRun::PassRun(const Pass& pass, ottl::Failures& failures) : failures_(failures) {
  for (const Group* const group : pass) {
    Numbered numbered{group, none};
    const auto add = [&](const std::string& text) {
      const std::size_t number = failures.add(text, group->error_mode);
      if (numbered.first == none) numbered.first = number;
    };
    for (const ottl::CompiledCondition& each : group->conditions) add(each.text);
    for (const ottl::CompiledStatement& each : group->statements) add(each.text);
    auto& groups = group->context == Context::resource ? of_resources_
                   : group->context == Context::scope  ? of_scopes_
                                                       : of_spans_;
    groups.push_back(numbered);
  }
}

std::optional<SpanBatch> PassRun::run(const SpanBatch& batch, ottl::Evaluation& in) {
  batch_ = &batch;
  in_ = &in;
  resource_ = scope_ = none;
  editor_.reset();
  const std::span<const SpanEntry> spans = batch.spans();
  for (std::uint32_t i = 0; i < spans.size(); ++i) {
    if (!run_span(i, spans[i])) return std::nullopt;
  }
  leave_scope();
  leave_resource();
  if (!editor_) return batch;
  SpanBatch result = std::move(*editor_).finish();
  editor_.reset();
  return result;
}

bool PassRun::run_span(std::uint32_t index, const SpanEntry& span) {
  if (span.scope != scope_ && !enter_scope(span.scope)) return false;
  if (of_spans_.empty()) return true;
  in_->release();
  in_->begin_span(batch_->span_bytes(span));
  if (!run_groups(of_spans_)) return false;
  if (in_->span.changed()) write_span(index);
  in_->scope.consolidate();
  in_->resource.consolidate();
  return true;
}

bool PassRun::run_groups(const std::vector<Numbered>& groups) {
  for (const Numbered& numbered : groups) {
    const bool of_events = numbered.group->context == Context::spanevent;
    if (of_events ? !run_events(numbered) : !run_group(numbered)) return false;
  }
  return true;
}

/// False where the request is refused.
bool PassRun::run_group(const Numbered& numbered) {
  in_->clear_cache();
  if (!numbered.group->conditions.empty()) {
    const std::optional<bool> run = wanted(numbered);
    if (!run || !*run) return run.has_value();
  }
  std::size_t number = numbered.first + numbered.group->conditions.size();
  for (const ottl::CompiledStatement& statement : numbered.group->statements) {
    if (!statement.run(*in_) && failures_.report(number, *in_)) return false;
    ++number;
  }
  return true;
}

/// Whether one of the conditions holds; nothing where the request is refused.
std::optional<bool> PassRun::wanted(const Numbered& numbered) {
  const std::vector<ottl::CompiledCondition>& conditions = numbered.group->conditions;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const Truth answer = conditions[i].test(*in_);
    if (answer == Truth::yes) return true;
    if (answer == Truth::failed && failures_.report(numbered.first + i, *in_)) return std::nullopt;
  }
  return false;
}

bool PassRun::run_events(const Numbered& numbered) {
  // Later groups see what earlier ones made of the events, so a changed span is taken as it will
  // be.
  const bool edited = in_->span.changed();
  std::string_view message = in_->span.message();
  if (edited) {
    message = in_->arena.keep(written(in_->span));
    in_->continue_span(message);
  }
  FieldRange events(message, otlp::span::events);
  for (std::int64_t index = 0; const auto event = events.next(); ++index) {
    in_->begin_event(event->content, index);
    if (!run_group(numbered)) return false;
    if (!in_->event.changed()) continue;
    const ottl::NewField field =
        ottl::text_field(otlp::span::events, written(in_->event), in_->span.memory);
    in_->span.replace(event->whole, field.whole);
  }
  return true;
}

void PassRun::write_span(std::uint32_t index) {
  if (in_->span.size() > Draft::size_max) {
    editor().drop_span(index);
    return;
  }
  in_->span.write(editor().begin_span(index));
  editor().end_span();
}

bool PassRun::enter_scope(std::uint32_t scope) {
  leave_scope();
  const ScopeEntry& entry = batch_->scopes()[scope];
  if (entry.resource != resource_ && !enter_resource(entry.resource)) return false;
  scope_ = scope;
  in_->begin_scope(batch_->bytes(entry.scope), batch_->bytes(entry.extra));
  return run_groups(of_scopes_);
}

bool PassRun::enter_resource(std::uint32_t resource) {
  leave_resource();
  resource_ = resource;
  const ResourceEntry& entry = batch_->resources()[resource];
  in_->begin_resource(batch_->bytes(entry.resource), batch_->bytes(entry.extra));
  return run_groups(of_resources_);
}

void PassRun::leave_scope() {
  if (scope_ == none) return;
  if (in_->scope.changed() && in_->scope.size() <= Draft::size_max)
    editor().replace_scope(scope_, written(in_->scope));
  if (in_->scope_extra.changed()) editor().replace_scope_extra(scope_, written(in_->scope_extra));
  scope_ = none;
}

void PassRun::leave_resource() {
  if (resource_ == none) return;
  if (in_->resource.changed() && in_->resource.size() <= Draft::size_max)
    editor().replace_resource(resource_, written(in_->resource));
  if (in_->resource_extra.changed())
    editor().replace_resource_extra(resource_, written(in_->resource_extra));
  resource_ = none;
}

/// The message as it is to be, until the next one is written.
std::string_view PassRun::written(Draft& draft) {
  scratch_.truncate(0);
  draft.write(scratch_);
  return scratch_.bytes();
}

}  // namespace sluice::transform
