#include "pipeline/ottl/parameter.h"

#include <algorithm>
#include <utility>

#include "pipeline/ensure.h"

namespace sluice::ottl {
namespace {

using Kind = Parameter::Kind;

constexpr std::pair<std::string_view, Kind> kinds[] = {
    {"any", Kind::any},
    {"string", Kind::string},
    {"int", Kind::integer},
    {"double", Kind::real},
    {"time", Kind::time},
    {"duration", Kind::duration},
    {"map", Kind::map},
    {"list", Kind::list},
    {"text", Kind::text},
    {"integer", Kind::integer_like},
    {"number", Kind::real_like},
    {"truth", Kind::boolean_like},
    {"bytes", Kind::bytes_like},
    {"literal string", Kind::literal_string},
    {"literal int", Kind::literal_integer},
    {"literal bool", Kind::literal_boolean},
    {"path", Kind::path},
    {"map path", Kind::map_path},
    {"list path", Kind::list_path},
    {"[any]", Kind::any_list},
    {"[string]", Kind::string_list},
    {"[text]", Kind::text_list},
    {"[literal string]", Kind::literal_list},
    {"converter", Kind::converter},
};

/// "utf8_safe? literal bool"
Parameter parameter_of(std::string_view text) {
  Parameter parameter;
  const std::size_t space = text.find(' ');
  parameter.name = text.substr(0, space);
  parameter.words = text.substr(space + 1);
  if (parameter.name.ends_with('?')) {
    parameter.optional = true;
    parameter.name.remove_suffix(1);
  }
  if (parameter.words.starts_with("lambda ")) {
    parameter.kind = Kind::lambda;
    parameter.lambda_parameters = static_cast<std::size_t>(parameter.words.back() - '0');
    return parameter;
  }
  const auto* const kind =
      std::ranges::find(kinds, parameter.words, &std::pair<std::string_view, Kind>::first);
  ensure(kind != std::end(kinds), "a signature names kinds that there are");
  parameter.kind = kind->second;
  return parameter;
}

}  // namespace

std::vector<Parameter> parameters_of(std::string_view signature) {
  std::vector<Parameter> parameters;
  while (!signature.empty()) {
    const std::size_t comma = std::min(signature.find(", "), signature.size());
    parameters.push_back(parameter_of(signature.substr(0, comma)));
    signature.remove_prefix(std::min(comma + 2, signature.size()));
  }
  return parameters;
}

}  // namespace sluice::ottl
