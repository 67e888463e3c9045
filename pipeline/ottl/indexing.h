#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "pipeline/ottl/expression.h"

namespace sluice::ottl {

using Keys = std::vector<ExpressionPtr>;
using KeySpan = std::span<const ExpressionPtr>;

/// A list grows at most to this by an index past its end.
inline constexpr std::int64_t list_growth_max = 4096;

/// What lies in a path's value under its keys: nil where a map lacks one, a failure where an index
/// is out of bounds or the value is neither a map nor a list.
Value value_at(Evaluation& in, Value value, KeySpan keys);
/// The same for a converter's value, where a missing key is a failure too.
Value item_at(Evaluation& in, Value value, KeySpan keys);
/// `value` with `leaf` under `keys`; what lacks on the way is made.
Value with_set(Evaluation& in, const Value& value, KeySpan keys, const Value& leaf);
/// A key that must be a string.
Value string_key(Evaluation& in, const Expression& key);

/// A converter's value, indexed.
class Indexed final : public Expression {
 public:
  Indexed(ExpressionPtr value, Keys keys) : value_(std::move(value)), keys_(std::move(keys)) {}
  Value get(Evaluation& in) const override { return item_at(in, value_->get(in), keys_); }

 private:
  const ExpressionPtr value_;
  const Keys keys_;
};

}  // namespace sluice::ottl
