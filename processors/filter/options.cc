#include "processors/filter/options.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace sluice::filter {
namespace {

using config::Node;
using ottl::Context;
using ottl::ErrorMode;
using ottl::PathStyle;

void add(Options& options, Context context, ErrorMode mode,
         std::vector<ottl::CompiledCondition> conditions) {
  if (!conditions.empty()) options.groups.push_back({context, mode, std::move(conditions)});
}

/// `{context, conditions, error_mode}`.
void decode_group(const Node& node, ErrorMode mode, Options& options) {
  ottl::decode_error_mode(node, mode);
  const std::optional<Context> given = ottl::decode_context(node);
  const Node list = node.child("conditions");
  if (list.list().empty()) node.error("conditions", "needs at least one condition");
  const std::optional<Context> context = given ? given : ottl::infer_context(list.list(), {});
  const PathStyle style = given ? PathStyle::short_form : PathStyle::full_form;
  if (context) add(options, *context, mode, ottl::compile_conditions(list, *context, style));
  node.no_other_keys();
}

/// A text of its own: each has the context that its paths name.
void decode_single(const Node& node, ErrorMode mode, Options& options) {
  const std::optional<Context> context = ottl::infer_context({node}, {});
  if (!context) return;
  std::vector<ottl::CompiledCondition> one;
  if (auto condition = ottl::compile_condition(node, *context, PathStyle::full_form))
    one.push_back(std::move(*condition));
  add(options, *context, mode, std::move(one));
}

void decode_trace_conditions(const Node& list, ErrorMode mode, Options& options) {
  std::size_t texts = 0;
  for (const Node& item : list.list()) {
    if (item.kind() == Node::Kind::scalar) ++texts;
  }
  for (const Node& item : list.list()) {
    if (item.kind() == Node::Kind::map && texts > 0) {
      item.error("", "conditions and groups of conditions cannot stand in one list");
    } else if (item.kind() == Node::Kind::map) {
      decode_group(item, mode, options);
    } else {
      decode_single(item, mode, options);
    }
  }
}

void decode_traces(const Node& node, ErrorMode mode, Options& options) {
  for (const Context context : {Context::resource, Context::span, Context::spanevent}) {
    const Node list = node.child(ottl::name_of(context));
    add(options, context, mode, ottl::compile_conditions(list, context, PathStyle::short_form));
  }
  node.no_other_keys();
}

void refuse_other_signals(const Node& node) {
  for (const std::string_view key : {"metrics", "logs", "profiles", "metric_conditions",
                                     "log_conditions", "profile_conditions"}) {
    if (node.has(key)) node.error(key, "is for other signals; sluice takes traces");
  }
}

}  // namespace

Options Options::decode(const Node& node) {
  Options options;
  ErrorMode mode = ErrorMode::ignore;
  ottl::decode_error_mode(node, mode);
  const bool inferred = node.has("trace_conditions");
  const bool by_context = node.has("traces");
  const bool legacy = node.has("spans");
  if (inferred && (by_context || legacy))
    node.error("trace_conditions", "cannot stand beside \"traces\" or \"spans\"");
  if (by_context && legacy) node.error("traces", "cannot stand beside \"spans\"");
  decode_trace_conditions(node.child("trace_conditions"), mode, options);
  decode_traces(node.child("traces"), mode, options);
  options.spans = SpanMatcher::decode(node.child("spans"));
  node.child("spans").no_other_keys();
  refuse_other_signals(node);
  node.no_other_keys();
  return options;
}

bool Options::reads_request() const {
  return std::ranges::any_of(groups, [](const Group& group) {
    return std::ranges::any_of(group.conditions, &ottl::CompiledCondition::reads_request);
  });
}

}  // namespace sluice::filter
