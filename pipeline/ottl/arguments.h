#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "pipeline/ottl/expression.h"
#include "pipeline/ottl/syntax.h"

namespace sluice::ottl {

/// Who compiles what arguments are made of.
class ArgumentSource {
 public:
  virtual ExpressionPtr value(const Syntax& syntax) = 0;
  virtual std::unique_ptr<const Path> path(const Syntax& syntax) = 0;
  virtual std::unique_ptr<Lambda> lambda(const Syntax& syntax, std::size_t parameters) = 0;
  virtual void mistake(Place place, std::string message) = 0;

 protected:
  ~ArgumentSource() = default;
};

/// Brings a call's arguments into the order of the function's signature, each as its parameter
/// wants it. False after a mistake.
bool read_arguments(const Syntax& syntax, ArgumentSource& source, Call& call);

}  // namespace sluice::ottl
