#pragma once

#include <string_view>

namespace sluice {

/// What runs without --config: OTLP in on loopback, batches out to a rotating file, and a line
/// about each on the console.
extern const std::string_view default_config;

}  // namespace sluice
