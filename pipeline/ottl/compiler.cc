// Names get their meaning here: paths from the tables of fields, functions from theirs,
// enumerators. Types that are known without a span are checked; the others when there is one.
#include "pipeline/ottl/compiler.h"

#include <algorithm>
#include <utility>

#include "config/error.h"
#include "pipeline/ottl/arguments.h"
#include "pipeline/ottl/conditions.h"
#include "pipeline/ottl/functions.h"
#include "pipeline/ottl/names.h"

namespace sluice::ottl {
namespace {

using Kind = Syntax::Kind;

std::string_view name_of(const Syntax& syntax) {
  switch (syntax.kind) {
    case Kind::path: return "a path";
    case Kind::lambda: return "a lambda";
    case Kind::comparison:
    case Kind::not_:
    case Kind::and_:
    case Kind::or_: return "a condition";
    case Kind::nil: return "nil";
    case Kind::string: return "a string";
    case Kind::list: return "a list";
    case Kind::map: return "a map";
    case Kind::bytes: return "bytes";
    default: return "a number";
  }
}

Comparison comparison_of(std::string_view sign) {
  if (sign == "==") return Comparison::equal;
  if (sign == "!=") return Comparison::not_equal;
  if (sign == "<") return Comparison::less;
  if (sign == "<=") return Comparison::less_equal;
  return sign == ">" ? Comparison::greater : Comparison::greater_equal;
}

class Compiler final : public ArgumentSource {
 public:
  Compiler(Context context, PathStyle style, std::vector<Mistake>& mistakes)
      : context_(context), style_(style), mistakes_(mistakes) {}

  ConditionPtr condition(const Syntax& syntax);
  ExpressionPtr value(const Syntax& syntax) override;
  std::unique_ptr<const Call> call(const Syntax& syntax);
  std::unique_ptr<Lambda> lambda(const Syntax& syntax, std::size_t parameters) override;
  std::unique_ptr<const Path> path(const Syntax& syntax) override;
  void mistake(Place place, std::string message) override {
    mistakes_.push_back({place, std::move(message)});
  }

 private:
  ConditionPtr sequence(const Syntax& syntax);
  ConditionPtr comparison(const Syntax& syntax);
  ExpressionPtr path_or_local(const Syntax& syntax);
  ExpressionPtr converter(const Syntax& syntax);
  ExpressionPtr evaluated(const Syntax& syntax, std::unique_ptr<const Call> call);
  ExpressionPtr operation(const Syntax& syntax);
  ExpressionPtr symbol(const Syntax& syntax);
  ExpressionPtr list(const Syntax& syntax);
  std::optional<Keys> keys(const std::vector<SyntaxPtr>& syntaxes);
  std::optional<std::vector<ExpressionPtr>> values(const std::vector<SyntaxPtr>& syntaxes);
  ExpressionPtr refuse(Place place, std::string message) {
    mistake(place, std::move(message));
    return nullptr;
  }

