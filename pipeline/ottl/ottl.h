#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/node.h"
#include "pipeline/ottl/compiler.h"
#include "pipeline/ottl/evaluation.h"
#include "pipeline/ottl/expression.h"
#include "pipeline/ottl/paths.h"

/// The OpenTelemetry Transformation Language. Texts of the configuration are compiled once, while
/// it is decoded, into objects that never change and that all workers share; each worker evaluates
/// them with an Evaluation of its own. See README.md.
namespace sluice::ottl {

struct CompiledCondition {
  ConditionPtr condition;
  std::string text;            ///< as it was written, for logs and metrics
  bool reads_request = false;  ///< it needs the RequestContext

  Truth test(Evaluation& in) const { return condition->test(in); }
};

struct CompiledStatement {
  ConditionPtr where;  ///< null: always
  std::unique_ptr<const Call> editor;
  std::string text;
  bool reads_request = false;

  /// Runs the editor where the condition holds; false after a failure, which the evaluation says.
  bool run(Evaluation& in) const;
};

/// Each item of a list of texts. What is wrong is reported to the node, with line and column inside
/// the text; such an item is left out.
std::vector<CompiledCondition> compile_conditions(const config::Node& list, Context context,
                                                  PathStyle style);
std::vector<CompiledStatement> compile_statements(const config::Node& list, Context context,
                                                  PathStyle style);

/// A value's text, for tests and for options that are one. Null after a mistake.
ExpressionPtr compile_value(std::string_view text, Context context, PathStyle style,
                            std::vector<Mistake>& mistakes);
/// The same for a statement or condition that is no node's.
std::optional<CompiledStatement> compile_statement(std::string_view text, Context context,
                                                   PathStyle style, std::vector<Mistake>& mistakes);
std::optional<CompiledCondition> compile_condition(std::string_view text, Context context,
                                                   PathStyle style, std::vector<Mistake>& mistakes);

/// One of them, for an option that is a single text.
std::optional<CompiledCondition> compile_condition(const config::Node& text, Context context,
                                                   PathStyle style);

/// The context that all of these need together, where their group names none. Nothing after a
/// mistake, which was reported.
std::optional<Context> infer_context(const std::vector<config::Node>& conditions,
                                     const std::vector<config::Node>& statements);

/// What becomes of a statement that fails on a span: `ignore` logs it, `silent` does not, both go
/// on with the next one; `propagate` refuses the request.
enum class ErrorMode : std::uint8_t { ignore, silent, propagate };
void decode_error_mode(const config::Node& node, ErrorMode& mode);
/// "span", "spanevent", …; nothing where it is absent.
std::optional<Context> decode_context(const config::Node& node);

}  // namespace sluice::ottl
