#include "processors/transform/transform.h"

#include <catch2/catch.hpp>

#include "pipeline/attributes/value.h"
#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;

Strings lines_of(AttributeRange range) {
  Strings lines;
  while (const auto attribute = range.next())
    lines.push_back(std::string(attribute->key) + "=" + text_of(attribute->value()));
  return lines;
}

Strings span_lines(const SpanBatch& batch, std::uint32_t index) {
  return lines_of(SpanView(batch.span_bytes(index)).attributes());
}
Strings resource_lines(const SpanBatch& batch, std::uint32_t index) {
  return lines_of(ResourceView(batch.resource_bytes(batch.spans()[index])).attributes());
}

SpanBatch two_services() {
  return make_batch(
      {{.service = "a",
        .spans = {{.name = "one", .attributes = {{"status", 500}, {"path", "/products/7"}}},
                  {.name = "two", .attributes = {{"status", 200}, {"agent", "x"}}}}},
       {.service = "b", .spans = {{.name = "three", .attributes = {{"status", 404}}}}}});
}

/// What comes out, read again from its encoded form.
SpanBatch transformed(std::string_view yaml, const SpanBatch& batch) {
  ProcessorFixture test(transform_processor(), yaml);
  CHECK(test.mistakes == Strings{});
  CHECK(test.send(batch) == "accepted");
  CHECK(test.conserved());
  return parse_batch(test.next.batches.at(0).encode().to_string());
}

TEST_CASE("statements change the spans for which their condition holds", "[transform]") {
  const SpanBatch result = transformed(R"(
trace_statements:
  - context: span
    statements:
      - set(attributes["tier"], "gold") where attributes["status"] >= 400
      - replace_pattern(attributes["path"], "/products/[0-9]+", "/products/{id}")
      - delete_key(attributes, "agent"))",
                                       two_services());
  CHECK(span_lines(result, 0) == Strings{"status=500", "path=/products/{id}", "tier=gold"});
  CHECK(span_lines(result, 1) == Strings{"status=200"});
  CHECK(span_lines(result, 2) == Strings{"status=404", "tier=gold"});
}

TEST_CASE("flat statements share the innermost context of their paths", "[transform]") {
  const SpanBatch result = transformed(R"(
trace_statements:
  - set(span.name, Concat([resource.attributes["service.name"], span.name], "."))
  - set(resource.attributes["seen"], true) where span.attributes["status"] == 404)",
                                       two_services());
  CHECK(span_names(result) == Strings{"a.one", "a.two", "b.three"});
  CHECK(resource_lines(result, 0) == Strings{"service.name=a"});
  CHECK(resource_lines(result, 2) == Strings{"service.name=b", "seen=true"});
}

TEST_CASE("a span that no statement changes keeps its bytes", "[transform]") {
  ProcessorFixture test(transform_processor(), R"(trace_statements:
  - set(span.attributes["status"], 500)
  - set(span.name, span.name) where span.name == "none"
  - delete_key(span.attributes, "missing"))");
  const SpanBatch batch = two_services();
  test.send(batch);
  const SpanBatch& result = test.next.batches.at(0);
  CHECK(result.span_bytes(0).data() == batch.span_bytes(0).data());
  CHECK(result.span_bytes(1).data() != batch.span_bytes(1).data());
}

TEST_CASE("resource statements run once a resource, before those of its spans", "[transform]") {
  const SpanBatch result = transformed(R"(
trace_statements:
  - context: resource
    statements: ['append(attributes["runs"], 1)', 'set(schema_url, "u")']
  - context: scope
    statements: ['set(name, Concat([name, "x"], "-"))', 'set(attributes["s"], 1)']
  - context: span
    statements: ['set(attributes["runs"], Len(resource.attributes["runs"]))',
                 'set(attributes["scope"], instrumentation_scope.name)'])",
                                       two_services());
  CHECK(resource_lines(result, 0) == Strings{"service.name=a", "runs=[1]"});
  CHECK(span_lines(result, 1) == Strings{"status=200", "agent=x", "runs=1", "scope=test-x"});
}

TEST_CASE("a later group sees what an earlier one did to all spans of a resource", "[transform]") {
  const SpanBatch result = transformed(R"(
trace_statements:
  - context: span
    statements: ['set(resource.attributes["last"], name)']
  - context: span
    statements: ['set(attributes["last"], resource.attributes["last"])'])",
                                       two_services());
  CHECK(span_lines(result, 0).back() == "last=two");
  CHECK(span_lines(result, 2).back() == "last=three");
}

