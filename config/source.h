#pragma once

#include <string>
#include <vector>

#include "config/value.h"

namespace sluice::config {

/// Reads what one `--config` names: a path, "file:path", "env:NAME", or YAML itself behind "yaml:".
/// Null with an error if it cannot be read.
ValuePtr read_source(const std::string& source, Problems& problems);

/// The values of all `--set` flags, "a.b=c" or "a::b=c" with YAML behind the sign, merged in order.
/// In positions the file is "--set" and the line counts the flags. A null value if there are none.
ValuePtr read_sets(const std::vector<std::string>& sets, Problems& problems);

}  // namespace sluice::config
