// Values that operators and brackets make.
#include <limits>
#include <string>
#include <utility>

#include "pipeline/ottl/conditions.h"

namespace sluice::ottl {
namespace {

std::int64_t wrapped(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }

/// 64 bits that wrap around, as Go's.
Value of_integers(Evaluation& in, std::int64_t left, char sign, std::int64_t right) {
  const auto a = static_cast<std::uint64_t>(left);
  const auto b = static_cast<std::uint64_t>(right);
  switch (sign) {
    case '+': return Value::of_integer(wrapped(a + b));
    case '-': return Value::of_integer(wrapped(a - b));
    case '*': return Value::of_integer(wrapped(a * b));
    default: break;
  }
  if (right == 0) return in.fail("division by zero");
  return Value::of_integer(right == -1 ? wrapped(0 - a) : left / right);
}

Value of_reals(Evaluation& in, double left, char sign, double right) {
  switch (sign) {
    case '+': return Value::of_real(left + right);
    case '-': return Value::of_real(left - right);
    case '*': return Value::of_real(left * right);
    default: break;
  }
  return right == 0 ? in.fail("division by zero") : Value::of_real(left / right);
}

/// Times and durations: what a sum or a difference of them is; `failed` for what is none.
Type type_of_times(Type left, char sign, Type right) {
  if (sign != '+' && sign != '-') return Type::failed;
  if (left == Type::duration && right == Type::duration) return Type::duration;
  if (left == Type::time && right == Type::duration) return Type::time;
  if (left == Type::time && right == Type::time && sign == '-') return Type::duration;
  if (left == Type::duration && right == Type::time && sign == '+') return Type::time;
  return Type::failed;
}

bool is_number(const Value& value) {
  return value.type == Type::integer || value.type == Type::real;
}
double as_real(const Value& value) {
  return value.type == Type::real ? value.real : static_cast<double>(value.integer);
}

class Arithmetic final : public Expression {
 public:
  Arithmetic(ExpressionPtr left, char sign, ExpressionPtr right)
      : left_(std::move(left)), right_(std::move(right)), sign_(sign) {}
  Value get(Evaluation& in) const override {
    const Value left = left_->get(in);
    if (left.failed()) return left;
    const Value right = right_->get(in);
    if (right.failed()) return right;
    if (left.type == Type::integer && right.type == Type::integer)
      return of_integers(in, left.integer, sign_, right.integer);
    if (is_number(left) && is_number(right))
      return of_reals(in, as_real(left), sign_, as_real(right));
    const Type type = type_of_times(left.type, sign_, right.type);
    if (type == Type::failed) {
      in.fail("no arithmetic between ", name_of(left.type), " and ");
      in.error += name_of(right.type);
      return Value::failure();
    }
    const Value nanos = of_integers(in, left.integer, sign_, right.integer);
    return Value::of(type, nanos.integer);
  }

 private:
  const ExpressionPtr left_, right_;
  const char sign_;
};

class Minus final : public Expression {
 public:
  explicit Minus(ExpressionPtr value) : value_(std::move(value)) {}
  Value get(Evaluation& in) const override {
    const Value value = value_->get(in);
    if (value.failed()) return value;
    if (value.type == Type::real) return Value::of_real(-value.real);
    if (value.type == Type::integer) return of_integers(in, 0, '-', value.integer);
    return in.mismatch("a number", value.type);
  }

 private:
  const ExpressionPtr value_;
};

class ListOf final : public Expression {
 public:
  explicit ListOf(std::vector<ExpressionPtr> items) : items_(std::move(items)) {}
  Type type() const override { return Type::list; }
  Value get(Evaluation& in) const override {
    ListBuilder list;
    for (const ExpressionPtr& item : items_) {
      const Value value = item->get(in);
      if (value.failed()) return value;
      if (!list.add(value)) return in.fail("a list cannot hold ", name_of(value.type));
    }
    return list.finish(in.arena);
  }

 private:
  const std::vector<ExpressionPtr> items_;
};

class MapOf final : public Expression {
 public:
  MapOf(std::vector<std::string> keys, std::vector<ExpressionPtr> values)
      : keys_(std::move(keys)), values_(std::move(values)) {}
  Type type() const override { return Type::map; }
  Value get(Evaluation& in) const override {
    MapBuilder map;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const Value value = values_[i]->get(in);
      if (value.failed()) return value;
      if (!map.put(keys_[i], value)) return in.fail("a map cannot hold ", name_of(value.type));
    }
    return map.finish(in.arena);
  }

 private:
  const std::vector<std::string> keys_;
  const std::vector<ExpressionPtr> values_;
};

/// Evaluated once, here, if nothing in it depends on a span.
ExpressionPtr folded(ExpressionPtr expression, bool constant) {
  if (!constant) return expression;
  const auto in = std::make_unique<Evaluation>();
  const Value value = expression->get(*in);
  if (value.failed()) return expression;
  return std::make_unique<Constant>(value);
}

bool all_constant(const std::vector<ExpressionPtr>& values) {
  for (const ExpressionPtr& value : values) {
    if (value->constant() == nullptr) return false;
  }
  return true;
}

}  // namespace

ExpressionPtr arithmetic(ExpressionPtr left, char sign, ExpressionPtr right) {
  const bool constant = left->constant() != nullptr && right->constant() != nullptr;
  return folded(std::make_unique<Arithmetic>(std::move(left), sign, std::move(right)), constant);
}

ExpressionPtr minus(ExpressionPtr value) {
  const bool constant = value->constant() != nullptr;
  return folded(std::make_unique<Minus>(std::move(value)), constant);
}

ExpressionPtr list_of(std::vector<ExpressionPtr> items) {
  const bool constant = all_constant(items);
  return folded(std::make_unique<ListOf>(std::move(items)), constant);
}

ExpressionPtr map_of(std::vector<std::string> keys, std::vector<ExpressionPtr> values) {
  const bool constant = all_constant(values);
  return folded(std::make_unique<MapOf>(std::move(keys), std::move(values)), constant);
}

}  // namespace sluice::ottl
