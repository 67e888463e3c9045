#include "processors/filter/filter.h"

#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/ottl/failures.h"
#include "processors/filter/options.h"

namespace sluice {
namespace {

using filter::Options;
using ottl::Context;
using ottl::Truth;

/// The conditions about one context, of all groups.
class Conditions {
 public:
  Conditions(const Options& options, Context context, ottl::Failures& failures)
      : failures_(failures) {
    for (const filter::Group& group : options.groups) {
      if (group.context != context) continue;
      for (const ottl::CompiledCondition& each : group.conditions)
        all_.push_back({&each, failures.add(each.text, group.error_mode)});
    }
  }

  bool empty() const { return all_.empty(); }
  /// Whether any of them holds; `failed` where the request is refused for one.
  Truth any(ottl::Evaluation& in) {
    for (const auto& [condition, number] : all_) {
      const Truth answer = condition->test(in);
      if (answer == Truth::yes) return answer;
      if (answer == Truth::failed && failures_.report(number, in)) return answer;
    }
    return Truth::no;
  }

 private:
  struct Numbered {
    const ottl::CompiledCondition* condition;
    std::size_t number;
  };
  ottl::Failures& failures_;
  std::vector<Numbered> all_;
};

class Filter final : public Transform {
 public:
  Filter(const ProcessorContext& context, std::shared_ptr<const Options> options)
      : Transform(context),
        options_(std::move(options)),
        failures_(context),
        of_resources_(*options_, Context::resource, failures_),
        of_scopes_(*options_, Context::scope, failures_),
        of_spans_(*options_, Context::span, failures_),
        of_events_(*options_, Context::spanevent, failures_) {}

 protected:
  SpanBatch process(SpanBatch batch) override {
    in_.request = batch.context().get();
    batch_ = &batch;
    resource_ = scope_ = none;
    const bool legacy = !options_->spans.matches_all();
    SpanMatcher::Walk walk(options_->spans, batch);
    const std::span<const SpanEntry> spans = batch.spans();
    std::optional<BatchEditor> editor;
    for (std::uint32_t i = 0; i < spans.size(); ++i) {
      const Truth drop = legacy && !walk.matches(spans[i]) ? Truth::yes : judge(spans[i]);
      if (drop == Truth::failed) {
        reject(failures_.refusal());
        return batch;
      }
      const bool changed = in_.span.changed();
      if (drop == Truth::no && !changed) continue;
      if (!editor) editor.emplace(batch);
      if (drop == Truth::yes) {
        editor->drop_span(i);
      } else {
        in_.span.write(editor->begin_span(i));
        editor->end_span();
      }
    }
    return editor ? std::move(*editor).finish() : batch;
  }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  /// Resource and scope are judged once, for all of their spans that lie side by side.
  Truth judge(const SpanEntry& span) {
    const Truth outer = judge_scope(span);
    if (outer != Truth::no) return outer;
    in_.release();
    if (of_spans_.empty() && of_events_.empty()) return Truth::no;
    in_.begin_span(batch_->span_bytes(span));
    if (const Truth answer = of_spans_.any(in_); answer != Truth::no) return answer;
    return of_events_.empty() ? Truth::no : drop_events();
  }

  Truth judge_scope(const SpanEntry& span) {
    if (span.scope == scope_) return scope_drops_;
    scope_ = span.scope;
    const ScopeEntry& entry = batch_->scopes()[scope_];
    const Truth outer = judge_resource(entry.resource);
    in_.begin_scope(batch_->bytes(entry.scope), batch_->bytes(entry.extra));
    return scope_drops_ = outer != Truth::no ? outer : of_scopes_.any(in_);
  }

  Truth judge_resource(std::uint32_t resource) {
    if (resource == resource_) return resource_drops_;
    resource_ = resource;
    const ResourceEntry& entry = batch_->resources()[resource];
    in_.begin_resource(batch_->bytes(entry.resource), batch_->bytes(entry.extra));
    return resource_drops_ = of_resources_.any(in_);
  }

  Truth drop_events() {
    FieldRange events(in_.span.message(), otlp::span::events);
    for (std::int64_t index = 0; const auto event = events.next(); ++index) {
      in_.begin_event(event->content, index);
      const Truth answer = of_events_.any(in_);
      if (answer == Truth::failed) return answer;
      if (answer == Truth::yes) in_.span.replace(event->whole, {});
    }
    return Truth::no;
  }

  const std::shared_ptr<const Options> options_;
  ottl::Evaluation in_;
  ottl::Failures failures_;
  Conditions of_resources_, of_scopes_, of_spans_, of_events_;
  const SpanBatch* batch_ = nullptr;
  std::uint32_t resource_ = none, scope_ = none;
  Truth resource_drops_ = Truth::no, scope_drops_ = Truth::no;
};

}  // namespace

ProcessorType filter_processor() {
  return {{"filter", [](const config::Node& node) -> Decoded<ProcessorBuilder> {
             const auto options = std::make_shared<const Options>(Options::decode(node));
             return {[options](const ProcessorContext& context) {
                       return std::make_unique<Filter>(context, options);
                     },
                     options->reads_request()};
           }}};
}

}  // namespace sluice
