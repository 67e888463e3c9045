#pragma once

#include <span>

#include "pipeline/ottl/paths.h"

namespace sluice::ottl {

/// The tables of fields, one line each. Attributes and the cache are not among them.
std::span<const Field> span_fields();
std::span<const Field> other_fields();  ///< of events, scopes, resources and the request

/// The value must have this type.
Value expect(Evaluation& in, const Value& value, Type type);

}  // namespace sluice::ottl
