#pragma once

#include <string>
#include <string_view>

#include "config/value.h"

namespace sluice::config {

/// Parses one YAML document into values with positions. Null, with an error in `problems`, if it
/// cannot be read: bad syntax, a custom tag, a second document, more than the limits of value.h
/// allow. Duplicate keys are errors too, but the first of them stays, so that decoding finds the
/// other mistakes. Applies `<<`. An empty document is a null value.
ValuePtr parse_yaml(std::string_view text, const std::string& file, Problems& problems);

/// Checks the raw text before the parser sees it: size, encoding, and how much structure it can
/// hold. False after an error. See yaml_guard.cc for why.
bool guard_yaml(std::string_view text, const std::string& file, Problems& problems);

}  // namespace sluice::config
