#pragma once

#include <string_view>
#include <vector>

#include "pipeline/ottl/expression.h"

/// The nodes that conditions are made of. Constants are folded, as are comparisons between them.
namespace sluice::ottl {

ConditionPtr always(bool yes);
ConditionPtr negated(ConditionPtr condition);
ConditionPtr all_of(std::vector<ConditionPtr> conditions);
ConditionPtr any_of(std::vector<ConditionPtr> conditions);
ConditionPtr compared(ExpressionPtr left, Comparison how, ExpressionPtr right);
/// A converter's value, which must be a boolean.
ConditionPtr is_true(ExpressionPtr value);

/// `a + b`, `-a`.
ExpressionPtr arithmetic(ExpressionPtr left, char sign, ExpressionPtr right);
ExpressionPtr minus(ExpressionPtr value);
/// Lists and maps; of constants alone they are made once.
ExpressionPtr list_of(std::vector<ExpressionPtr> items);
ExpressionPtr map_of(std::vector<std::string> keys, std::vector<ExpressionPtr> values);

}  // namespace sluice::ottl
