#pragma once

#include <optional>
#include <string>

#include "cmd/sluice/simulate.h"
#include "config/document.h"

namespace sluice {

/// What the command line asks for.
struct Options {
  enum class Command { run, validate, components, explain, simulate } command = Command::run;
  bool functions = false;  ///< components: list OTTL's functions instead
  config::LoadOptions load;
  std::string trace_id;                   ///< explain
  std::string admin = "localhost:13134";  ///< explain
  SimulateOptions simulate;               ///< configs are in `load`
  std::optional<int> exit_code;  ///< set where all is said already: --help, --version, wrong usage
};

Options parse_options(int argc, char** argv);

}  // namespace sluice
