#include "processors/span/span.h"

#include <catch2/catch.hpp>

#include "pipeline/attributes/value.h"
#include "pipeline/model/message_patch.h"
#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;

/// The name, the attributes as "key=text", and the status.
Strings text_of_span(std::string_view message) {
  const SpanView span(message);
  Strings lines = {std::string(span.name())};
  AttributeRange range = span.attributes();
  while (const auto attribute = range.next())
    lines.push_back(std::string(attribute->key) + "=" + text_of(attribute->value()));
  if (span.status_code() != StatusCode::unset || !span.status_message().empty()) {
    lines.push_back("status " + std::to_string(static_cast<int>(span.status_code())) + " " +
                    std::string(span.status_message()));
  }
  return lines;
}

SpanBatch one_span(SpanSpec spec) {
  return make_batch({{.service = "shop", .spans = {std::move(spec)}}});
}

Strings after(std::string_view options, SpanSpec spec) {
  ProcessorFixture test(span_processor(), options);
  CHECK(test.mistakes == Strings{});
  CHECK(test.send(one_span(std::move(spec))) == "accepted");
  REQUIRE(test.next.batches.size() == 1);
  CHECK(test.conserved());
  return text_of_span(test.next.batches[0].span_bytes(0));
}

TEST_CASE("a name is made from attributes, in the order of the options", "[span]") {
  const char* options = "{name: {from_attributes: [op, db], separator: '::'}}";
  CHECK(after(options, {.name = "old", .attributes = {{"db", "pg"}, {"op", "get"}}}) ==
        Strings{"get::pg", "db=pg", "op=get"});
  CHECK(after(options, {.name = "old", .attributes = {{"db", "pg"}}}) == Strings{"old", "db=pg"});
  CHECK(after(options, {.name = "old"}) == Strings{"old"});
  CHECK(after(options, {.name = "", .attributes = {{"db", "pg"}, {"op", "get"}}})[0] == "get::pg");
  CHECK(after("{name: {from_attributes: [a, b, a]}}",
              {.attributes = {{"a", "1"}, {"b", "2"}}})[0] == "121");
}

TEST_CASE("values of any type are written into a name", "[span]") {
  const auto named = [](Value value) {
    return after("{name: {from_attributes: [v]}}", {.attributes = {{"v", std::move(value)}}})[0];
  };
  CHECK(named(true) == "true");
  CHECK(named(false) == "false");
  CHECK(named(-12) == "-12");
  CHECK(named(1.5e9) == "1500000000");
  CHECK(named(0.1) == "0.1");
  CHECK(named("") == "");
  CHECK(named(Array{1}) == "<unknown-attribute-type>");
  CHECK(named(KvList{{"a", 1}}) == "<unknown-attribute-type>");
  CHECK(named(Bytes{"x"}) == "<unknown-attribute-type>");
  CHECK(named({}) == "<unknown-attribute-type>");
}

TEST_CASE("of a key that is there twice the first one counts", "[span]") {
  CHECK(after("{name: {from_attributes: [a]}}", {.attributes = {{"a", "x"}, {"a", "y"}}})[0] ==
        "x");
  CHECK(after("{name: {to_attributes: {rules: ['^(?P<a>.*)$']}}}",
              {.name = "n", .attributes = {{"a", "x"}, {"b", 1}, {"a", "y"}}}) ==
        Strings{"{a}", "a=n", "b=1", "a=y"});
}

TEST_CASE("attributes are made from a name, which keeps a place for each", "[span]") {
  const char* options =
      "{name: {to_attributes: {rules: ['^/api/v1/document/(?P<id>.*)/update$']}}}";
  CHECK(after(options, {.name = "/api/v1/document/321/update", .attributes = {{"x", 1}}}) ==
        Strings{"/api/v1/document/{id}/update", "x=1", "id=321"});
  CHECK(after(options, {.name = "/api/v2"}) == Strings{"/api/v2"});
  CHECK(after(options, {.name = ""}) == Strings{""});
  CHECK(after("{name: {to_attributes: {rules: ['(?P<a>\\w+)-(?P<b>\\w+)']}}}",
              {.name = "<one-two>"}) == Strings{"<{a}-{b}>", "a=one", "b=two"});
}

TEST_CASE("each rule works on the name that the one before has left", "[span]") {
  const std::string rules = "rules: ['(?P<a>\\d+)', '(?P<b>\\d+)', '^(?P<a>..)']";
  CHECK(after("{name: {to_attributes: {" + rules + "}}}", {.name = "1/2"}) ==
        Strings{"{a}}/{b}", "a={a", "b=2"});
  CHECK(after("{name: {to_attributes: {break_after_match: true, " + rules + "}}}",
              {.name = "1/2"}) == Strings{"{a}/2", "a=1"});
  CHECK(after("{name: {to_attributes: {keep_original_name: true, " + rules + "}}}",
              {.name = "1/2"}) == Strings{"1/2", "a=1/", "b=1"});
}

TEST_CASE("groups that take no part, lie in one another or have no name are no trouble", "[span]") {
  CHECK(after("{name: {to_attributes: {rules: ['^(?P<a>x)?(?P<b>y)']}}}", {.name = "yz"}) ==
        Strings{"{a}{b}z", "a=", "b=y"});
  CHECK(after("{name: {to_attributes: {rules: ['^(?P<a>x(?P<b>y))']}}}", {.name = "xyz"}) ==
        Strings{"{a}{b}z", "a=xy", "b=y"});
  CHECK(after("{name: {to_attributes: {rules: ['^/(v1|v2)/(?P<b>.)']}}}", {.name = "/v1/b"}) ==
        Strings{"/{}/{b}", "=v1", "b=b"});
  CHECK(after("{name: {to_attributes: {rules: ['^/v1']}}}", {.name = "/v1/b"}) == Strings{"/v1/b"});
}

