#include "processors/batch/batch.h"

#include <catch2/catch.hpp>
#include <chrono>

#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

SpanBatch spans(std::size_t count) {
  return make_batch({{.service = "shop", .spans = numbered_spans(count)}});
}

SpanBatch with_metadata(SpanBatch batch,
                        std::vector<std::pair<std::string, std::string>> metadata) {
  auto context = std::make_shared<RequestContext>();
  context->metadata = std::move(metadata);
  context->peer = "10.0.0.1";
  batch.set_context(std::move(context));
  return batch;
}

ProcessorFixture batch(std::string_view yaml) { return {batch_processor(), yaml}; }

std::vector<std::uint32_t> sizes(const ProcessorFixture& test) {
  std::vector<std::uint32_t> sizes;
  for (const SpanBatch& each : test.next.batches) sizes.push_back(each.span_count());
  return sizes;
}
using Sizes = std::vector<std::uint32_t>;

const Answer busy{Verdict::retry_later, 0ms, "full"};

TEST_CASE("by default a batch leaves after 200 ms", "[batch]") {
  auto test = batch("{}");
  CHECK(test.mistakes == Strings{});
  CHECK_FALSE(test.reads_context);
  CHECK(test.send(spans(3)) == "accepted");
  test.executor.advance(100ms);
  CHECK(test.send(spans(2)) == "accepted");
  test.executor.advance(99ms);
  CHECK(sizes(test) == Sizes{});
  CHECK(test.counters.held.value() == 5);
  test.executor.advance(1ms);
  CHECK(sizes(test) == Sizes{5});
  CHECK(test.counters.held.value() == 0);
  CHECK(test.flow("out") == 5);
  CHECK(test.conserved());
  CHECK(test.executor.timers() == 0);
}

TEST_CASE("by default a batch leaves with 8192 spans, however many more there are", "[batch]") {
  auto test = batch("{}");
  test.send(spans(8191));
  CHECK(sizes(test) == Sizes{});
  test.send(spans(9));
  CHECK(sizes(test) == Sizes{8200});
}

TEST_CASE("the requests of a batch keep their order and their resources", "[batch]") {
  auto test = batch("{send_batch_size: 3}");
  test.send(make_batch({{.service = "a", .spans = {{.name = "one"}, {.name = "two"}}}}));
  test.send(make_batch({{.service = "b", .spans = {{.name = "three"}}}}));
  REQUIRE(sizes(test) == Sizes{3});
  CHECK(span_names(test.next.batches[0]) == Strings{"one", "two", "three"});
  CHECK(test.next.batches[0].resources().size() == 2);
}

TEST_CASE("a batch is split into pieces of send_batch_max_size exactly", "[batch]") {
  auto test = batch("{send_batch_size: 10, send_batch_max_size: 10}");
  test.send(spans(4));
  test.send(spans(29));
  CHECK(sizes(test) == Sizes{10, 10, 10});
  CHECK(test.counters.held.value() == 3);
  CHECK(span_names(test.next.batches[0]) == Strings{"span-0", "span-1", "span-2", "span-3",
                                                    "span-0", "span-1", "span-2", "span-3",
                                                    "span-4", "span-5"});
  CHECK(span_names(test.next.batches[1]).front() == "span-6");
  test.send(spans(7));
  CHECK(sizes(test) == Sizes{10, 10, 10, 10});
  CHECK(span_names(test.next.batches[3]) == Strings{"span-26", "span-27", "span-28", "span-0",
                                                    "span-1", "span-2", "span-3", "span-4",
                                                    "span-5", "span-6"});
  CHECK(test.counters.held.value() == 0);
}

TEST_CASE("what is left after a split waits for its own timeout", "[batch]") {
  auto test = batch("{send_batch_size: 2, send_batch_max_size: 2, timeout: 1s}");
  test.send(spans(1));
  test.executor.advance(900ms);
  test.send(spans(2));
  CHECK(sizes(test) == Sizes{2});
  test.executor.advance(999ms);
  CHECK(sizes(test) == Sizes{2});
  test.executor.advance(1ms);
  CHECK(sizes(test) == Sizes{2, 1});
}

TEST_CASE("a timeout of zero passes requests on at once", "[batch]") {
  auto test = batch("{timeout: 0s}");
  CHECK(test.send(spans(1)) == "accepted");
  CHECK(test.send(spans(2)) == "accepted");
  CHECK(sizes(test) == Sizes{1, 2});
  CHECK(test.executor.timers() == 0);
}

