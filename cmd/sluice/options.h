#pragma once

#include <optional>

#include "config/document.h"

namespace sluice {

/// What the command line asks for.
struct Options {
  enum class Command { run, validate, components } command = Command::run;
  config::LoadOptions load;
  std::optional<int> exit_code;  ///< set where all is said already: --help, --version, wrong usage
};

Options parse_options(int argc, char** argv);

}  // namespace sluice