TEST_CASE("the name from attributes is the one that attributes are made from", "[span]") {
  CHECK(after("{name: {from_attributes: [a], to_attributes: {rules: ['^(?P<b>.)']}}}",
              {.name = "n", .attributes = {{"a", "xyz"}}}) == Strings{"{b}yz", "a=xyz", "b=x"});
}

TEST_CASE("a status is set, with a description where it is an error", "[span]") {
  CHECK(after("{status: {code: Error, description: refused}}", {.name = "n"}) ==
        Strings{"n", "status 2 refused"});
  CHECK(after("{status: {code: Error}}", {.name = "n", .status_code = 1, .status_message = "m"}) ==
        Strings{"n", "status 2 "});
  CHECK(after("{status: {code: Ok}}", {.name = "n", .status_code = 2, .status_message = "m"}) ==
        Strings{"n", "status 1 "});
  CHECK(after("{status: {code: Unset}}", {.name = "n", .status_code = 2, .status_message = "m"}) ==
        Strings{"n"});
}

TEST_CASE("only spans that match are touched", "[span]") {
  ProcessorFixture test(span_processor(), R"({status: {code: Ok},
      include: {match_type: regexp, span_names: ['^span']},
      exclude: {match_type: strict, span_names: [span-1]}})");
  CHECK(test.mistakes == Strings{});
  std::vector<SpanSpec> specs = numbered_spans(3);
  specs[2].name = "other";
  const SpanBatch batch = make_batch({{.service = "shop", .spans = specs}});
  test.send(batch);
  const SpanBatch& result = test.next.batches.at(0);
  CHECK(SpanView(result.span_bytes(0)).status_code() == StatusCode::ok);
  CHECK(result.span_bytes(1).data() == batch.span_bytes(1).data());
  CHECK(result.span_bytes(2).data() == batch.span_bytes(2).data());
}

TEST_CASE("a batch of which no span changes keeps its bytes", "[span]") {
  ProcessorFixture test(span_processor(), R"({status: {code: Ok},
      name: {from_attributes: [a], to_attributes: {rules: ['no (?P<x>match)']}}})");
  const SpanBatch batch = one_span({.name = "n", .attributes = {{"a", "n"}}, .status_code = 1});
  test.send(batch);
  CHECK(test.next.batches.at(0).span_bytes(0).data() == batch.span_bytes(0).data());
}

TEST_CASE("what is not named stays as it came, unknown fields too", "[span]") {
  ProcessorFixture test(span_processor(), "{name: {from_attributes: [a]}, status: {code: Ok}}");
  SpanSpec spec{.name = "old", .attributes = {{"a", "new"}}};
  spec.events = {{.name = "event", .attributes = {{"a", "b"}}}};
  spec.trace_id = make_id(1, 16);
  spec.span_id = make_id(1, 8);
  spec.raw = length_field(1234, "unknown");
  test.send(one_span(spec));
  const std::string result(test.next.batches.at(0).span_bytes(0));
  spec.name = "new";
  spec.status_code = 1;
  const std::string wanted = span_message(spec);
  CHECK(result.size() == wanted.size());
  CHECK(result.find(length_field(1234, "unknown")) != std::string::npos);
  CHECK(SpanView(result).name() == "new");
}

TEST_CASE("a name or a status that is there twice is there once afterwards", "[span]") {
  ProcessorFixture test(span_processor(), "{name: {from_attributes: [a]}, status: {code: Ok}}");
  SpanSpec spec{.name = "old", .attributes = {{"a", "new"}}, .status_code = 2};
  spec.raw = length_field(5, "newer") + length_field(15, varint_field(3, 2));
  test.send(one_span(spec));
  const std::string_view result = test.next.batches.at(0).span_bytes(0);
  CHECK(text_of_span(result) == Strings{"new", "a=new", "status 1 "});
  CHECK(result.find("newer") == std::string_view::npos);
}

TEST_CASE("mistakes in the options of span are named where they stand", "[span]") {
  const auto mistakes = [](std::string_view yaml) {
    return processor_mistakes(span_processor(), yaml);
  };
  const std::string nothing =
      "test.yaml:1:1: needs name.from_attributes, name.to_attributes.rules or status";
  CHECK(mistakes("{}") == Strings{nothing});
  CHECK(mistakes("{name: {separator: x}}") == Strings{nothing});
  CHECK(mistakes("{name: {to_attributes: {rules: []}}}") == Strings{nothing});
  CHECK(mistakes("{status: {}}") == Strings{"test.yaml:1:10: status.code: required, but missing"});
  CHECK(mistakes("{status: {code: ok}}").size() == 1);
  CHECK(mistakes("{status: {code: Ok, description: x}}") ==
        Strings{"test.yaml:1:34: status.description: is for the code Error alone"});
  CHECK(mistakes("{name: {to_attributes: {rules: ['(']}}}").size() == 1);
  CHECK(mistakes("{status: {code: Ok}, naem: {}}").size() == 1);
  CHECK(mistakes("{status: {code: Ok}, include: {services: [a]}}").size() == 1);
}

TEST_CASE("the README of span shows what is decoded", "[span]") {
  CHECK(readme_mistakes("processors/span/README.md", "processors", "span",
                        span_processor().decode) == Strings{});
}

}  // namespace
}  // namespace sluice::test
