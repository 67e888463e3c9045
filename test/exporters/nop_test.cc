#include <catch2/catch.hpp>

#include "exporters/nop/nop.h"
#include "pipeline/net/event_loop.h"
#include "test/support/capture.h"
#include "test/support/manual_executor.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"

using namespace sluice;
using namespace sluice::test;

TEST_CASE("nop takes everything, counts it and keeps nothing", "[nop]") {
  config::Problems problems;
  const auto decoded = nop_exporter().decode(config::parse_text("{}", "test.yaml", problems));
  CHECK(problems.list().empty());
  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger(1 << 20);
  net::EventLoops loops(1);
  SpanCounters counters(metrics, "exporter", "nop");
  const auto exporter = decoded.build({{"nop", executor, metrics, ledger}, counters, loops});
  std::string error;
  REQUIRE(exporter->start(error));
  CaptureAnswer answer;
  exporter->consume(make_batch({{.spans = numbered_spans(4)}}), answer.ack());
  CHECK_FALSE(exporter->reserve({5, 500}));
  exporter->commit(make_batch({{.spans = numbered_spans(5)}}), {5, 500}, answer.ack());
  REQUIRE(answer.answers.size() == 2);
  CHECK(answer.answers[1].verdict == Verdict::accepted);
  CHECK(counters.in.value() == 9);
  CHECK(counters.out.value() == 9);
  CHECK(exporter->held() == 0);
  bool done = false;
  exporter->stop([&] { done = true; });
  CHECK(done);
}

TEST_CASE("nop has no options", "[nop]") {
  config::Problems problems;
  nop_exporter().decode(config::parse_text("speed: 5", "test.yaml", problems));
  CHECK(problems.list().size() == 1);
}

TEST_CASE("the README of the nop exporter tells the truth", "[nop]") {
  CHECK(readme_mistakes("exporters/nop/README.md", "exporters", "nop", nop_exporter().decode) ==
        std::vector<std::string>{});
}