TEST_CASE("a batch size of zero passes requests on at once, split by send_batch_max_size",
          "[batch]") {
  auto test = batch("{send_batch_size: 0, send_batch_max_size: 4}");
  test.send(spans(9));
  CHECK(sizes(test) == Sizes{4, 4, 1});
}

TEST_CASE("a batch that is refused downstream is kept and handed over again", "[batch]") {
  auto test = batch("{send_batch_size: 2}");
  test.next.refuse = busy;
  CHECK(test.send(spans(2)) == "accepted");
  CHECK(test.counters.held.value() == 2);

  SECTION("newcomers are refused meanwhile, and told when to come back") {
    test.executor.advance(40ms);
    CHECK(test.send(spans(5)) == "retry_later");
    CHECK(test.answers.back()->answers.front().delay == 60ms);
    CHECK(test.answers.back()->answers.front().message == "full");
    CHECK(test.flow("refused", {{"reason", "overload"}}) == 5);
    CHECK(test.conserved());
  }
  SECTION("after 100 ms, then twice that, up to five seconds") {
    std::vector<std::chrono::milliseconds> waits;
    auto last = test.executor.now();
    std::size_t before = test.next.held.size();
    test.next.refuse.reset();
    test.next.hold = true;
    for (int i = 0; i < 8; ++i) {
      while (test.next.held.size() == before) test.executor.advance(1ms);
      waits.push_back(
          std::chrono::duration_cast<std::chrono::milliseconds>(test.executor.now() - last));
      last = test.executor.now();
      auto handed = std::move(test.next.held.back());
      test.next.held.pop_back();
      before = test.next.held.size();
      handed.second.resolve(busy);
    }
    CHECK(waits == std::vector<std::chrono::milliseconds>{100ms, 200ms, 400ms, 800ms, 1600ms,
                                                          3200ms, 5000ms, 5000ms});
  }
  SECTION("after the delay that downstream asks for") {
    test.next.refuse = Answer{Verdict::retry_later, 700ms, "slow"};
    test.executor.advance(100ms);
    test.next.refuse.reset();
    test.executor.advance(699ms);
    CHECK(sizes(test) == Sizes{});
    test.executor.advance(1ms);
    CHECK(sizes(test) == Sizes{2});
  }
  SECTION("until it is taken: then newcomers are too") {
    test.next.refuse.reset();
    test.executor.advance(100ms);
    CHECK(sizes(test) == Sizes{2});
    CHECK(test.counters.held.value() == 0);
    CHECK(test.send(spans(3)) == "accepted");
    CHECK(sizes(test) == Sizes{2, 3});
    CHECK(test.conserved());
  }
}

TEST_CASE("a batch that is rejected downstream is dropped and counted", "[batch]") {
  auto test = batch("{send_batch_size: 2}");
  test.next.refuse = Answer{Verdict::rejected, 0ms, "bad"};
  CHECK(test.send(spans(2)) == "accepted");
  CHECK(test.flow("dropped") == 2);
  CHECK(test.counters.held.value() == 0);
  test.next.refuse.reset();
  CHECK(test.send(spans(2)) == "accepted");
  CHECK(sizes(test) == Sizes{2});
  CHECK(test.conserved());
}

TEST_CASE("while a batch waits for its answer the next one is collected, up to a bound",
          "[batch]") {
  auto test = batch("{send_batch_size: 10000, send_batch_max_size: 10000}");
  test.next.hold = true;
  test.send(spans(10000));
  REQUIRE(test.next.held.size() == 1);
  for (int i = 0; i < 4; ++i) CHECK(test.send(spans(10000)) == "accepted");
  CHECK(test.send(spans(1)) == "retry_later");
  CHECK(test.next.held.size() == 1);
  test.next.hold = false;
  auto first = std::move(test.next.held.front());
  test.next.held.clear();
  first.second.accepted();
  CHECK(sizes(test) == Sizes{10000, 10000, 10000, 10000});
  CHECK(test.flow("out") == 50000);
  CHECK(test.conserved());
}

TEST_CASE("an answer from another thread is taken on the processor's own", "[batch]") {
  auto test = batch("{send_batch_size: 2}");
  test.next.hold = true;
  test.send(spans(2));
  REQUIRE(test.next.held.size() == 1);
  test.executor.current = false;
  test.next.held.front().second.accepted();
  CHECK(test.flow("out") == 0);
  test.executor.current = true;
  test.executor.run();
  CHECK(test.flow("out") == 2);
  CHECK(test.conserved());
}

