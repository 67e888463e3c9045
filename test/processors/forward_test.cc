#include "processors/forward/forward.h"

#include <catch2/catch.hpp>

#include "test/support/connector_fixture.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;

SpanBatch spans(std::size_t count) { return make_batch({{.spans = numbered_spans(count)}}); }

TEST_CASE("everything goes to every pipeline, and counts once", "[forward]") {
  ConnectorFixture test(forward_connector(), "", {"traces/a", "traces/b"});
  CHECK(test.mistakes == Strings{});
  CHECK_FALSE(test.reads_context);
  CHECK(test.send(spans(3)) == "accepted");
  CHECK(test.send_reserved(spans(2)) == "accepted");
  CHECK(test.ends[0].span_count() == 5);
  CHECK(test.ends[1].span_count() == 5);
  CHECK(test.flow("in") == 5);
  CHECK(test.flow("out") == 5);
  CHECK(test.reserved() == 0);
}

TEST_CASE("what one pipeline has no room for goes to none", "[forward]") {
  ConnectorFixture test(forward_connector(), "", {"traces/a", "traces/b"});
  test.ends[1].refuse = Answer{Verdict::retry_later, {}, "full"};
  CHECK(test.send(spans(3)) == "retry_later");
  CHECK(test.send_reserved(spans(3)) == "retry_later");
  CHECK(test.ends[0].span_count() == 0);
  CHECK(test.flow("in") == 3);  // a promise that was not given was no offer
  CHECK(test.flow("refused") == 3);
  CHECK(test.conserved());
  CHECK(test.reserved() == 0);
}

TEST_CASE("spans are held until the pipeline answers for them", "[forward]") {
  ConnectorFixture test(forward_connector(), "", {"traces/a"});
  test.ends[0].hold = true;
  CHECK(test.send(spans(3)) == "none");
  CHECK(test.counters.held.value() == 3);
  test.ends[0].held.clear();
  CHECK(ConnectorFixture::word(test.answers.back()) == "retry_later");
  CHECK(test.conserved());
}

TEST_CASE("it has no options", "[forward]") {
  const ConnectorFixture test(forward_connector(), "{to: traces/a}", {"traces/a"});
  CHECK(test.mistakes == Strings{"test.yaml:1:2: to: unknown key"});
}

TEST_CASE("the README of forward is right", "[forward]") {
  CHECK(readme_mistakes("processors/forward/README.md", "connectors", "forward",
                        forward_connector().decode) == Strings{});
}

}  // namespace
}  // namespace sluice::test
