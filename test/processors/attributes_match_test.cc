#include <catch2/catch.hpp>

#include "pipeline/attributes/match.h"
#include "pipeline/model/span_view.h"
#include "processors/attributes/attributes.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;

SpanBatch shop_and_bank() {
  return make_batch({
      {.service = "shop",
       .attributes = {{"host.name", "h1"}, {"zone", 1}},
       .scopes =
           {{.name = "http",
             .version = "1.2",
             .spans = {{.name = "GET /cart", .kind = 2}, {.name = "render"}}},
            {.name = "redis",
             .spans = {{.name = "GET", .kind = 3, .attributes = {{"db", "redis"}, {"n", 2}}}}}}},
      {.attributes = {{"zone", 2}},
       .scopes = {{.name = "sql", .spans = {{.name = "SELECT", .attributes = {{"n", 2.5}}}}}}},
  });
}

/// Names of the spans that a processor with these conditions acts on.
Strings matched(const std::string& yaml) {
  config::Problems problems;
  const SpanMatcher matcher = SpanMatcher::decode(config::parse_text(yaml, "test.yaml", problems));
  for (const config::Problem& problem : problems.list()) UNSCOPED_INFO(problem.to_string());
  CHECK(problems.list().empty());
  const SpanBatch batch = shop_and_bank();
  SpanMatcher::Walk walk(matcher, batch);
  const Strings names = span_names(batch);
  Strings out;
  for (std::uint32_t i = 0; i < batch.span_count(); ++i) {
    if (walk.matches(batch.spans()[i])) out.push_back(names[i]);
  }
  return out;
}

TEST_CASE("without include and exclude every span matches", "[match]") {
  CHECK(matched("{}") == Strings{"GET /cart", "render", "GET", "SELECT"});
}

TEST_CASE("strict conditions compare whole values", "[match]") {
  CHECK(matched("include: {match_type: strict, services: [shop]}") ==
        Strings{"GET /cart", "render", "GET"});
  CHECK(matched("include: {match_type: strict, services: [<nil-service-name>]}") ==
        Strings{"SELECT"});
  CHECK(matched("include: {match_type: strict, span_names: [GET, SELECT]}") ==
        Strings{"GET", "SELECT"});
  CHECK(matched("include: {match_type: strict, span_kinds: [SPAN_KIND_SERVER]}") ==
        Strings{"GET /cart"});
  CHECK(matched("include: {match_type: strict, attributes: [{key: db, value: redis}]}") ==
        Strings{"GET"});
  CHECK(matched("include: {match_type: strict, attributes: [{key: n}]}") ==
        Strings{"GET", "SELECT"});
  CHECK(matched("include: {match_type: strict, attributes: [{key: n, value: 2}]}") ==
        Strings{"GET"});
  CHECK(matched("include: {match_type: strict, attributes: [{key: n, value: '2'}]}") == Strings{});
  CHECK(matched("include: {match_type: strict, attributes: [{key: n, value: 2.5}]}") ==
        Strings{"SELECT"});
  CHECK(matched("include: {match_type: strict, resources: [{key: zone, value: 2}]}") ==
        Strings{"SELECT"});
  CHECK(matched("include: {match_type: strict, libraries: [{name: http}]}") ==
        Strings{"GET /cart", "render"});
  CHECK(matched("include: {match_type: strict, libraries: [{name: http, version: '1.3'}]}") ==
        Strings{});
  CHECK(matched("include: {match_type: strict, libraries: [{name: redis, version: ''}, {name: "
                "http, version: '1.2'}]}") == Strings{"GET /cart", "render", "GET"});
}

TEST_CASE("patterns are found anywhere in a value", "[match]") {
  CHECK(matched("include: {match_type: regexp, services: [ho]}") ==
        Strings{"GET /cart", "render", "GET"});
  CHECK(matched("include: {match_type: regexp, services: [^nil]}") == Strings{});
  CHECK(matched("include: {match_type: regexp, span_names: ['^GET', 'LECT$']}") ==
        Strings{"GET /cart", "GET", "SELECT"});
  CHECK(matched("include: {match_type: regexp, span_kinds: ['SERVER|CLIENT']}") ==
        Strings{"GET /cart", "GET"});
  CHECK(matched("include: {match_type: regexp, attributes: [{key: n, value: '^2'}]}") ==
        Strings{"GET", "SELECT"});
  CHECK(matched("include: {match_type: regexp, attributes: [{key: n, value: '\\.5$'}]}") ==
        Strings{"SELECT"});
  CHECK(matched("include: {match_type: regexp, resources: [{key: host.name, value: h}]}") ==
        Strings{"GET /cart", "render", "GET"});
  CHECK(matched("include: {match_type: regexp, libraries: [{name: '^s'}]}") == Strings{"SELECT"});
}

