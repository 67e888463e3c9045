#pragma once

#include <string_view>

namespace sluice::ottl {

/// Whether the whole of `text` fits: `*` and `**` any characters, `?` one, `[abc]`, `[a-z]` and
/// `[!a-z]` one of (or none of) these, `{one,other}` either, a backslash the character behind it.
/// Takes time in proportion to both sizes at most, times the alternatives.
bool glob_matches(std::string_view glob, std::string_view text);

}  // namespace sluice::ottl
