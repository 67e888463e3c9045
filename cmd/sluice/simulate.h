#pragma once

#include <string>
#include <vector>

namespace sluice {

struct SimulateOptions {
  std::vector<std::string> configs;  ///< as --config takes them
  std::vector<std::string> against;
  std::vector<std::string> inputs;
  bool as_json = false;
};

/// `sluice simulate`: replays recorded spans through the tail sampler of a configuration, and says
/// what it keeps. Returns the exit code: 0, or 1 where a file does not serve.
int simulate(const SimulateOptions& options);

}  // namespace sluice
