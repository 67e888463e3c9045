#pragma once

#include <string>

#include "pipeline/component.h"

namespace sluice {

/// `resourcedetection`: adds to every resource what is known of the environment and the system that
/// this process runs in.
ProcessorType resourcedetection_processor();
/// The same with `root` before "/etc" and "/proc", for tests.
ProcessorType resourcedetection_processor(std::string root);

}  // namespace sluice
