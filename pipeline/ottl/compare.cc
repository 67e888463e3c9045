// The rules of comparison (pkg/ottl/LANGUAGE.md, "Comparison Rules").
#include <compare>
#include <string>

#include "pipeline/attributes/value.h"
#include "pipeline/ottl/value.h"

namespace sluice::ottl {
namespace {

template <typename Ordered>
bool in_order(const Ordered& left, const Ordered& right, Comparison how) {
  switch (how) {
    case Comparison::equal: return left == right;
    case Comparison::not_equal: return left != right;
    case Comparison::less: return left < right;
    case Comparison::less_equal: return left <= right;
    case Comparison::greater: return left > right;
    case Comparison::greater_equal: return left >= right;
  }
  return false;
}

bool by_identity(bool same, Comparison how) {
  return how == Comparison::equal ? same : how == Comparison::not_equal && !same;
}

/// An AnyValue without bytes in it is nil.
bool counts_as_nil(const Value& value) {
  return value.type == Type::nil || (value.type == Type::bytes && value.text.empty());
}

bool is_number(const Value& value) {
  return value.type == Type::integer || value.type == Type::real;
}
double as_real(const Value& value) {
  return value.type == Type::real ? value.real : static_cast<double>(value.integer);
}

bool same_content(const Value& left, const Value& right) {
  std::string one, other;
  append_encoded(left, one);
  append_encoded(right, other);
  return same_value(AnyValueView(one), AnyValueView(other));
}

}  // namespace

bool compare(const Value& left, const Value& right, Comparison how) {
  if (left.type == Type::string && right.type == Type::string)
    return in_order(left.text, right.text, how);
  if (left.type == Type::integer && right.type == Type::integer)
    return in_order(left.integer, right.integer, how);
  if (counts_as_nil(left) || counts_as_nil(right)) {
    const bool both = counts_as_nil(left) && counts_as_nil(right);
    if (!both) return how == Comparison::not_equal;
    return how == Comparison::equal || how == Comparison::less_equal ||
           how == Comparison::greater_equal;
  }
  if (is_number(left) && is_number(right)) return in_order(as_real(left), as_real(right), how);
  if (left.type != right.type) return how == Comparison::not_equal;
  switch (left.type) {
    case Type::boolean: return in_order(left.boolean, right.boolean, how);
    case Type::bytes: return in_order(left.text, right.text, how);
    case Type::time:
    case Type::duration: return in_order(left.integer, right.integer, how);
    case Type::list:
    case Type::map: return by_identity(same_content(left, right), how);
    case Type::status:
      return by_identity(left.integer == right.integer && left.text == right.text, how);
    default: return by_identity(left.text == right.text, how);
  }
}

}  // namespace sluice::ottl