TEST_CASE("all conditions must hold", "[match]") {
  CHECK(matched("include: {match_type: strict, services: [shop], span_names: [GET, SELECT]}") ==
        Strings{"GET"});
  CHECK(matched("include: {match_type: strict, attributes: [{key: db}, {key: n, value: 3}]}") ==
        Strings{});
}

TEST_CASE("exclude takes from what is included", "[match]") {
  CHECK(matched("exclude: {match_type: strict, services: [shop]}") == Strings{"SELECT"});
  CHECK(matched("{include: {match_type: strict, services: [shop]}, exclude: {match_type: regexp, "
                "span_names: [GET]}}") == Strings{"render"});
}

TEST_CASE("lists and maps are compared by content", "[match]") {
  const SpanBatch batch = make_batch(
      {{.spans = {{.attributes = {{"l", Array{1, "a"}}, {"m", KvList{{"x", 1}, {"y", 2}}}}}}}});
  const auto matches = [&batch](const std::string& attribute) {
    config::Problems problems;
    const auto node = config::parse_text(
        "include: {match_type: strict, attributes: [" + attribute + "]}", "t", problems);
    const SpanMatcher matcher = SpanMatcher::decode(node);
    return SpanMatcher::Walk(matcher, batch).matches(batch.spans()[0]);
  };
  CHECK(matches("{key: l, value: [1, a]}"));
  CHECK_FALSE(matches("{key: l, value: [1]}"));
  CHECK_FALSE(matches("{key: l, value: [a, 1]}"));
  CHECK(matches("{key: m, value: {y: 2, x: 1}}"));
  CHECK_FALSE(matches("{key: m, value: {x: 1}}"));
  CHECK_FALSE(matches("{key: m, value: {x: 1, y: 3}}"));
}

TEST_CASE("only spans that match are edited", "[attributes]") {
  ProcessorFixture test(attributes_processor(),
                        "{actions: [{action: insert, key: seen, value: 1}],"
                        " include: {match_type: strict, span_names: [GET]}}");
  test.send(shop_and_bank());
  const SpanBatch& result = test.next.batches.at(0);
  CHECK_FALSE(SpanView(result.span_bytes(0)).attribute("seen"));
  CHECK(SpanView(result.span_bytes(2)).attribute("seen"));
  CHECK(result.span_count() == 4);
}

TEST_CASE("mistakes in conditions are named where they stand", "[match]") {
  const auto mistakes = [](const std::string& include) {
    config::Problems problems;
    (void)SpanMatcher::decode(config::parse_text("include: " + include, "t", problems));
    Strings lines;
    for (const config::Problem& problem : problems.list()) lines.push_back(problem.to_string());
    return lines;
  };
  CHECK(mistakes("{services: [a]}") ==
        Strings{"t:1:10: include.match_type: required, but missing"});
  CHECK(mistakes("{match_type: expr, services: [a]}") ==
        Strings{
            "t:1:23: include.match_type: expected one of \"strict\", \"regexp\", found \"expr\""});
  CHECK(mistakes("{match_type: strict}") ==
        Strings{"t:1:10: include: needs one of services, span_names, span_kinds, attributes, "
                "resources and libraries"});
  CHECK(mistakes("{match_type: strict, span_kinds: [SERVER]}") ==
        Strings{"t:1:43: include.span_kinds: expected SPAN_KIND_INTERNAL, SPAN_KIND_SERVER, "
                "SPAN_KIND_CLIENT, "
                "SPAN_KIND_PRODUCER or SPAN_KIND_CONSUMER, found \"SERVER\""});
  CHECK(mistakes("{match_type: regexp, span_names: ['(']}") ==
        Strings{"t:1:43: include.span_names: expected a regular expression (RE2), found \"(\": "
                "missing ): ("});
  CHECK(mistakes("{match_type: regexp, attributes: [{key: a, value: 1}]}") ==
        Strings{"t:1:60: include.attributes[0].value: expected text, as match_type is regexp, "
                "found \"1\""});
  CHECK(mistakes("{match_type: strict, attributes: [{value: 1}]}") ==
        Strings{"t:1:44: include.attributes[0].key: required, but missing"});
  CHECK(mistakes("{match_type: strict, services: [a], log_bodies: [x]}") ==
        Strings{"t:1:58: include.log_bodies: is for logs or metrics; sluice takes traces"});
  CHECK(mistakes("{match_type: strict, services: [a], regexp: {cacheenabled: true, "
                 "cachemaxnumentries: 5}}") == Strings{});
}

}  // namespace
}  // namespace sluice::test