TEST_CASE("an answer that comes after the processor has gone does no harm", "[batch]") {
  auto test = batch("{send_batch_size: 2}");
  test.next.hold = true;
  test.send(spans(3));
  test.send(spans(1));
  test.processor.reset();
  CHECK(test.flow("dropped") == 4);
  CHECK(test.conserved());
  test.next.held.front().second.accepted();
  CHECK(test.flow("out") == 0);
}

TEST_CASE("metadata keys make one batch for each combination of their values", "[batch]") {
  auto test = batch("{send_batch_size: 100, metadata_keys: [Tenant, region]}");
  CHECK(test.reads_context);
  test.send(with_metadata(spans(1), {{"tenant", "a"}, {"region", "x"}}));
  test.send(with_metadata(spans(2), {{"region", "x"}, {"tenant", "a"}, {"user-agent", "sdk"}}));
  test.send(with_metadata(spans(4), {{"tenant", "b"}, {"region", "x"}}));
  CHECK(test.metrics.value("otelcol_processor_batch_metadata_cardinality") == 2);
  test.executor.advance(200ms);
  REQUIRE(sizes(test) == Sizes{3, 4});
  const RequestContext& context = *test.next.batches[0].context();
  CHECK(context.metadata ==
        std::vector<std::pair<std::string, std::string>>{{"region", "x"}, {"tenant", "a"}});
  CHECK(context.peer.empty());
  CHECK(test.metrics.value("otelcol_processor_batch_metadata_cardinality") == 0);
}

TEST_CASE("metadata that is absent, empty or repeated makes different batches", "[batch]") {
  auto test = batch("{metadata_keys: [a, b]}");
  test.send(spans(1));
  test.send(with_metadata(spans(2), {{"a", ""}}));
  test.send(with_metadata(spans(3), {{"b", ""}}));
  test.send(with_metadata(spans(4), {{"a", "1"}, {"a", "2"}}));
  test.send(with_metadata(spans(5), {{"a", "12"}}));
  test.send(with_metadata(spans(6), {{"a", "1"}, {"b", "2"}}));
  CHECK(test.metrics.value("otelcol_processor_batch_metadata_cardinality") == 6);
}

TEST_CASE("requests beyond the cardinality limit are rejected while all groups hold something",
          "[batch]") {
  auto test = batch("{metadata_keys: [tenant], metadata_cardinality_limit: 2}");
  CHECK(test.send(with_metadata(spans(1), {{"tenant", "a"}})) == "accepted");
  CHECK(test.send(with_metadata(spans(1), {{"tenant", "b"}})) == "accepted");
  CHECK(test.send(with_metadata(spans(5), {{"tenant", "c"}})) == "rejected");
  CHECK(test.flow("refused", {{"reason", "cardinality"}}) == 5);
  CHECK(test.send(with_metadata(spans(1), {{"tenant", "b"}})) == "accepted");
  CHECK(test.conserved());
  test.executor.advance(200ms);
  CHECK(test.send(with_metadata(spans(1), {{"tenant", "c"}})) == "accepted");
}

TEST_CASE("one group that is refused downstream does not refuse the others", "[batch]") {
  auto test = batch("{send_batch_size: 1, metadata_keys: [tenant]}");
  test.next.refuse = busy;
  test.send(with_metadata(spans(1), {{"tenant", "a"}}));
  test.next.refuse.reset();
  CHECK(test.send(with_metadata(spans(1), {{"tenant", "a"}})) == "retry_later");
  CHECK(test.send(with_metadata(spans(1), {{"tenant", "b"}})) == "accepted");
  CHECK(sizes(test) == Sizes{1});
}

TEST_CASE("without metadata keys a batch carries no request context", "[batch]") {
  auto test = batch("{send_batch_size: 1}");
  test.send(with_metadata(spans(1), {{"tenant", "a"}}));
  REQUIRE(test.next.batches.size() == 1);
  CHECK(test.next.batches[0].context() == nullptr);
}

TEST_CASE("stop hands over what is held and waits until it is taken", "[batch]") {
  for (const char* yaml : {"{}", "{metadata_keys: [tenant]}"}) {
    auto test = batch(yaml);
    test.send(with_metadata(spans(3), {{"tenant", "a"}}));
    test.send(with_metadata(spans(4), {{"tenant", "b"}}));
    test.next.refuse = busy;
    bool done = false;
    test.processor->stop([&done] { done = true; });
    CHECK_FALSE(done);
    test.next.refuse.reset();
    test.executor.advance(100ms);
    CHECK(done);
    CHECK(test.next.span_count() == 7);
    CHECK(test.counters.held.value() == 0);
  }
}

