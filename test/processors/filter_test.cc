#include "processors/filter/filter.h"

#include <catch2/catch.hpp>

#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;

SpanBatch shop_batch() {
  return make_batch(
      {{.service = "shop",
        .spans = {{.name = "GET /a", .attributes = {{"method", "GET"}, {"port", 80}}},
                  {.name = "POST /b", .kind = 3, .attributes = {{"method", "POST"}, {"port", 900}}},
                  {.name = "GET /health", .attributes = {{"method", "GET"}, {"port", 900}}}}},
       {.service = "noise", .scope = "lib", .spans = {{.name = "n1"}, {.name = "n2"}}}});
}

/// Names of what is left of it, by conditions in any shape.
Strings left(std::string_view yaml) {
  ProcessorFixture test(filter_processor(), yaml);
  CHECK(test.mistakes == Strings{});
  CHECK(test.send(shop_batch()) == "accepted");
  CHECK(test.conserved());
  return test.next.batches.empty() ? Strings{} : span_names(test.next.batches.at(0));
}

TEST_CASE("a span for which any condition holds is dropped", "[filter]") {
  CHECK(left(R"(traces: {span: ['attributes["method"] == "POST"', 'name == "n1"']})") ==
        Strings{"GET /a", "GET /health", "n2"});
  CHECK(left(R"(traces: {span: ['attributes["method"] == "GET" and attributes["port"] > 450']})") ==
        Strings{"GET /a", "POST /b", "n1", "n2"});
  CHECK(left(R"(traces: {span: ['resource.attributes["service.name"] == "shop"']})") ==
        Strings{"n1", "n2"});
  CHECK(left(R"(traces: {span: ['true']})") == Strings{});
}

TEST_CASE("conditions on a resource drop all of its spans", "[filter]") {
  CHECK(left(R"(traces: {resource: ['attributes["service.name"] == "noise"']})") ==
        Strings{"GET /a", "POST /b", "GET /health"});
  CHECK(left(R"(trace_conditions: ['resource.attributes["service.name"] == "shop"'])") ==
        Strings{"n1", "n2"});
}

TEST_CASE("a flat condition is about what its paths name", "[filter]") {
  CHECK(left(R"(trace_conditions: ['span.name == "n1"', 'scope.name == "lib" and span.name == "n2"',
                                   'span.kind == SPAN_KIND_CLIENT'])") ==
        Strings{"GET /a", "GET /health"});
  CHECK(left(R"(trace_conditions: ['instrumentation_scope.name == "lib"'])") ==
        Strings{"GET /a", "POST /b", "GET /health"});
}

