#include "processors/routing/routing.h"

#include <catch2/catch.hpp>

#include "test/support/connector_fixture.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;

const Strings pipelines = {"traces/a", "traces/b", "traces/rest"};

SpanBatch shop_batch() {
  return make_batch(
      {{.service = "shop",
        .attributes = {{"tenant", "acme"}},
        .spans = {{.name = "s1", .attributes = {{"method", "GET"}}},
                  {.name = "s2", .kind = 3, .attributes = {{"method", "POST"}}}}},
       {.service = "auth",
        .attributes = {{"tenant", "ecorp"}},
        .scope = "lib",
        .spans = {{.name = "a1", .attributes = {{"method", "GET"}}}, {.name = "a2"}}}});
}

Strings names_at(const CaptureConsumer& end) {
  Strings names;
  for (const SpanBatch& batch : end.batches) {
    for (std::string& name : span_names(batch)) names.push_back(std::move(name));
  }
  return names;
}

/// Names of what each pipeline gets of it; the same whether there is a promise before or not.
std::vector<Strings> routed(std::string_view yaml, SpanBatch batch = shop_batch()) {
  ConnectorFixture test(routing_connector(), yaml, pipelines);
  for (const std::string& mistake : test.mistakes) {
    INFO(mistake);
    CHECK(mistake.find("no route leads to") != std::string::npos);
  }
  CHECK(test.send(batch) == "accepted");
  std::vector<Strings> all;
  for (CaptureConsumer& end : test.ends) {
    all.push_back(names_at(end));
    end.batches.clear();
  }
  CHECK(test.send_reserved(std::move(batch)) == "accepted");
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(names_at(test.ends[i]) == all[i]);
  CHECK(test.conserved());
  CHECK(test.flow("refused") == 0);
  CHECK(test.reserved() == 0);
  return all;
}

using All = std::vector<Strings>;

TEST_CASE("spans go by their resource to the first route that matches, or to the default",
          "[routing]") {
  CHECK(routed(R"(
default_pipelines: [traces/rest]
table:
  - {context: resource, condition: 'attributes["tenant"] == "acme"', pipelines: [traces/a]}
  - {context: resource, condition: 'attributes["service.name"] == "shop"', pipelines: [traces/b]}
)") == All{{"s1", "s2"}, {}, {"a1", "a2"}});
}

TEST_CASE("spans go by themselves", "[routing]") {
  CHECK(routed(R"(
default_pipelines: [traces/rest]
table:
  - {context: span, condition: 'attributes["method"] == "GET"', pipelines: [traces/a]}
  - {context: span, condition: 'kind == SPAN_KIND_CLIENT', pipelines: [traces/b]}
)") == All{{"s1", "a1"}, {"s2"}, {"a2"}});
}

TEST_CASE("routes about spans and about resources take turns", "[routing]") {
  CHECK(routed(R"(
default_pipelines: [traces/rest]
table:
  - {condition: 'resource.attributes["tenant"] == "none"', pipelines: [traces/rest]}
  - {condition: 'span.name == "s2"', pipelines: [traces/b]}
  - {condition: 'resource.attributes["tenant"] == "acme"', pipelines: [traces/a]}
  - {condition: 'scope.name == "lib" and span.name == "a1"', pipelines: [traces/b]}
)") == All{{"s1"}, {"s2", "a1"}, {"a2"}});
}

TEST_CASE("where nothing says what a condition is about, it is about the resource", "[routing]") {
  CHECK(
      routed(R"(table: [{condition: 'attributes["tenant"] == "acme"', pipelines: [traces/a]}])") ==
      All{{"s1", "s2"}, {}, {}});
  CHECK(routed(R"(table: [{statement: 'route() where attributes["tenant"] == "ecorp"',
                           pipelines: [traces/b]}])") == All{{}, {"a1", "a2"}, {}});
  CHECK(routed("table: [{statement: route(), pipelines: [traces/a, traces/b]}]") ==
        All{{"s1", "s2", "a1", "a2"}, {"s1", "s2", "a1", "a2"}, {}});
}

TEST_CASE("what is copied stays for the routes behind", "[routing]") {
  CHECK(routed(R"(
default_pipelines: [traces/rest]
table:
  - {condition: span.name == "s1", action: copy, pipelines: [traces/a]}
  - {condition: 'resource.attributes["tenant"] == "acme"', action: move, pipelines: [traces/b]}
)") == All{{"s1"}, {"s1", "s2"}, {"a1", "a2"}});
  // The same span may come to one pipeline twice, as there.
  CHECK(routed(R"(
table:
  - {condition: 'resource.attributes["tenant"] == "acme"', action: copy, pipelines: [traces/a]}
  - {condition: span.name == "s1", pipelines: [traces/a]}
)") == All{{"s1", "s2", "s1"}, {}, {}});
}

TEST_CASE("what no route takes is dropped where there is no default", "[routing]") {
  ConnectorFixture test(routing_connector(),
                        "table: [{condition: span.name == \"s1\", pipelines: [traces/a]}]",
                        {"traces/a"});
  CHECK(test.send(shop_batch()) == "accepted");
  CHECK(test.flow("in") == 4);
  CHECK(test.flow("out") == 1);
  CHECK(test.flow("dropped") == 3);
  CHECK(test.send(make_batch({{.spans = {{.name = "other"}}}})) == "accepted");
  CHECK(test.send_reserved(make_batch({{.spans = {{.name = "other"}}}})) == "accepted");
  CHECK(test.flow("dropped") == 5);
  CHECK(test.conserved());
  CHECK(test.reserved() == 0);
}

SpanBatch from(Strings tenants) {
  auto context = std::make_shared<RequestContext>();
  for (std::string& tenant : tenants) context->metadata.emplace_back("x-tenant", std::move(tenant));
  SpanBatch batch = make_batch({{.spans = {{.name = "s"}}}});
  batch.set_context(std::move(context));
  return batch;
}

TEST_CASE("requests go by their headers", "[routing]") {
  constexpr std::string_view table = R"(
default_pipelines: [traces/rest]
table:
  - {context: request, condition: 'request["X-Tenant"] == "acme"', pipelines: [traces/a]}
  - {context: request, condition: 'request["x-tenant"] != "ecorp"', pipelines: [traces/b]}
)";
  CHECK(routed(table, from({"acme"})) == All{{"s"}, {}, {}});
  CHECK(routed(table, from({"ecorp", "acme"})) == All{{"s"}, {}, {}});
  CHECK(routed(table, from({"other"})) == All{{}, {"s"}, {}});
  CHECK(routed(table, from({"ecorp"})) == All{{}, {}, {"s"}});
  CHECK(routed(table, from({})) == All{{}, {}, {"s"}});
  CHECK(routed(table, make_batch({{.spans = {{.name = "s"}}}})) == All{{}, {}, {"s"}});
  CHECK(ConnectorFixture(routing_connector(), table, pipelines).reads_context);
}

TEST_CASE("requests go by what OTTL knows of their sender", "[routing]") {
  for (const std::string context : {"", "context: otelcol, "}) {
    const std::string table = "{default_pipelines: [traces/rest], table: [{" + context +
                              R"(condition: 'otelcol.client.metadata["x-tenant"][0] == "acme"',
                                 pipelines: [traces/a]}]})";
    CHECK(routed(table, from({"acme"})) == All{{"s"}, {}, {}});
    CHECK(routed(table, from({"ecorp"})) == All{{}, {}, {"s"}});
    CHECK(ConnectorFixture(routing_connector(), table, pipelines).reads_context);
  }
}

