#include "pipeline/ottl/conditions.h"

#include <utility>

namespace sluice::ottl {
namespace {

class Always final : public Condition {
 public:
  explicit Always(bool answer) : yes(answer) {}
  Truth test(Evaluation&) const override { return truth(yes); }

  const bool yes;
};

class Not final : public Condition {
 public:
  explicit Not(ConditionPtr condition) : condition_(std::move(condition)) {}
  Truth test(Evaluation& in) const override {
    const Truth answer = condition_->test(in);
    return answer == Truth::failed ? answer : truth(answer == Truth::no);
  }

 private:
  const ConditionPtr condition_;
};

/// Ends at the first that answers `decisive`.
class Sequence final : public Condition {
 public:
  Sequence(std::vector<ConditionPtr> conditions, Truth decisive)
      : conditions_(std::move(conditions)), decisive_(decisive) {}
  Truth test(Evaluation& in) const override {
    for (const ConditionPtr& condition : conditions_) {
      const Truth answer = condition->test(in);
      if (answer == decisive_ || answer == Truth::failed) return answer;
    }
    return decisive_ == Truth::yes ? Truth::no : Truth::yes;
  }

 private:
  const std::vector<ConditionPtr> conditions_;
  const Truth decisive_;
};

class Compared final : public Condition {
 public:
  Compared(ExpressionPtr left, Comparison how, ExpressionPtr right)
      : left_(std::move(left)), right_(std::move(right)), how_(how) {}
  Truth test(Evaluation& in) const override {
    const Value left = left_->get(in);
    if (left.failed()) return Truth::failed;
    const Value right = right_->get(in);
    if (right.failed()) return Truth::failed;
    return truth(compare(left, right, how_));
  }

 private:
  const ExpressionPtr left_, right_;
  const Comparison how_;
};

/// Most comparisons are with a constant.
class ComparedWithConstant final : public Condition {
 public:
  ComparedWithConstant(ExpressionPtr left, Comparison how, ExpressionPtr right)
      : left_(std::move(left)), right_(std::move(right)), value_(*right_->constant()), how_(how) {}
  Truth test(Evaluation& in) const override {
    const Value left = left_->get(in);
    if (left.failed()) return Truth::failed;
    return truth(compare(left, value_, how_));
  }

 private:
  const ExpressionPtr left_, right_;
  const Value& value_;
  const Comparison how_;
};

/// And most of those of an attribute, such as `attributes["http.response.status_code"] >= 500`.
class AttributeComparedWithConstant final : public Condition {
 public:
  AttributeComparedWithConstant(ExpressionPtr left, Comparison how, ExpressionPtr right)
      : left_(std::move(left)),
        right_(std::move(right)),
        attribute_(*left_->attribute()),
        value_(*right_->constant()),
        how_(how) {}
  Truth test(Evaluation& in) const override {
    return truth(compare(attribute_.get(in), value_, how_));
  }

 private:
  const ExpressionPtr left_, right_;
  const Attribute& attribute_;
  const Value& value_;
  const Comparison how_;
};

class IsTrue final : public Condition {
 public:
  explicit IsTrue(ExpressionPtr value) : value_(std::move(value)) {}
  Truth test(Evaluation& in) const override {
    const Value value = value_->get(in);
    if (value.failed()) return Truth::failed;
    if (value.type == Type::boolean) return truth(value.boolean);
    in.mismatch("a boolean", value.type);
    return Truth::failed;
  }

 private:
  const ExpressionPtr value_;
};

/// The answer of one that has always the same; null for any other.
const bool* constant_of(const Condition& condition) {
  const auto* const known = dynamic_cast<const Always*>(&condition);
  return known == nullptr ? nullptr : &known->yes;
}

ConditionPtr sequence(std::vector<ConditionPtr> conditions, bool decisive) {
  std::vector<ConditionPtr> open;
  for (ConditionPtr& condition : conditions) {
    const bool* const known = constant_of(*condition);
    if (known != nullptr && *known == decisive) return always(decisive);
    if (known == nullptr) open.push_back(std::move(condition));
  }
  if (open.empty()) return always(!decisive);
  if (open.size() == 1) return std::move(open.front());
  return std::make_unique<Sequence>(std::move(open), truth(decisive));
}

}  // namespace

ConditionPtr always(bool yes) { return std::make_unique<Always>(yes); }

ConditionPtr negated(ConditionPtr condition) {
  if (const bool* const known = constant_of(*condition)) return always(!*known);
  return std::make_unique<Not>(std::move(condition));
}

ConditionPtr all_of(std::vector<ConditionPtr> conditions) {
  return sequence(std::move(conditions), false);
}

ConditionPtr any_of(std::vector<ConditionPtr> conditions) {
  return sequence(std::move(conditions), true);
}

ConditionPtr compared(ExpressionPtr left, Comparison how, ExpressionPtr right) {
  if (right->constant() == nullptr)
    return std::make_unique<Compared>(std::move(left), how, std::move(right));
  if (left->constant() != nullptr)
    return always(compare(*left->constant(), *right->constant(), how));
  if (left->attribute() != nullptr)
    return std::make_unique<AttributeComparedWithConstant>(std::move(left), how, std::move(right));
  return std::make_unique<ComparedWithConstant>(std::move(left), how, std::move(right));
}

ConditionPtr is_true(ExpressionPtr value) {
  if (const Value* const known = value->constant(); known && known->type == Type::boolean)
    return always(known->boolean);
  return std::make_unique<IsTrue>(std::move(value));
}

}  // namespace sluice::ottl
