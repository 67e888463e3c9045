#include "pipeline/ottl/ottl.h"

#include <algorithm>
#include <utility>

#include "pipeline/ottl/syntax.h"

namespace sluice::ottl {
namespace {

void report(const config::Node& node, const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes)
    node.error_within(mistake.place.offset, mistake.place.size, mistake.message);
}

SyntaxPtr read_condition(const config::Node& node, const std::string& text) {
  Mistake mistake;
  SyntaxPtr syntax = parse_expression(text, mistake);
  if (!syntax) report(node, {mistake});
  return syntax;
}

bool read_statement(const config::Node& node, const std::string& text, StatementSyntax& syntax) {
  Mistake mistake;
  if (parse_statement(text, syntax, mistake)) return true;
  report(node, {mistake});
  return false;
}

std::optional<CompiledStatement> compile_statement(const config::Node& node, Context context,
                                                   PathStyle style) {
  const std::string text = node.as_string();
  StatementSyntax syntax;
  if (!read_statement(node, text, syntax)) return std::nullopt;
  std::vector<Mistake> mistakes;
  CompiledStatement statement;
  statement.text = text;
  statement.editor = compile_editor(*syntax.editor, context, style, mistakes);
  if (syntax.where) statement.where = ottl::compile_condition(*syntax.where, context, style, mistakes);
  report(node, mistakes);
  return mistakes.empty() ? std::optional(std::move(statement)) : std::nullopt;
}

}  // namespace

bool CompiledStatement::run(Evaluation& in) const {
  if (where) {
    const Truth answer = where->test(in);
    if (answer != Truth::yes) return answer == Truth::no;
  }
  return !editor->get(in).failed();
}

std::optional<CompiledCondition> compile_condition(const config::Node& node, Context context,
                                                   PathStyle style) {
  CompiledCondition condition;
  condition.text = node.as_string();
  const SyntaxPtr syntax = read_condition(node, condition.text);
  if (!syntax) return std::nullopt;
  std::vector<Mistake> mistakes;
  condition.condition = compile_condition(*syntax, context, style, mistakes);
  report(node, mistakes);
  return mistakes.empty() ? std::optional(std::move(condition)) : std::nullopt;
}

std::vector<CompiledCondition> compile_conditions(const config::Node& list, Context context,
                                                  PathStyle style) {
  std::vector<CompiledCondition> conditions;
  for (const config::Node& item : list.list()) {
    if (auto condition = compile_condition(item, context, style))
      conditions.push_back(std::move(*condition));
  }
  return conditions;
}

std::vector<CompiledStatement> compile_statements(const config::Node& list, Context context,
                                                  PathStyle style) {
  std::vector<CompiledStatement> statements;
  for (const config::Node& item : list.list()) {
    if (auto statement = compile_statement(item, context, style))
      statements.push_back(std::move(*statement));
  }
  return statements;
}

std::optional<Context> infer_context(const std::vector<config::Node>& conditions,
                                     const std::vector<config::Node>& statements) {
  std::vector<SyntaxPtr> owned;
  bool complete = true;
  for (const config::Node& node : statements) {
    StatementSyntax syntax;
    complete = read_statement(node, node.as_string(), syntax) && complete;
    owned.push_back(std::move(syntax.editor));
    owned.push_back(std::move(syntax.where));
  }
  for (const config::Node& node : conditions) {
    owned.push_back(read_condition(node, node.as_string()));
    complete = complete && owned.back() != nullptr;
  }
  if (!complete) return std::nullopt;
  std::vector<const Syntax*> all;
  for (const SyntaxPtr& syntax : owned) {
    if (syntax) all.push_back(syntax.get());
  }
  Mistake mistake;
  const std::optional<Context> context = infer_context(all, mistake);
  const std::vector<config::Node>& named = statements.empty() ? conditions : statements;
  if (!context && !named.empty()) report(named.front(), {mistake});
  return context;
}

void decode_error_mode(const config::Node& node, ErrorMode& mode) {
  node.one_of("error_mode", mode,
              {{"ignore", ErrorMode::ignore},
               {"silent", ErrorMode::silent},
               {"propagate", ErrorMode::propagate}});
}

std::optional<Context> decode_context(const config::Node& node) {
  if (!node.has("context")) return std::nullopt;
  Context context = Context::span;
  node.one_of("context", context,
              {{"resource", Context::resource},
               {"scope", Context::scope},
               {"span", Context::span},
               {"spanevent", Context::spanevent}});
  return context;
}

}  // namespace sluice::ottl
