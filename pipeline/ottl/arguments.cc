#include "pipeline/ottl/arguments.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "config/error.h"
#include "pipeline/ottl/functions.h"

namespace sluice::ottl {
namespace {

using Kind = Parameter::Kind;

std::string signature_of(const Function& function) {
  return std::string(function.name) + '(' + std::string(function.signature) + ')';
}

std::vector<std::string> names_of(const std::vector<Parameter>& parameters) {
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters) names.emplace_back(parameter.name);
  return names;
}

class Reader {
 public:
  Reader(ArgumentSource& source, const Parameter& parameter, Call::Argument& argument)
      : source_(source), parameter_(parameter), argument_(argument) {}

  bool read(const Syntax& syntax) {
    argument_.given = true;
    argument_.kind = parameter_.kind;
    switch (parameter_.kind) {
      case Kind::literal_string: return literal(syntax, Type::string);
      case Kind::literal_integer: return literal(syntax, Type::integer);
      case Kind::literal_boolean: return literal(syntax, Type::boolean);
      case Kind::path:
      case Kind::map_path:
      case Kind::list_path: return path(syntax);
      case Kind::any_list: return list(syntax, Kind::any);
      case Kind::string_list: return list(syntax, Kind::string);
      case Kind::literal_list: return list(syntax, Kind::literal_string);
      case Kind::text_list:
        if (syntax.kind == Syntax::Kind::list) return list(syntax, Kind::text);
        return value(syntax, Kind::list);
      case Kind::lambda:
        argument_.lambda = source_.lambda(syntax, parameter_.lambda_parameters);
        return argument_.lambda != nullptr;
      case Kind::converter: return converter(syntax);
      default: return value(syntax, parameter_.kind);
    }
  }

 private:
  bool refuse(const Syntax& syntax, const std::string& message) {
    source_.mistake(syntax.place, config::in_quotes(parameter_.name) + ": " + message);
    return false;
  }
  bool refuse(const Syntax& syntax, std::string_view expected, Type found) {
    return refuse(syntax,
                  "expected " + std::string(expected) + ", found " + std::string(name_of(found)));
  }

  bool value(const Syntax& syntax, Kind kind) {
    argument_.value = source_.value(syntax);
    if (argument_.value == nullptr || !fits(syntax, *argument_.value, kind)) return false;
    if (const Value* const constant = argument_.value->constant(); constant != nullptr) {
      Evaluation in;
      argument_.value = std::make_unique<Constant>(converted(in, *constant, kind));
      argument_.known = argument_.value->constant();
    }
    return true;
  }

  /// Whether what is known of the value can be what is wanted.
  bool fits(const Syntax& syntax, const Expression& value, Kind kind) {
    if (const Value* const constant = value.constant(); constant != nullptr) {
      Evaluation in;
      const Value result = converted(in, *constant, kind);
      return !result.failed() || refuse(syntax, in.error);
    }
    if (value.type() == Type::any) return true;
    const Type wanted = strict_type(kind);
    return wanted == Type::any || wanted == value.type() ||
           refuse(syntax, name_of(wanted), value.type());
  }

  bool literal(const Syntax& syntax, Type type) {
    argument_.value = source_.value(syntax);
    if (argument_.value == nullptr) return false;
    const Value* const constant = argument_.value->constant();
    if (constant != nullptr && constant->type == type) return true;
    return refuse(syntax, "expected " + std::string(name_of(type)) + " as a literal");
  }

  bool path(const Syntax& syntax) {
    if (syntax.kind != Syntax::Kind::path) return refuse(syntax, "expected a path");
    std::unique_ptr<const Path> path = source_.path(syntax);
    if (path == nullptr) return false;
    if (!path->writable()) return refuse(syntax, "this cannot be written");
    if (parameter_.kind == Kind::map_path && path->type() != Type::map && path->type() != Type::any)
      return refuse(syntax, "a map", path->type());
    argument_.path = path.get();
    argument_.attribute = path->attribute();
    argument_.value = std::move(path);
    return true;
  }

  bool list(const Syntax& syntax, Kind kind) {
    if (syntax.kind != Syntax::Kind::list) return refuse(syntax, "expected a list in brackets");
    bool complete = true;
    for (const SyntaxPtr& item : syntax.items) {
      ExpressionPtr value = source_.value(*item);
      if (value == nullptr) {
        complete = false;
        continue;
      }
      const Value* const constant = value->constant();
      if (kind == Kind::literal_string && (constant == nullptr || constant->type != Type::string)) {
        complete = refuse(*item, "expected a string as a literal");
      } else {
        complete = fits(*item, *value, kind) && complete;
      }
      argument_.list.push_back(std::move(value));
    }
    argument_.kind = kind;
    return complete;
  }

  bool converter(const Syntax& syntax) {
    const Function* const found =
        syntax.kind == Syntax::Kind::symbol ? find_function(syntax.text) : nullptr;
    if (found == nullptr || parameters_of(found->signature).size() != 1)
      return refuse(syntax, "expected the name of a converter of one argument, such as SHA256");
    argument_.function = found;
    return true;
  }

  ArgumentSource& source_;
  const Parameter& parameter_;
  Call::Argument& argument_;
};

}  // namespace

bool read_arguments(const Syntax& syntax, ArgumentSource& source, Call& call) {
  const std::vector<Parameter> parameters = parameters_of(call.function->signature);
  const Place name{syntax.place.offset, syntax.text.size()};
  call.arguments.resize(parameters.size());
  bool complete = true;
  for (std::size_t i = 0; i < syntax.items.size(); ++i) {
    const Syntax& item = *syntax.items[i];
    std::size_t index = i;
    if (!syntax.names[i].empty()) {
      const auto named = std::ranges::find(parameters, syntax.names[i], &Parameter::name);
      index = static_cast<std::size_t>(named - parameters.begin());
      if (named == parameters.end()) {
        source.mistake(item.place, "unknown argument " + config::in_quotes(syntax.names[i]) +
                                       config::did_you_mean(syntax.names[i], names_of(parameters)));
        return false;
      }
    }
    if (index >= parameters.size()) {
      source.mistake(item.place, "too many arguments for " + signature_of(*call.function));
      return false;
    }
    if (call.arguments[index].given) {
      source.mistake(item.place, "the argument " + config::in_quotes(parameters[index].name) +
                                     " is there already");
      return false;
    }
    complete = Reader(source, parameters[index], call.arguments[index]).read(item) && complete;
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (call.arguments[i].given || parameters[i].optional) continue;
    source.mistake(name, "lacks the argument " + config::in_quotes(parameters[i].name) + " of " +
                             signature_of(*call.function));
    return false;
  }
  return complete;
}

}  // namespace sluice::ottl
