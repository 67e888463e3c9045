#include "processors/transform/options.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace sluice::transform {
namespace {

using config::Node;
using ottl::Context;
using ottl::ErrorMode;
using ottl::PathStyle;

/// `{context, conditions, statements, error_mode}`.
void decode_group(const Node& node, ErrorMode mode, Options& options) {
  Group group;
  group.error_mode = mode;
  ottl::decode_error_mode(node, group.error_mode);
  const std::optional<Context> given = ottl::decode_context(node);
  const Node conditions = node.child("conditions");
  const Node statements = node.child("statements");
  const std::optional<Context> context =
      given ? given : ottl::infer_context(conditions.list(), statements.list());
  node.no_other_keys();
  if (!context) return;
  const PathStyle style = given ? PathStyle::short_form : PathStyle::full_form;
  group.context = *context;
  group.conditions = ottl::compile_conditions(conditions, *context, style);
  group.statements = ottl::compile_statements(statements, *context, style);
  if (!group.statements.empty()) options.groups.push_back(std::move(group));
}

/// All of the list in one group, of the context that their paths name together.
void decode_texts(const Node& list, ErrorMode mode, Options& options) {
  const std::optional<Context> context = ottl::infer_context({}, list.list());
  if (!context) return;
  Group group{*context, mode, {}, ottl::compile_statements(list, *context, PathStyle::full_form)};
  if (!group.statements.empty()) options.groups.push_back(std::move(group));
}

void decode_statements(const Node& list, ErrorMode mode, Options& options) {
  const std::vector<Node> items = list.list();
  const auto is_text = [](const Node& item) { return item.kind() == Node::Kind::scalar; };
  if (!items.empty() && std::ranges::all_of(items, is_text)) {
    decode_texts(list, mode, options);
    return;
  }
  for (const Node& item : items) {
    if (is_text(item)) {
      item.error("", "statements and groups of statements cannot stand in one list");
    } else {
      decode_group(item, mode, options);
    }
  }
}

}  // namespace

bool Group::writes_outward() const {
  if (context == Context::resource) return false;
  return std::ranges::any_of(statements, [](const ottl::CompiledStatement& statement) {
    const std::vector<ottl::Call::Argument>& arguments = statement.editor->arguments;
    return !arguments.empty() && arguments[0].path != nullptr && arguments[0].path->shared();
  });
}

Options Options::decode(const Node& node) {
  Options options;
  ErrorMode mode = ErrorMode::ignore;
  ottl::decode_error_mode(node, mode);
  decode_statements(node.child("trace_statements"), mode, options);
  for (const std::string_view key :
       {"metric_statements", "log_statements", "profile_statements", "flatten_data"}) {
    if (node.has(key)) node.error(key, "is for other signals; sluice takes traces");
  }
  node.no_other_keys();
  return options;
}

std::vector<Pass> Options::passes() const {
  std::vector<Pass> passes;
  for (const Group& group : groups) {
    const bool together = !passes.empty() && passes.back().back()->context <= group.context &&
                          !passes.back().back()->writes_outward() && !group.writes_outward();
    if (!together) passes.emplace_back();
    passes.back().push_back(&group);
  }
  return passes;
}

bool Options::reads_request() const {
  return std::ranges::any_of(groups, [](const Group& group) {
    return std::ranges::any_of(group.conditions, &ottl::CompiledCondition::reads_request) ||
           std::ranges::any_of(group.statements, &ottl::CompiledStatement::reads_request);
  });
}

}  // namespace sluice::transform
