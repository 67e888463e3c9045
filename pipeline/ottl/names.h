#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/ottl/compiler.h"
#include "pipeline/ottl/paths.h"
#include "pipeline/ottl/syntax.h"

namespace sluice::ottl {

/// SPAN_KIND_SERVER and its like.
std::optional<std::int64_t> enumerator(std::string_view name);
std::vector<std::string> enumerator_names();

/// What a path names: the context whose field it is, and the field with its dots.
struct PathName {
  std::string_view context;
  std::string field;
  Place place;          ///< of the field
  std::string mistake;  ///< empty if it is a name that the context may use
};
PathName path_name(const Syntax& path, Context context, PathStyle style);

}  // namespace sluice::ottl
