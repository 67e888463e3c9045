#include <catch2/catch.hpp>

#include "test/pipeline/export/export_fixture.h"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

struct BatchFixture : ExportFixture {
  BatchFixture() {
    options.queue.batch.enabled = true;
    destination.reply = [](const SpanBatch&) { return SendResult{}; };
  }
};

SpanBatch from_tenant(const std::string& tenant, std::size_t spans) {
  SpanBatch batch = make_batch({{.service = tenant, .spans = numbered_spans(spans)}});
  auto context = std::make_shared<RequestContext>();
  context->metadata = {{"x-tenant", tenant}};
  batch.set_context(context);
  return batch;
}

}  // namespace

TEST_CASE("small requests leave together once they are enough, or after flush_timeout",
          "[export]") {
  BatchFixture fixture;
  fixture.options.queue.batch.min_size = 10;
  fixture.consume(4);
  fixture.consume(4);
  CHECK(fixture.destination.sent.empty());
  fixture.consume(4);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{12});
  fixture.consume(3);
  fixture.executor.advance(100ms);
  fixture.consume(2);
  fixture.executor.advance(99ms);
  CHECK(fixture.destination.sent.size() == 1);
  fixture.executor.advance(1ms);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{12, 5});
  CHECK(fixture.counters.out.value() == 17);
  CHECK(fixture.value("otelcol_exporter_queue_size") == 0);
}

TEST_CASE("max_size is exact, across requests and within one", "[export]") {
  BatchFixture fixture;
  fixture.options.queue.batch.min_size = 10;
  fixture.options.queue.batch.max_size = 10;
  fixture.consume(7);
  fixture.consume(7);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{10});
  fixture.consume(36);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{10, 10, 10, 10, 10});
  CHECK(fixture.made->held() == 0);
}

TEST_CASE("what is left over after a split waits for more", "[export]") {
  BatchFixture fixture;
  fixture.options.queue.batch.min_size = 5;
  fixture.options.queue.batch.max_size = 10;
  fixture.consume(13);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{10});
  CHECK(fixture.made->held() == 3);
  fixture.executor.advance(200ms);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{10, 3});
}

TEST_CASE("batches can be sized in bytes", "[export]") {
  BatchFixture fixture;
  fixture.options.queue.batch.sizer = QueueOptions::Sizer::bytes;
  const SpanBatch ten = make_batch({{.service = "shop", .spans = numbered_spans(10)}});
  fixture.options.queue.batch.min_size = ten.wire_size();
  fixture.options.queue.batch.max_size = ten.wire_size() + 1;
  fixture.consume(10);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{10});
  fixture.consume(40);
  fixture.executor.advance(1s);
  std::uint64_t spans = 0;
  for (const SpanBatch& batch : fixture.destination.sent) {
    CHECK(batch.wire_size() <= fixture.options.queue.batch.max_size);
    spans += batch.span_count();
  }
  CHECK(spans == 50);
  SECTION("a span larger than the limit leaves alone") {
    fixture.exporter().consume(
        make_batch({{.spans = {{.name = std::string(10000, 'x')}, {.name = "small"}}}}), {});
    fixture.executor.run();
    CHECK(fixture.destination.sent.back().span_count() == 1);
  }
}

TEST_CASE("requests are not mixed across the values of metadata_keys", "[export]") {
  BatchFixture fixture;
  fixture.options.queue.batch.metadata_keys = {"X-Tenant"};
  fixture.options.queue.batch.min_size = 4;
  for (int i = 0; i < 2; ++i) {
    fixture.exporter().consume(from_tenant("a", 2), {});
    fixture.exporter().consume(from_tenant("b", 1), {});
  }
  fixture.executor.run();
  REQUIRE(fixture.destination.sizes() == std::vector<std::uint32_t>{4});
  CHECK(fixture.destination.sent[0].context()->metadata_value("x-tenant") == "a");
  fixture.executor.advance(200ms);
  REQUIRE(fixture.destination.sizes() == std::vector<std::uint32_t>{4, 2});
  CHECK(fixture.destination.sent[1].context()->metadata_value("x-tenant") == "b");
}

TEST_CASE("beyond cache_size the partition that was not used for longest leaves early",
          "[export]") {
  BatchFixture fixture;
  fixture.options.queue.batch.metadata_keys = {"x-tenant"};
  fixture.options.queue.batch.partitions_max = 2;
  fixture.exporter().consume(from_tenant("a", 1), {});
  fixture.exporter().consume(from_tenant("b", 2), {});
  fixture.exporter().consume(from_tenant("a", 1), {});
  fixture.exporter().consume(from_tenant("c", 3), {});
  fixture.executor.run();
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{2});
  fixture.executor.advance(200ms);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{2, 2, 3});
}

TEST_CASE("merged requests of several senders carry no sender's context", "[export]") {
  BatchFixture fixture;
  fixture.exporter().consume(from_tenant("a", 1), {});
  fixture.exporter().consume(from_tenant("b", 1), {});
  fixture.executor.run();
  fixture.executor.advance(200ms);
  REQUIRE(fixture.destination.sizes() == std::vector<std::uint32_t>{2});
  CHECK_FALSE(fixture.destination.sent[0].context());
}

TEST_CASE("with wait_for_result a request that left in parts is answered when all parts have ended",
          "[export]") {
  BatchFixture fixture;
  fixture.options.queue.wait_for_result = true;
  fixture.options.queue.batch.min_size = 4;
  fixture.options.queue.batch.max_size = 4;
  fixture.destination.reply = nullptr;
  CaptureAnswer answer;
  fixture.consume(8, answer.ack());
  REQUIRE(fixture.destination.waiting.size() == 2);
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(answer.answers.empty());
  fixture.destination.answer();
  fixture.executor.run();
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::accepted);
}

TEST_CASE(
    "a request whose spans were taken in part is asked for again only if the rest may be taken",
    "[export]") {
  BatchFixture fixture;
  fixture.options.queue.wait_for_result = true;
  fixture.options.queue.batch.min_size = 4;
  fixture.options.queue.batch.max_size = 4;
  fixture.options.retry.enabled = false;
  fixture.destination.reply = nullptr;
  CaptureAnswer answer;
  fixture.consume(8, answer.ack());
  fixture.destination.answer();
  SECTION("the other half is refused for good") {
    fixture.destination.answer(failure(SendResult::Kind::permanent));
    fixture.executor.run();
    REQUIRE(answer.answers.size() == 1);
    CHECK(answer.answers[0].verdict == Verdict::accepted);
  }
  SECTION("the other half is refused for now") {
    fixture.destination.answer(failure(SendResult::Kind::retry));
    fixture.executor.run();
    REQUIRE(answer.answers.size() == 1);
    CHECK(answer.answers[0].verdict == Verdict::retry_later);
  }
  CHECK(fixture.conserved());
}

TEST_CASE("stop sends an unfinished batch at once", "[export]") {
  BatchFixture fixture;
  fixture.consume(3);
  bool done = false;
  fixture.exporter().stop([&] { done = true; });
  fixture.executor.run();
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{3});
  CHECK(done);
}

TEST_CASE(
    "while all consumers are busy requests stay in the queue and batches do not grow past their "
    "size",
    "[export]") {
  BatchFixture fixture;
  fixture.options.queue.num_consumers = 1;
  fixture.options.queue.batch.min_size = 4;
  fixture.destination.reply = nullptr;
  for (int i = 0; i < 6; ++i) fixture.consume(2);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{4});
  fixture.executor.advance(10s);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{4});
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{4, 4});
}