TEST_CASE("groups of conditions have a context, or infer one", "[filter]") {
  CHECK(left(R"(trace_conditions:
  - {context: span, conditions: ['name == "n1"']}
  - {context: scope, conditions: ['name == "none"']}
  - {conditions: ['span.attributes["port"] == 80']})") == Strings{"POST /b", "GET /health", "n2"});
}

TEST_CASE("the oldest shape keeps what is included and not excluded", "[filter]") {
  CHECK(left(R"(spans:
  include: {match_type: strict, services: [shop]}
  exclude: {match_type: regexp, span_names: ["^GET /health$"]})") == Strings{"GET /a", "POST /b"});
}

TEST_CASE("events are dropped from their span, which stays", "[filter]") {
  ProcessorFixture test(filter_processor(),
                        R"({traces: {spanevent: ['name == "noise"', 'attributes["n"] > 1']}})");
  const SpanBatch batch =
      make_batch({{.service = "a",
                   .spans = {{.name = "s",
                              .attributes = {{"k", "v"}},
                              .events = {{.name = "noise"},
                                         {.name = "kept", .attributes = {{"n", 1}}},
                                         {.name = "x", .attributes = {{"n", 2}}}}},
                             {.name = "other"}}}});
  test.send(batch);
  const SpanBatch& result = test.next.batches.at(0);
  const SpanView span(result.span_bytes(0));
  FieldRange events = span.events();
  const auto event = events.next();
  REQUIRE(event);
  CHECK(EventView(event->content).name == "kept");
  CHECK_FALSE(events.next());
  CHECK(span.attribute("k"));
  CHECK(result.span_bytes(1).data() == batch.span_bytes(1).data());
}

TEST_CASE("a batch of which nothing goes keeps its bytes", "[filter]") {
  ProcessorFixture test(filter_processor(), R"(traces: {span: ['name == "none"']})");
  const SpanBatch batch = shop_batch();
  test.send(batch);
  CHECK(test.next.batches.at(0).span_bytes(0).data() == batch.span_bytes(0).data());
  CHECK(test.flow("dropped") == 0);
}

TEST_CASE("a condition that fails on a span is passed over, counted, or refuses the request",
          "[filter]") {
  const std::string conditions =
      R"(traces: {span: ['attributes["method"]["x"] == 1', 'name == "n1"']})";
  SECTION("ignore is the default") {
    CHECK(left(conditions) == Strings{"GET /a", "POST /b", "GET /health", "n2"});
  }
  SECTION("silent") {
    ProcessorFixture test(filter_processor(), "error_mode: silent\n" + conditions);
    CHECK(test.send(shop_batch()) == "accepted");
    CHECK(test.metrics.value("sluice_ottl_failures", {{"component", "test"}}) == 3);
    CHECK(test.metrics.value("sluice_ottl_failures",
                             {{"statement", R"(attributes["method"]["x"] == 1)"}}) == 3);
  }
  SECTION("propagate") {
    ProcessorFixture test(filter_processor(), "error_mode: propagate\n" + conditions);
    CHECK(test.send(shop_batch()) == "rejected");
    CHECK(
        test.answers.back()->answers.front().message ==
        R"(test: failed on a span: "attributes["method"]["x"] == 1": a string cannot be indexed)");
    CHECK(test.next.batches.empty());
    CHECK(test.flow("refused") == 5);
    CHECK(test.conserved());
  }
}

TEST_CASE("what came with the request can be asked for", "[filter]") {
  const std::string key = GENERATE("x-drop", "X-Drop", "X-DROP");
  ProcessorFixture test(filter_processor(), R"(traces: {span: ['otelcol.client.metadata[")" + key +
                                                R"("][0] == "yes"']})");
  CHECK(test.reads_context);
  SpanBatch batch = shop_batch();
  auto context = std::make_shared<RequestContext>();
  context->metadata = {{"x-drop", "yes"}};
  batch.set_context(std::move(context));
  CHECK(test.send(batch) == "accepted");
  CHECK(test.next.batches.empty());
  CHECK(test.flow("dropped") == 5);
}

TEST_CASE("mistakes in the conditions of filter are named where they stand", "[filter]") {
  const auto mistakes = [](std::string_view yaml) {
    return processor_mistakes(filter_processor(), yaml);
  };
  CHECK(mistakes(R"(traces: {span: ['name = "x"']})") ==
        Strings{R"(test.yaml:1:23: traces.span[0]: expected an operator or the end, found "=")"});
  CHECK(
      mistakes("trace_conditions:\n  - 'span.nam == 1'\n") ==
      Strings{
          R"(test.yaml:2:11: trace_conditions[0]: unknown field "span.nam"; did you mean "name"?)"});
  CHECK(
      mistakes(
          "traces:\n  span:\n    - |\n      name == \"x\" and\n        IsMach(name, \"y\")\n") ==
      Strings{
          R"(test.yaml:5:9: traces.span[0]: unknown function "IsMach"; did you mean "IsMatch"?)"});
  CHECK(
      mistakes(R"(trace_conditions: ['name == "x"'])") ==
      Strings{"test.yaml:1:21: trace_conditions[0]: no path says what this is about; a path begins "
              "with its "
              "context, such as spanevent, span, scope, instrumentation_scope, resource, otelcol"});
  CHECK(mistakes(R"(traces: {span: ['IsMatch(name, "[")']})") ==
        Strings{"test.yaml:1:18: traces.span[0]: not a regular expression (RE2): missing ]: ["});
  CHECK(mistakes("{logs: {}, error_mode: never}").size() == 2);
  CHECK(
      mistakes("{traces: {span: [true]}, spans: {include: {match_type: strict, services: [a]}}}") ==
      Strings{"test.yaml:1:10: traces: cannot stand beside \"spans\""});
}

TEST_CASE("the README of filter shows what is decoded", "[filter]") {
  CHECK(readme_mistakes("processors/filter/README.md", "processors", "filter",
                        filter_processor().decode) == Strings{});
}

}  // namespace
}  // namespace sluice::test
