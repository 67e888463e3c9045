#pragma once

#include <string>
#include <vector>

#include "config/error.h"

namespace sluice::test {

/// All problems in their one-line form, in order.
inline std::vector<std::string> lines(const config::Problems& problems) {
  std::vector<std::string> out;
  for (const config::Problem& problem : problems.list()) out.push_back(problem.to_string());
  return out;
}

using Lines = std::vector<std::string>;

}  // namespace sluice::test
