#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/ottl/expression.h"
#include "pipeline/ottl/paths.h"
#include "pipeline/ottl/syntax.h"

namespace sluice::ottl {

/// How paths begin: where the context was given they may leave it out (`name`), where it was
/// inferred they must not (`span.name`).
enum class PathStyle : std::uint8_t { short_form, full_form };

/// From syntax to what can be evaluated. Every mistake is added to `mistakes`; null after one.
ConditionPtr compile_condition(const Syntax& syntax, Context context, PathStyle style,
                               std::vector<Mistake>& mistakes);
ExpressionPtr compile_value(const Syntax& syntax, Context context, PathStyle style,
                            std::vector<Mistake>& mistakes);
std::unique_ptr<const Call> compile_editor(const Syntax& syntax, Context context, PathStyle style,
                                           std::vector<Mistake>& mistakes);

/// The context that these need: the innermost that their paths name, or one that encloses less if
/// a function or an enumerator is not to be had there. Nothing, with the mistake, where no path
/// names any.
std::optional<Context> infer_context(std::span<const Syntax* const> all, Mistake& mistake);

}  // namespace sluice::ottl
