#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/ottl/evaluation.h"
#include "pipeline/ottl/expression.h"
#include "pipeline/ottl/parameter.h"

namespace sluice::ottl {

/// One function of the language. `signature` is both its documentation and what its arguments are
/// checked against: "target string, start int, utf8_safe? literal bool". Kinds of parameters:
///
///   any                        as it is
///   string, int, double, time, duration, map, list
///                              of this type, anything else is an error
///   text, integer, number, truth, bytes
///                              whatever can be read as one; nil stays nil
///   literal string|int|bool    known when the statement is compiled
///   path, map path, list path  a place that is edited
///   [any], [string]            a list literal; its items are evaluated one by one
///   [text]                     the same, or an expression that gives a list
///   [literal string]           a list of literals
///   lambda N                   `(a, b) => …` with N parameters
///   converter                  the name of a function of one argument
struct Function {
  std::string_view name;
  std::string_view signature;
  std::string_view gives;  ///< the type of its value; empty for editors
  Value (*run)(Evaluation& in, const Call& call);
  /// Looks at the constants among the arguments; what it returns is a mistake.
  std::string (*prepare)(Call& call) = nullptr;
  bool spans_only = false;  ///< not to be had for resources, scopes and events

  bool editor() const { return name[0] >= 'a'; }
};

std::span<const Function> all_functions();
const Function* find_function(std::string_view name);
std::vector<std::string> function_names();

}  // namespace sluice::ottl
