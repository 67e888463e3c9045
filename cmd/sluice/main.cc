#include <sys/prctl.h>

#include <iostream>
#include <memory>
#include <string>

#include "cmd/sluice/components.h"
#include "cmd/sluice/default_config.h"
#include "cmd/sluice/explain.h"
#include "cmd/sluice/options.h"
#include "cmd/sluice/signals.h"
#include "cmd/sluice/telemetry.h"
#include "config/document.h"
#include "pipeline/admin.h"
#include "pipeline/graph.h"
#include "pipeline/ledger.h"
#include "pipeline/log.h"
#include "pipeline/memory_limit.h"
#include "pipeline/metrics.h"
#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"
#include "pipeline/process_metrics.h"

// The story of the daemon: flags → load → build → start → wait → stop.

namespace {

using namespace sluice;

enum ExitCode { done = 0, invalid_configuration = 1, could_not_start = 3 };

std::size_t in_flight_limit(const config::ServiceSection& service) {
  return service.in_flight_bytes > 0 ? service.in_flight_bytes
                                     : default_in_flight(memory_limit(""));
}

void say_start(const Options& options, const config::Problems& problems) {
  std::string files;
  for (const std::string& each : options.load.configs) (files += files.empty() ? "" : ", ") += each;
  log::info("sluice starts",
            {{"version", SLUICE_VERSION}, {"config", files.empty() ? "built-in" : files}});
  for (const config::Problem& each : problems.list()) log::warn(problems.line(each));
  for (const std::string& key : problems.keys_without_effect()) {
    log::info("A key of the configuration is accepted without effect", {{"key", key}});
  }
}

int serve(Graph& graph, net::EventLoops& loops, Signals& signals,
          std::chrono::nanoseconds drain_timeout) {
  loops.start();
  std::string error;
  if (!graph.start(error)) {
    loops.stop();
    log::error("sluice could not start: " + error);
    return could_not_start;
  }
  log::info("sluice is ready", {{"workers", std::to_string(loops.size())}});
  signals.wait_for_stop();
  log::info("sluice drains; a second signal cuts it short");
  const std::uint64_t left = graph.stop(drain_timeout, signals.hurry());
  loops.stop();
  if (left > 0)
    log::error("sluice ends with spans that were not delivered", {{"spans", std::to_string(left)}});
  else
    log::info("sluice ends; everything was delivered");
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  Options options = parse_options(argc, argv);
  if (options.exit_code) return *options.exit_code;
  if (options.command == Options::Command::explain) return explain(options.admin, options.trace_id);
  if (options.command == Options::Command::simulate) return simulate(options.simulate);
  const ComponentTable table = all_components();
  if (options.command == Options::Command::components) {
    options.functions ? print_functions(std::cout) : print_components(std::cout, table);
    return done;
  }
  prctl(PR_SET_DUMPABLE, 0);  // memory holds secrets and other people's data: no core dumps
  Signals signals;

  options.load.built_in = default_config;
  config::Problems problems;
  const config::Document document = config::load(options.load, problems);

  Metrics metrics;
  Ledger ledger(in_flight_limit(document.service));
  register_process_metrics(metrics, ledger);
  net::EventLoops loops(net::worker_count());
  net::Listeners doors(loops, ledger, metrics), own(loops, ledger, metrics);
  doors.keep_apart(own);
  Telemetry telemetry(document.service, metrics, own, problems);
  Admin admin(own, document.service.admin_endpoint);
  const auto graph =
      Graph::build(document, table, {loops, doors, own, ledger, metrics, &admin}, problems);
  if (!admin.error().empty()) problems.error({}, "service.admin.endpoint", admin.error());
  if (problems.any_errors()) {
    std::cerr << problems.report();
    return invalid_configuration;
  }
  if (options.command == Options::Command::validate) {
    std::cerr << problems.report();
    std::cout << "the configuration is valid\n";
    return done;
  }
  say_start(options, problems);
  return serve(*graph, loops, signals, document.service.drain_timeout);
}
