#include "processors/routing/sorter.h"

#include <algorithm>
#include <utility>

namespace sluice::routing {

using ottl::Truth;
using About = Route::About;

Sorter::Sorter(const ConnectorContext& context, std::shared_ptr<const Options> options)
    : options_(std::move(options)), failures_(context), moving_(context.exits.size()) {
  for (const Route& route : options_->table) {
    const bool may_fail = route.about != About::request;
    const std::size_t failure =
        may_fail ? failures_.add(route.condition.text, options_->error_mode) : 0;
    steps_.push_back({&route, failure, slots_of(context, route.pipelines, route.copy), {}});
  }
  otherwise_ = slots_of(context, options_->default_pipelines, false);
}

std::vector<std::size_t> Sorter::slots_of(const ConnectorContext& context,
                                          const std::vector<std::string>& pipelines, bool copy) {
  std::vector<std::size_t> slots;
  for (std::size_t exit = 0; exit < context.exits.size(); ++exit) {
    const ConnectorContext::Exit& to = context.exits[exit];
    if (std::ranges::find(pipelines, to.pipeline) == pipelines.end()) continue;
    if (copy || !moving_[exit]) {
      slots.push_back(slots_.size());
      slots_.push_back({to.next, {}});
      if (!copy) moving_[exit] = slots.back();
    } else {
      slots.push_back(*moving_[exit]);
    }
  }
  return slots;
}

bool Sorter::sort(const SpanBatch& batch) {
  for (Slot& slot : slots_) slot.spans.clear();
  in_.request = batch.context().get();
  batch_ = &batch;
  dropped_ = 0;
  resource_ = none;
  const std::span<const SpanEntry> spans = batch.spans();
  for (std::uint32_t i = 0; i < spans.size(); ++i) {
    if (!begin_resource(spans[i]) || !sort_span(i, spans[i])) return false;
  }
  return true;
}

/// What all spans of a resource have in common is found out once, for those that lie side by side.
bool Sorter::begin_resource(const SpanEntry& span) {
  const std::uint32_t resource = batch_->scopes()[span.scope].resource;
  if (resource == resource_) return true;
  resource_ = resource;
  scope_ = none;
  const ResourceEntry& entry = batch_->resources()[resource];
  in_.begin_resource(batch_->bytes(entry.resource), batch_->bytes(entry.extra));
  for (Step& step : steps_) step.answer.reset();
  common_.clear();
  return walk(0, false, common_);
}

bool Sorter::sort_span(std::uint32_t index, const SpanEntry& span) {
  if (!go_on_) {
    give(index, common_);
    return true;
  }
  in_.release();
  begin_span(span);
  own_ = common_;
  if (!walk(*go_on_, true, own_)) return false;
  give(index, own_);
  return true;
}

bool Sorter::walk(std::size_t first, bool spans_too, std::vector<std::size_t>& slots) {
  for (std::size_t i = first; i < steps_.size(); ++i) {
    Step& step = steps_[i];
    if (!spans_too && step.route->about == About::span) {
      go_on_ = i;
      return true;
    }
    const Truth answer = ask(step);
    if (answer == Truth::failed) return false;
    if (answer == Truth::no) continue;
    slots.insert(slots.end(), step.slots.begin(), step.slots.end());
    if (step.route->copy) continue;
    if (!spans_too) go_on_.reset();
    return true;
  }
  slots.insert(slots.end(), otherwise_.begin(), otherwise_.end());
  if (!spans_too) go_on_.reset();
  return true;
}

Truth Sorter::ask(Step& step) {
  if (step.answer) return *step.answer;
  const Route& route = *step.route;
  Truth answer = Truth::no;
  if (route.about == About::request) {
    answer = ottl::truth(route.request.holds(in_.request));
  } else {
    answer = route.condition.test(in_);
    if (answer == Truth::failed && !failures_.report(step.failure, in_)) answer = Truth::no;
  }
  if (route.about != About::span) step.answer = answer;
  return answer;
}

void Sorter::begin_span(const SpanEntry& span) {
  if (span.scope != scope_) {
    scope_ = span.scope;
    const ScopeEntry& entry = batch_->scopes()[scope_];
    in_.begin_scope(batch_->bytes(entry.scope), batch_->bytes(entry.extra));
  }
  in_.begin_span(batch_->span_bytes(span));
}

void Sorter::give(std::uint32_t index, const std::vector<std::size_t>& slots) {
  for (const std::size_t slot : slots) slots_[slot].spans.push_back(index);
  if (slots.empty()) ++dropped_;
}

}  // namespace sluice::routing
