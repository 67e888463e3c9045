#pragma once

#include <string>

namespace sluice {

/// `sluice explain`: asks a running sluice on its admin port why it kept or dropped a trace, and
/// prints that. Returns the exit code: 0, 1 where nothing is known of the trace, 3 where nobody
/// answers.
int explain(const std::string& admin, const std::string& trace_id);

}  // namespace sluice