constexpr std::string_view by_tenant = R"(
default_pipelines: [traces/rest]
table:
  - {condition: 'resource.attributes["tenant"] == "acme"', pipelines: [traces/a]}
  - {condition: 'resource.attributes["tenant"] == "ecorp"', pipelines: [traces/b]}
)";

TEST_CASE("a request that one of its pipelines has no room for goes to none", "[routing]") {
  ConnectorFixture test(routing_connector(), by_tenant, pipelines);
  test.ends[1].refuse = Answer{Verdict::retry_later, {}, "full"};
  CHECK(test.send(shop_batch()) == "retry_later");
  CHECK(test.send_reserved(shop_batch()) == "retry_later");
  for (const CaptureConsumer& end : test.ends) CHECK(end.span_count() == 0);
  CHECK(test.flow("refused") == 4);
  CHECK(test.conserved());
  CHECK(test.reserved() == 0);
  // It is asked only for what is for it, unless a promise is wanted before that is known.
  const SpanBatch acme =
      make_batch({{.attributes = {{"tenant", "acme"}}, .spans = {{.name = "s"}}}});
  CHECK(test.send(acme) == "accepted");
  CHECK(test.send_reserved(acme) == "retry_later");
  test.ends[1].refuse.reset();
  CHECK(test.send(shop_batch()) == "accepted");
  CHECK(names_at(test.ends[1]) == Strings{"a1", "a2"});
  CHECK(test.conserved());
}

TEST_CASE("an answer is passed on, and a refusal counted", "[routing]") {
  ConnectorFixture test(routing_connector(), by_tenant, pipelines);
  test.ends[2].hold = true;
  CHECK(test.send(make_batch({{.spans = {{.name = "s"}}}})) == "none");
  CHECK(test.counters.held.value() == 1);
  test.ends[2].held[0].second.rejected("bad");
  CHECK(ConnectorFixture::word(test.answers.back()) == "rejected");
  CHECK(test.flow("refused") == 1);
  CHECK(test.conserved());
}