TEST_CASE("stop is done at once when nothing is held", "[batch]") {
  for (const char* yaml : {"{}", "{metadata_keys: [tenant]}"}) {
    auto test = batch(yaml);
    bool done = false;
    test.processor->stop([&done] { done = true; });
    CHECK(done);
  }
}

TEST_CASE("room is promised while nothing is refused downstream, and what is promised is taken",
          "[batch]") {
  auto test = batch("{send_batch_size: 2}");
  const SpanBatch request = spans(2);
  const Load load = Load::of(request);
  CHECK_FALSE(test.processor->reserve(load));
  test.next.refuse = busy;
  test.send(spans(2));
  const auto refusal = test.processor->reserve(load);
  REQUIRE(refusal);
  CHECK(refusal->verdict == Verdict::retry_later);
  CaptureAnswer answer;
  test.processor->commit(request, load, answer.ack());
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::accepted);
  CHECK(test.counters.held.value() == 4);
  CHECK(test.conserved());
}

TEST_CASE("promises count against the bound until they are kept or cancelled", "[batch]") {
  auto test = batch("{send_batch_size: 1}");
  test.next.hold = true;
  test.send(spans(1));  // waits for its answer
  const Load most{32768, 0};
  CHECK_FALSE(test.processor->reserve(most));
  CHECK(test.processor->reserve({1, 0}));
  CHECK(test.send(spans(1)) == "retry_later");
  test.processor->cancel(most);
  CHECK_FALSE(test.processor->reserve({1, 0}));
  CHECK(test.send(spans(1)) == "accepted");
}

TEST_CASE("batches are counted by what made them leave, and by size", "[batch]") {
  auto test = batch("{send_batch_size: 3}");
  test.send(spans(3));
  test.send(spans(2));
  test.executor.advance(200ms);
  const Labels labels = {{"processor", "test"}};
  CHECK(test.metrics.value("otelcol_processor_batch_batch_size_trigger_send", labels) == 1);
  CHECK(test.metrics.value("otelcol_processor_batch_timeout_trigger_send", labels) == 1);
  CHECK(test.metrics.value("otelcol_processor_batch_batch_send_size", labels) == 2);
  CHECK(test.metrics.value("otelcol_processor_batch_metadata_cardinality", labels) == 1);
}

TEST_CASE("a few spans of a large request do not pin it", "[batch]") {
  auto test = batch("{}");
  const SpanBatch large = spans(20000);
  test.send(large.slice(17, 3));
  test.executor.advance(200ms);
  REQUIRE(sizes(test) == Sizes{3});
  CHECK(span_names(test.next.batches[0]) == Strings{"span-17", "span-18", "span-19"});
  CHECK(test.next.batches[0].pinned() < 64 * 1024);
}

TEST_CASE("an empty request is accepted and makes no batch", "[batch]") {
  auto test = batch("{timeout: 0s}");
  CHECK(test.send(SpanBatch()) == "accepted");
  CHECK(sizes(test) == Sizes{});
}

TEST_CASE("mistakes in the options are named where they stand", "[batch]") {
  const auto mistakes = [](std::string_view yaml) {
    return processor_mistakes(batch_processor(), yaml);
  };
  CHECK(mistakes("timeout: fast") ==
        Strings{"test.yaml:1:10: timeout: expected a duration such as \"200ms\", found \"fast\""});
  CHECK(mistakes("timeout: -1s") == Strings{"test.yaml:1:10: timeout: must not be negative"});
  CHECK(mistakes("send_batch_size: many") ==
        Strings{"test.yaml:1:18: send_batch_size: expected an integer from 0 to 4294967295, found "
                "\"many\""});
  CHECK(mistakes("send_batch_max_size: 100") ==
        Strings{"test.yaml:1:22: send_batch_max_size: must be at least send_batch_size, or 0 for "
                "no limit"});
  CHECK(mistakes("metadata_keys: [Tenant, tenant]") ==
        Strings{"test.yaml:1:16: metadata_keys: \"tenant\" occurs twice (upper and lower case are "
                "the same)"});
  CHECK(mistakes("metadata_cardinality_limit: -1") ==
        Strings{"test.yaml:1:29: metadata_cardinality_limit: expected an integer from 0 to "
                "4294967295, found \"-1\""});
  CHECK(mistakes("send_batch_siz: 1") ==
        Strings{"test.yaml:1:1: send_batch_siz: unknown key; did you mean \"send_batch_size\"?"});
}

TEST_CASE("the README of batch shows what is decoded", "[batch]") {
  CHECK(readme_mistakes("processors/batch/README.md", "processors", "batch",
                        batch_processor().decode) == Strings{});
}

}  // namespace
}  // namespace sluice::test