  const Context context_;
  const PathStyle style_;
  std::vector<Mistake>& mistakes_;
  std::vector<std::string> locals_;  ///< of all lambdas around, the innermost last
};

ConditionPtr Compiler::condition(const Syntax& syntax) {
  switch (syntax.kind) {
    case Kind::boolean: return always(syntax.boolean);
    case Kind::comparison: return comparison(syntax);
    case Kind::and_:
    case Kind::or_: return sequence(syntax);
    case Kind::not_: {
      ConditionPtr inner = condition(*syntax.items.front());
      return inner ? negated(std::move(inner)) : nullptr;
    }
    case Kind::call: {
      ExpressionPtr value = converter(syntax);
      return value ? is_true(std::move(value)) : nullptr;
    }
    default:
      mistake(syntax.place,
              "expected a condition such as `a == b` or a converter such as "
              "IsMatch(…), found " +
                  std::string(name_of(syntax)));
      return nullptr;
  }
}

ConditionPtr Compiler::sequence(const Syntax& syntax) {
  std::vector<ConditionPtr> parts;
  bool complete = true;
  for (const SyntaxPtr& item : syntax.items) {
    parts.push_back(condition(*item));
    complete = complete && parts.back() != nullptr;
  }
  if (!complete) return nullptr;
  return syntax.kind == Kind::and_ ? all_of(std::move(parts)) : any_of(std::move(parts));
}

ConditionPtr Compiler::comparison(const Syntax& syntax) {
  ExpressionPtr left = value(*syntax.items[0]);
  ExpressionPtr right = value(*syntax.items[1]);
  if (!left || !right) return nullptr;
  return compared(std::move(left), comparison_of(syntax.text), std::move(right));
}

ExpressionPtr Compiler::value(const Syntax& syntax) {
  switch (syntax.kind) {
    case Kind::nil: return std::make_unique<Constant>(Value());
    case Kind::boolean: return std::make_unique<Constant>(Value::of_boolean(syntax.boolean));
    case Kind::integer: return std::make_unique<Constant>(Value::of_integer(syntax.integer));
    case Kind::real: return std::make_unique<Constant>(Value::of_real(syntax.real));
    case Kind::string: return std::make_unique<Constant>(Value::of_string(syntax.text));
    case Kind::bytes: return std::make_unique<Constant>(Value::of(Type::bytes, syntax.text));
    case Kind::symbol: return symbol(syntax);
    case Kind::path: return path_or_local(syntax);
    case Kind::call: return converter(syntax);
    case Kind::list: return list(syntax);
    case Kind::map: {
      auto items = values(syntax.items);
      return items ? map_of(syntax.names, std::move(*items)) : nullptr;
    }
    case Kind::negation:
    case Kind::arithmetic: return operation(syntax);
    default: break;
  }
  return refuse(syntax.place, "expected a value, found " + std::string(name_of(syntax)));
}

/// `a + b`, `-a`.
ExpressionPtr Compiler::operation(const Syntax& syntax) {
  auto operands = values(syntax.items);
  if (!operands) return nullptr;
  for (std::size_t i = 0; i < operands->size(); ++i) {
    const Type type = (*operands)[i]->type();
    const bool counts = type == Type::any || type == Type::integer || type == Type::real ||
                        type == Type::time || type == Type::duration;
    if (!counts)
      return refuse(syntax.items[i]->place, "expected a number, a time or a duration, found " +
                                                std::string(ottl::name_of(type)));
  }
  if (syntax.kind == Kind::negation) return minus(std::move(operands->front()));
  return arithmetic(std::move((*operands)[0]), syntax.text[0], std::move((*operands)[1]));
}

ExpressionPtr Compiler::list(const Syntax& syntax) {
  auto items = values(syntax.items);
  return items ? list_of(std::move(*items)) : nullptr;
}

std::optional<std::vector<ExpressionPtr>> Compiler::values(const std::vector<SyntaxPtr>& syntaxes) {
  std::vector<ExpressionPtr> all;
  bool complete = true;
  for (const SyntaxPtr& syntax : syntaxes) {
    all.push_back(value(*syntax));
    complete = complete && all.back() != nullptr;
  }
  return complete ? std::optional(std::move(all)) : std::nullopt;
}

std::optional<Keys> Compiler::keys(const std::vector<SyntaxPtr>& syntaxes) {
  return values(syntaxes);
}

ExpressionPtr Compiler::symbol(const Syntax& syntax) {
  const auto number = enumerator(syntax.text);
  if (number && context_ <= Context::scope)
    return refuse(syntax.place, "an enumerator of spans, in a condition or statement about a " +
                                    std::string(ottl::name_of(context_)));
  if (number) return std::make_unique<Constant>(Value::of_integer(*number));
  if (find_function(syntax.text) != nullptr)
    return refuse(syntax.place,
                  "expected a value, found the name of a converter; it is called with "
                  "parentheses");
  return refuse(syntax.place, "unknown enumerator " + config::in_quotes(syntax.text) +
                                  config::did_you_mean(syntax.text, enumerator_names()));
}

ExpressionPtr Compiler::path_or_local(const Syntax& syntax) {
  const Segment& first = syntax.segments.front();
  const auto local = std::find(locals_.rbegin(), locals_.rend(), first.name);
  if (local == locals_.rend()) return path(syntax);
  if (syntax.segments.size() > 1)
    return refuse(syntax.place,
                  "the parameter " + config::in_quotes(first.name) + " has no fields");
  auto indexes = keys(first.keys);
  if (!indexes) return nullptr;
  return make_local(static_cast<std::size_t>(locals_.rend() - local) - 1, std::move(*indexes));
}

std::unique_ptr<const Path> Compiler::path(const Syntax& syntax) {
  const PathName name = path_name(syntax, context_, style_);
  if (!name.mistake.empty()) {
    mistake(name.place, name.mistake);
    return nullptr;
  }
  auto indexes = keys(syntax.segments.back().keys);
  if (!indexes) return nullptr;
  std::string wrong;
  auto path = make_path(name.context, name.field, std::move(*indexes), wrong);
  if (!path) mistake(name.place, wrong);
  return path;
}

ExpressionPtr Compiler::converter(const Syntax& syntax) {
  if (syntax.text[0] >= 'a')
    return refuse(syntax.place, "expected a converter, whose name begins with a capital, found " +
                                    config::in_quotes(syntax.text) +
                                    config::did_you_mean(syntax.text, function_names()));
  std::unique_ptr<const Call> made = call(syntax);
  auto indexes = keys(syntax.keys);
  if (!made || !indexes) return nullptr;
  ExpressionPtr value = evaluated(syntax, std::move(made));
  if (!value || indexes->empty()) return value;
  return std::make_unique<Indexed>(std::move(value), std::move(*indexes));
}

/// A call of constants alone has always the same value, which is found here; or it always fails.
ExpressionPtr Compiler::evaluated(const Syntax& syntax, std::unique_ptr<const Call> call) {
  if (!call->constant_arguments()) return call;
  const auto in = std::make_unique<Evaluation>();
  const Value value = call->get(*in);
  if (value.failed()) return refuse(syntax.place, "always fails: " + in->error);
  return std::make_unique<Constant>(value);
}

std::unique_ptr<const Call> Compiler::call(const Syntax& syntax) {
  const Function* const function = find_function(syntax.text);
  const Place name{syntax.place.offset, syntax.text.size()};
  if (function == nullptr) {
    mistake(name, "unknown function " + config::in_quotes(syntax.text) +
                      config::did_you_mean(syntax.text, function_names()));
    return nullptr;
  }
  if (function->spans_only && context_ != Context::span) {
    mistake(name, config::in_quotes(syntax.text) + " is for spans, not for a " +
                      std::string(ottl::name_of(context_)));
    return nullptr;
  }
  auto call = std::make_unique<Call>(*function);
  if (!read_arguments(syntax, *this, *call)) return nullptr;
  if (function->prepare != nullptr) {
    std::string wrong = function->prepare(*call);
    if (!wrong.empty()) {
      mistake(syntax.place, std::move(wrong));
      return nullptr;
    }
  }
  return call;
}

std::unique_ptr<Lambda> Compiler::lambda(const Syntax& syntax, std::size_t parameters) {
  if (syntax.kind != Kind::lambda || syntax.names.size() != parameters) {
    mistake(syntax.place, "expected a lambda with " + std::to_string(parameters) +
                              (parameters == 1 ? " parameter" : " parameters"));
    return nullptr;
  }
  auto made = std::make_unique<Lambda>();
  made->first = locals_.size();
  made->count = parameters;
  locals_.insert(locals_.end(), syntax.names.begin(), syntax.names.end());
  const Syntax& body = *syntax.items.front();
  const bool is_condition = body.kind == Kind::comparison || body.kind == Kind::not_ ||
                            body.kind == Kind::and_ || body.kind == Kind::or_;
  if (is_condition) {
    made->condition = condition(body);
  } else {
    made->value = value(body);
  }
  locals_.resize(made->first);
  return made->value || made->condition ? std::move(made) : nullptr;
}

}  // namespace

ConditionPtr compile_condition(const Syntax& syntax, Context context, PathStyle style,
                               std::vector<Mistake>& mistakes) {
  const std::size_t before = mistakes.size();
  ConditionPtr condition = Compiler(context, style, mistakes).condition(syntax);
  return mistakes.size() == before ? std::move(condition) : nullptr;
}

ExpressionPtr compile_value(const Syntax& syntax, Context context, PathStyle style,
                            std::vector<Mistake>& mistakes) {
  const std::size_t before = mistakes.size();
  ExpressionPtr value = Compiler(context, style, mistakes).value(syntax);
  return mistakes.size() == before ? std::move(value) : nullptr;
}

std::unique_ptr<const Call> compile_editor(const Syntax& syntax, Context context, PathStyle style,
                                           std::vector<Mistake>& mistakes) {
  if (!syntax.keys.empty()) {
    mistakes.push_back({syntax.place, "an editor gives nothing that could be indexed"});
    return nullptr;
  }
  const std::size_t before = mistakes.size();
  auto call = Compiler(context, style, mistakes).call(syntax);
  return mistakes.size() == before ? std::move(call) : nullptr;
}

}  // namespace sluice::ottl