TEST_CASE("statements about events change them, and see their span", "[transform]") {
  const SpanBatch batch =
      make_batch({{.service = "a",
                   .spans = {{.name = "s",
                              .events = {{.name = "exception", .attributes = {{"type", "Oops"}}},
                                         {.name = "other"}}}}}});
  const SpanBatch result = transformed(R"(
trace_statements:
  - context: span
    statements: ['set(name, "S")']
  - context: spanevent
    conditions: ['name == "exception"']
    statements:
      - set(attributes["index"], event_index)
      - set(name, Concat([span.name, name], "/"))
      - set(span.attributes["failed"], attributes["type"])
  - context: spanevent
    statements: ['set(attributes["n"], name)'])",
                                       batch);
  const SpanView span(result.span_bytes(0));
  FieldRange events = span.events();
  const auto first = events.next();
  REQUIRE(first);
  CHECK(EventView(first->content).name == "S/exception");
  CHECK(lines_of(EventView(first->content).attributes()) ==
        Strings{"type=Oops", "index=0", "n=S/exception"});
  const auto second = events.next();
  REQUIRE(second);
  CHECK(lines_of(EventView(second->content).attributes()) == Strings{"n=other"});
  CHECK(span_lines(result, 0) == Strings{"failed=Oops"});
}

TEST_CASE("the cache is there for one run of a group", "[transform]") {
  const SpanBatch result = transformed(R"(
trace_statements:
  - context: span
    statements: ['set(cache["x"], name) where name == "one"', 'set(attributes["c"], cache["x"])'])",
                                       two_services());
  CHECK(span_lines(result, 0).back() == "c=one");
  CHECK(span_lines(result, 1).back() == "c=");  // set to nil
}

TEST_CASE("of a repeated key nothing stays that was to go", "[transform]") {
  const SpanBatch batch =
      make_batch({{.service = "a", .spans = {{.attributes = {{"k", 1}, {"x", 2}, {"k", 3}}}}}});
  CHECK(span_lines(transformed("trace_statements: ['delete_key(span.attributes, \"k\")']", batch),
                   0) == Strings{"x=2"});
  CHECK(span_lines(transformed("trace_statements: ['set(span.attributes[\"k\"], 5)']", batch), 0) ==
        Strings{"k=5", "x=2"});
}

TEST_CASE("a statement that fails is passed over, or refuses the request", "[transform]") {
  const std::string statements = R"(
trace_statements:
  - set(span.name, span.attributes["status"])
  - set(span.attributes["after"], 1))";
  SECTION("ignore") {
    CHECK(span_lines(transformed(statements, two_services()), 2) ==
          Strings{"status=404", "after=1"});
  }
  SECTION("propagate") {
    ProcessorFixture test(transform_processor(), "error_mode: propagate" + statements);
    CHECK(test.send(two_services()) == "rejected");
    CHECK(
        test.answers.back()->answers.front().message ==
        R"x(test: failed on a span: "set(span.name, span.attributes["status"])": expected a string, found an integer)x");
    CHECK(test.flow("refused") == 3);
  }
}

TEST_CASE("one resource that many spans write does not grow with them", "[transform]") {
  std::vector<SpanSpec> spans = numbered_spans(3000);
  for (SpanSpec& span : spans) span.attributes = {{"v", std::string(1000, 'x') + span.name}};
  const SpanBatch result = transformed(
      "trace_statements: ['set(resource.attributes[\"last\"], span.attributes[\"v\"])']",
      make_batch({{.service = "a", .spans = spans}}));
  CHECK(resource_lines(result, 0).back() == "last=" + std::string(1000, 'x') + "span-2999");
}

TEST_CASE("mistakes in the statements of transform are named where they stand", "[transform]") {
  const auto mistakes = [](std::string_view yaml) {
    return processor_mistakes(transform_processor(), yaml);
  };
  CHECK(
      mistakes("trace_statements:\n  - set(span.name, 5)\n") ==
      Strings{
          R"(test.yaml:2:5: trace_statements[0]: expected a string for this field, found an integer)"});
  CHECK(
      mistakes(
          "trace_statements:\n  - \"set(span.attributes[\\\"x\\\"]) where span.kind == 2\"\n") ==
      Strings{
          R"x(test.yaml:2:6: trace_statements[0]: lacks the argument "value" of set(target path, value any))x"});
  CHECK(
      mistakes("trace_statements:\n  - context: span\n    statements:\n      - >\n        "
               "set(attributes[\"x\"],\n        nme)\n") ==
      Strings{
          R"(test.yaml:6:9: trace_statements[0].statements[0]: unknown field "span.nme"; did you mean "name"?)"});
  CHECK(mistakes("trace_statements: ['name == 1']").size() == 1);
  CHECK(mistakes("trace_statements: ['set(span.name, \"a\")', {context: span, statements: []}]") ==
        Strings{"test.yaml:1:20: trace_statements[0]: statements and groups of statements cannot "
                "stand in one list"});
  CHECK(mistakes("metric_statements: []") ==
        Strings{"test.yaml:1:20: metric_statements: is for other signals; sluice takes traces"});
}

TEST_CASE("the README of transform shows what is decoded", "[transform]") {
  CHECK(readme_mistakes("processors/transform/README.md", "processors", "transform",
                        transform_processor().decode) == Strings{});
}

}  // namespace
}  // namespace sluice::test
