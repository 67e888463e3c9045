#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/ottl/expression.h"
#include "pipeline/ottl/indexing.h"

namespace sluice::ottl {

/// What statements are about. A span's statements see its resource and scope too, an event's its
/// span as well.
enum class Context : std::uint8_t { resource, scope, span, spanevent };
inline constexpr Context all_contexts[] = {Context::spanevent, Context::span, Context::scope,
                                           Context::resource};
std::string_view name_of(Context context);

/// One of the fields that paths name: "span", "status.code".
struct Field {
  std::string_view context;
  std::string_view name;
  Type type;
  Value (*get)(Evaluation& in);
  Value (*set)(Evaluation& in, const Value& value);  ///< null: it cannot be written
};

/// A path whose first segment was taken for `context` (which an alias may name otherwise):
/// "status.code", with the keys behind its last segment. Null, with what is wrong, where there is
/// no such field.
std::unique_ptr<const Path> make_path(std::string_view context, std::string_view name, Keys keys,
                                      std::string& mistake);
/// The field names of a context, for "did you mean".
std::vector<std::string> field_names(std::string_view context);

/// A parameter of a lambda, with keys.
std::unique_ptr<const Expression> make_local(std::size_t index, Keys keys);

}  // namespace sluice::ottl
