#include "pipeline/ottl/ottl.h"

#include <algorithm>
#include <utility>

#include "pipeline/ottl/functions.h"
#include "pipeline/ottl/syntax.h"

namespace sluice::ottl {
namespace {

void report(const config::Node& node, const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes)
    node.error_within(mistake.place.offset, mistake.place.size, mistake.message);
}

/// Whether a text may name what came with the request; too often is no harm.
bool names_request(std::string_view text) { return text.find("otelcol") != std::string_view::npos; }

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

}  // namespace

bool CompiledStatement::run(Evaluation& in) const {
  if (where) {
    const Truth answer = where->test(in);
    if (answer != Truth::yes) return answer == Truth::no;
  }
  return !editor->function->run(in, *editor).failed();
}

ExpressionPtr compile_value(std::string_view text, Context context, PathStyle style,
                            std::vector<Mistake>& mistakes) {
  Mistake mistake;
  const SyntaxPtr syntax = parse_expression(text, mistake);
  if (syntax) return compile_value(*syntax, context, style, mistakes);
  mistakes.push_back(mistake);
  return nullptr;
}

std::optional<CompiledStatement> compile_statement(std::string_view text, Context context,
                                                   PathStyle style,
                                                   std::vector<Mistake>& mistakes) {
  Mistake mistake;
  StatementSyntax syntax;
  if (!parse_statement(text, syntax, mistake)) {
    mistakes.push_back(mistake);
    return std::nullopt;
  }
  const std::size_t before = mistakes.size();
  CompiledStatement statement;
  statement.text = text;
  statement.reads_request = names_request(text);
  statement.editor = compile_editor(*syntax.editor, context, style, mistakes);
  if (syntax.where) statement.where = compile_condition(*syntax.where, context, style, mistakes);
  return mistakes.size() == before ? std::optional(std::move(statement)) : std::nullopt;
}

std::optional<CompiledCondition> compile_condition(std::string_view text, Context context,
                                                   PathStyle style,
                                                   std::vector<Mistake>& mistakes) {
  Mistake mistake;
  const SyntaxPtr syntax = parse_expression(text, mistake);
  if (!syntax) {
    mistakes.push_back(mistake);
    return std::nullopt;
  }
  CompiledCondition condition;
  condition.text = text;
  condition.reads_request = names_request(text);
  condition.condition = compile_condition(*syntax, context, style, mistakes);
  return condition.condition ? std::optional(std::move(condition)) : std::nullopt;
}

std::optional<CompiledCondition> compile_condition(const config::Node& node, Context context,
                                                   PathStyle style) {
  std::vector<Mistake> mistakes;
  auto condition = compile_condition(node.as_string(), context, style, mistakes);
  report(node, mistakes);
  return condition;
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
    std::vector<Mistake> mistakes;
    auto statement = compile_statement(item.as_string(), context, style, mistakes);
    report(item, mistakes);
    if (statement) statements.push_back(std::move(*statement));
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
