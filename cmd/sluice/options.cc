#include "cmd/sluice/options.h"

#include <CLI/CLI.hpp>

namespace sluice {
namespace {

constexpr int usage_error = 2;

constexpr const char* about =
    "sluice takes traces in, runs them through a pipeline and sends them on.\n"
    "Without --config it takes OTLP on 127.0.0.1:4317 and 4318 and writes to "
    "./sluice-traces.jsonl.";

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  CLI::App app(about, "sluice");
  app.add_option(
         "--config", options.load.configs,
         "configuration: a file, file:…, env:NAME or yaml:…; several are merged, later ones win")
      ->allow_extra_args(false);
  app.add_option("--set", options.load.sets,
                 "one value, e.g. processors.batch.timeout=1s; after the files")
      ->allow_extra_args(false);
  app.add_flag("--traces-only", options.load.traces_only,
               "skip pipelines for metrics and logs, and what only they use");
  app.set_version_flag("--version,-v", "sluice " SLUICE_VERSION);
  const CLI::App* validate =
      app.add_subcommand("validate", "check the configuration and say all mistakes")->fallthrough();
  CLI::App* components = app.add_subcommand("components", "list the types of components");
  components->add_flag("--functions", options.functions, "list the functions of OTTL instead");
  CLI::App* explain =
      app.add_subcommand("explain", "say why a running sluice kept or dropped a trace");
  explain->add_option("TRACE_ID", options.trace_id, "32 hexadecimal digits")->required();
  explain->add_option("--admin", options.admin, "its service.admin.endpoint")
      ->capture_default_str();
  CLI::App* simulate =
      app.add_subcommand("simulate", "replay recorded spans through the tail sampler of --config")
          ->fallthrough();
  simulate->add_option("--input", options.simulate.inputs, "files as the file exporter writes them")
      ->required();
  simulate->add_option("--against", options.simulate.against, "a configuration to compare with")
      ->allow_extra_args(false);
  simulate->add_flag("--json", options.simulate.as_json, "for scripts");
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    options.exit_code = app.exit(error) == 0 ? 0 : usage_error;
  }
  if (validate->parsed()) options.command = Options::Command::validate;
  if (simulate->parsed()) {
    options.command = Options::Command::simulate;
    options.simulate.configs = options.load.configs;
  }
  if (explain->parsed()) options.command = Options::Command::explain;
  if (components->parsed()) options.command = Options::Command::components;
  return options;
}

}  // namespace sluice
