#pragma once

#include <ostream>

#include "pipeline/graph.h"

namespace sluice {

ComponentTable all_components();
/// By section, one type a line: what `sluice components` says.
void print_components(std::ostream& out, const ComponentTable& table);
/// The functions of OTTL with their arguments, one a line: `sluice components --functions`.
void print_functions(std::ostream& out);

}  // namespace sluice
