#pragma once

#include <ostream>

#include "pipeline/graph.h"

namespace sluice {

ComponentTable all_components();
/// By section, one type a line: what `sluice components` says.
void print_components(std::ostream& out, const ComponentTable& table);

}  // namespace sluice