TEST_CASE("a condition that fails does not match, or refuses the request", "[routing]") {
  const std::string table = R"(
default_pipelines: [traces/rest]
table:
  - {condition: 'Int(span.attributes["method"]) + 1 > 5', pipelines: [traces/a]}
  - {condition: span.name == "s1", pipelines: [traces/b]}
)";
  CHECK(routed(table) == All{{}, {"s1"}, {"s2", "a1", "a2"}});
  CHECK(routed(table + "error_mode: silent\n") == All{{}, {"s1"}, {"s2", "a1", "a2"}});
  ConnectorFixture test(routing_connector(), table + "error_mode: propagate\n", pipelines);
  CHECK(test.send(shop_batch()) == "rejected");
  CHECK(test.send_reserved(shop_batch()) == "rejected");
  for (const CaptureConsumer& end : test.ends) CHECK(end.span_count() == 0);
  CHECK(test.flow("refused") == 8);
  CHECK(test.conserved());
  CHECK(test.reserved() == 0);
  CHECK(test.metrics.value("sluice_ottl_failures", {{"component", "test"}}) == 2);
}

Strings mistakes(std::string_view yaml) {
  return ConnectorFixture(routing_connector(), yaml, {"traces/a"}).mistakes;
}

TEST_CASE("mistakes of a table are named with their places", "[routing]") {
  CHECK(mistakes("{}") ==
        Strings{"test.yaml:1:1: table: needs at least one route",
                "test.yaml:1:1: no route leads to \"traces/a\", which has it among its receivers"});
  CHECK(
      mistakes(R"(default_pipelines: [traces/a, traces/a]
error_mode: loud
tabel: []
table:
  - {condition: 'attributes["x"] ==', pipelines: [traces/a]}
  - {condition: span.nam == "x", pipelines: [traces/aa]}
  - {pipelines: []}
  - {condition: "true", statement: route(), pipelines: [traces/a]}
  - {context: log, condition: "true", pipelines: [traces/a]}
  - {context: request, condition: 'request["x"] > "y"', pipelines: [traces/a]}
  - {context: request, statement: 'route() where request["x"] == "y"', pipelines: [traces/a]}
  - {statement: 'delete_key(resource.attributes, "x")', pipelines: [traces/a]}
  - {condition: spanevent.name == "x", action: steal, pipelines: [traces/a]}
  - {context: otelcol, condition: client.addr == "x", pipelines: [traces/a]}
)") ==
      Strings{
          R"(test.yaml:1:31: default_pipelines[1]: "traces/a" is listed twice)",
          R"(test.yaml:2:13: error_mode: expected one of "ignore", "silent", "propagate", found "loud")",
          R"(test.yaml:3:1: tabel: unknown key; did you mean "table"?)",
          R"(test.yaml:5:36: table[0].condition: expected a value, found the end)",
          R"(test.yaml:6:22: table[1].condition: unknown field "span.nam"; did you mean "name"?)",
          R"(test.yaml:6:46: table[1].pipelines[0]: no pipeline "traces/aa" has "test" among its receivers; did you mean "traces/a"?)",
          R"(test.yaml:7:5: table[2]: needs a condition)",
          R"(test.yaml:7:17: table[2].pipelines: needs at least one pipeline)",
          R"(test.yaml:8:36: table[3].statement: cannot stand beside "condition")",
          R"(test.yaml:9:15: table[4].context: expected one of "request", "otelcol", "resource", "span", found "log")",
          R"(test.yaml:10:35: table[5].condition: expected request["name"] == "value", or !=, found "request["x"] > "y"")",
          R"(test.yaml:11:35: table[6].statement: the context "request" takes a "condition")",
          R"x(test.yaml:12:18: table[7].statement: expected "route()", which is all that a route does; what edits spans is the processor "transform")x",
          R"(test.yaml:13:17: table[8].condition: spans are routed, and not their events)",
          R"(test.yaml:13:48: table[8].action: expected one of "move", "copy", found "steal")",
          R"(test.yaml:14:35: table[9].condition: a path begins with its context where that is not given, one of resource, otelcol, found "client")",
      });
}

TEST_CASE("a table has a limit", "[routing]") {
  std::string table = "table:\n";
  for (int i = 0; i < 1001; ++i)
    table += "- {condition: span.name == \"x\", pipelines: [traces/a]}\n";
  CHECK(mistakes(table) == Strings{"test.yaml:1:1: table: has more than 1000 routes"});
}

TEST_CASE("the README of routing is right", "[routing]") {
  CHECK(readme_mistakes("processors/routing/README.md", "connectors", "routing",
                        routing_connector().decode) == Strings{});
}

}  // namespace
}  // namespace sluice::test
