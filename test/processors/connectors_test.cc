// Configurations with connectors, from their text to the graph that runs them.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "exporters/debug/debug.h"
#include "exporters/file/file.h"
#include "pipeline/graph.h"
#include "processors/attributes/attributes.h"
#include "processors/batch/batch.h"
#include "processors/forward/forward.h"
#include "processors/routing/routing.h"
#include "receivers/otlp/otlp.h"
#include "receivers/zipkin/zipkin.h"
#include "test/support/readme.h"

namespace sluice {
namespace {

using Strings = std::vector<std::string>;

/// What is wrong with a configuration, as `sluice validate` finds it.
Strings mistakes(const std::string& yaml) {
  const ComponentTable table = {
      .receivers = {otlp_receiver(), zipkin_receiver()},
      .processors = {attributes_processor(), batch_processor()},
      .exporters = {debug_exporter(), file_exporter()},
      .connectors = {forward_connector(), routing_connector()},
      .extensions = {},
  };
  Metrics metrics;
  Ledger ledger(64 << 20);
  net::EventLoops loops(2);
  net::Listeners doors(loops, ledger, metrics), own(loops, ledger, metrics);
  config::Problems problems;
  const auto graph = Graph::build(config::load_text(yaml, "a.yaml", problems), table,
                                  {loops, doors, own, ledger, metrics}, problems);
  CHECK((graph == nullptr) == problems.any_errors());
  Strings lines;
  for (const config::Problem& problem : problems.list()) lines.push_back(problem.to_string());
  return lines;
}

TEST_CASE("the examples of connectors are configurations that hold", "[forward][routing]") {
  for (const char* readme : {"processors/forward/README.md", "processors/routing/README.md"}) {
    const Strings examples = test::readme_examples(readme);
    REQUIRE(examples.size() == 1);
    CHECK(mistakes(examples[0]) == Strings{});
  }
}

TEST_CASE("a table leads to pipelines that the connector leads to", "[routing]") {
  CHECK(mistakes(R"(
receivers: {otlp: {protocols: {http: }}}
exporters: {debug: }
connectors:
  routing:
    default_pipelines: [traces/b, traces/in]
    table:
      - {condition: "true", pipelines: [traces/a, traces/bb]}
service:
  pipelines:
    traces/in: {receivers: [otlp], exporters: [routing]}
    traces/a: {receivers: [routing], exporters: [debug]}
    traces/b: {receivers: [routing], exporters: [debug]}
    traces/idle: {receivers: [routing], exporters: [debug]}
)") == Strings{
           "a.yaml:5:3: connectors.routing: no route leads to \"traces/idle\", which has it among "
           "its receivers",
           "a.yaml:6:35: connectors.routing.default_pipelines[1]: no pipeline \"traces/in\" has "
           "\"routing\" among its receivers; did you mean \"traces/a\"?",
           "a.yaml:8:51: connectors.routing.table[0].pipelines[1]: no pipeline \"traces/bb\" has "
           "\"routing\" among its receivers; did you mean \"traces/b\"?"});
}

}  // namespace
}  // namespace sluice
