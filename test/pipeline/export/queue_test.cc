#include <catch2/catch.hpp>

#include "test/pipeline/export/export_fixture.h"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

TEST_CASE("a batch is accepted as soon as the queue holds it, and delivered afterwards",
          "[export]") {
  ExportFixture fixture;
  CaptureAnswer answer;
  fixture.exporter().consume(make_batch({{.service = "shop", .spans = numbered_spans(3)}}),
                             answer.ack());
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::accepted);
  CHECK(fixture.destination.sent.empty());
  CHECK(fixture.made->held() == 3);
  fixture.executor.run();
  REQUIRE(fixture.destination.sizes() == std::vector<std::uint32_t>{3});
  CHECK(span_names(fixture.destination.sent[0]) ==
        std::vector<std::string>{"span-0", "span-1", "span-2"});
  CHECK(fixture.value("otelcol_exporter_queue_size") == 1);
  CHECK(fixture.value("otelcol_exporter_in_flight_requests") == 1);
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(fixture.made->held() == 0);
  CHECK(fixture.counters.out.value() == 3);
  CHECK(fixture.value("otelcol_exporter_sent_spans") == 3);
  CHECK(fixture.value("otelcol_exporter_queue_size") == 0);
  CHECK(fixture.value("otelcol_exporter_in_flight_requests") == 0);
  CHECK(fixture.value("otelcol_exporter_queue_capacity") == 1000);
}

TEST_CASE("no more requests are under way than there are consumers, and they leave in order",
          "[export]") {
  ExportFixture fixture;
  fixture.options.queue.num_consumers = 2;
  for (std::size_t spans = 1; spans <= 4; ++spans) fixture.consume(spans);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{1, 2});
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{1, 2, 3});
  fixture.destination.reply = [](const SpanBatch&) { return SendResult{}; };
  fixture.destination.answer();
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{1, 2, 3, 4});
  CHECK(fixture.counters.out.value() == 10);
}

TEST_CASE("a full queue refuses and counts, and what is being sent counts as in it", "[export]") {
  ExportFixture fixture;
  QueueOptions& queue = fixture.options.queue;
  queue.num_consumers = 1;
  SECTION("in requests") { queue.queue_size = 2; }
  SECTION("in spans") {
    queue.sizer = QueueOptions::Sizer::items;
    queue.queue_size = 11;
  }
  SECTION("in bytes") {
    queue.sizer = QueueOptions::Sizer::bytes;
    queue.queue_size =
        make_batch({{.service = "shop", .spans = numbered_spans(5)}}).wire_size() * 2 + 1;
  }
  CaptureAnswer answer;
  fixture.consume(5);
  fixture.consume(5);
  fixture.consume(5, answer.ack());
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::retry_later);
  CHECK(fixture.value("otelcol_exporter_enqueue_failed_spans") == 5);
  CHECK(fixture.counters.refused("overload").value() == 5);
  CHECK(fixture.made->held() == 10);
  CHECK(fixture.conserved());
  fixture.destination.answer();
  fixture.executor.run();
  fixture.consume(5, answer.ack());
  REQUIRE(answer.answers.size() == 2);
  CHECK(answer.answers[1].verdict == Verdict::accepted);
}

TEST_CASE("a request larger than the whole queue is taken when nothing else is there", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.sizer = QueueOptions::Sizer::items;
  fixture.options.queue.queue_size = 10;
  CaptureAnswer answer;
  fixture.consume(50, answer.ack());
  fixture.consume(1, answer.ack());
  REQUIRE(answer.answers.size() == 2);
  CHECK(answer.answers[0].verdict == Verdict::accepted);
  CHECK(answer.answers[1].verdict == Verdict::retry_later);
}

TEST_CASE("with block_on_overflow the answer waits for room, first come first served", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.num_consumers = 1;
  fixture.options.queue.queue_size = 1;
  fixture.options.queue.block_on_overflow = true;
  CaptureAnswer second, third;
  fixture.consume(1);
  fixture.consume(2, second.ack());
  fixture.consume(3, third.ack());
  CHECK(second.answers.empty());
  CHECK(fixture.made->held() == 6);
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(second.answers.size() == 1);
  CHECK(third.answers.empty());
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{1, 2});
  fixture.destination.answer();
  fixture.executor.run();
  REQUIRE(third.answers.size() == 1);
  CHECK(third.answers[0].verdict == Verdict::accepted);
  CHECK(fixture.value("otelcol_exporter_enqueue_failed_spans") == 0);
  CHECK(fixture.conserved());
}

TEST_CASE("with wait_for_result the answer is that of the destination", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.wait_for_result = true;
  fixture.options.retry.enabled = false;
  CaptureAnswer answer;
  fixture.consume(2, answer.ack());
  CHECK(answer.answers.empty());
  SECTION("delivered") {
    fixture.destination.answer();
    fixture.executor.run();
    REQUIRE(answer.answers.size() == 1);
    CHECK(answer.answers[0].verdict == Verdict::accepted);
  }
  SECTION("not now: the spans are handed back, with the delay that was asked for") {
    fixture.destination.answer(failure(SendResult::Kind::retry, 7s));
    fixture.executor.run();
    REQUIRE(answer.answers.size() == 1);
    CHECK(answer.answers[0].verdict == Verdict::retry_later);
    CHECK(answer.answers[0].delay == 7s);
    CHECK(fixture.counters.refused("unavailable").value() == 2);
    CHECK(fixture.counters.dropped.value() == 0);
  }
  SECTION("never") {
    fixture.destination.answer(failure(SendResult::Kind::permanent));
    fixture.executor.run();
    REQUIRE(answer.answers.size() == 1);
    CHECK(answer.answers[0].verdict == Verdict::rejected);
    CHECK(answer.answers[0].message == "the destination says no");
    CHECK(fixture.value("otelcol_exporter_send_failed_spans") == 2);
  }
  CHECK(fixture.conserved());
}

TEST_CASE("without a queue the answer is that of the destination, retries included", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.enabled = false;
  fixture.options.queue.queue_size = 1;
  fixture.options.queue.num_consumers = 1;
  CaptureAnswer first, second;
  fixture.consume(1, first.ack());
  fixture.consume(2, second.ack());
  fixture.destination.answer(failure(SendResult::Kind::retry));
  fixture.executor.run();
  CHECK(first.answers.empty());
  fixture.destination.reply = [](const SpanBatch&) { return SendResult{}; };
  fixture.executor.advance(8s);
  REQUIRE(first.answers.size() == 1);
  CHECK(first.answers[0].verdict == Verdict::accepted);
  REQUIRE(second.answers.size() == 1);
  CHECK(second.answers[0].verdict == Verdict::accepted);
  CHECK(fixture.value("otelcol_exporter_queue_capacity") == 0);
}

TEST_CASE("an exporter that is not required drops what has no room, and counts it", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.required = false;
  fixture.options.queue.queue_size = 1;
  CaptureAnswer answer;
  fixture.consume(1, answer.ack());
  fixture.consume(4, answer.ack());
  REQUIRE(answer.answers.size() == 2);
  CHECK(answer.answers[1].verdict == Verdict::accepted);
  CHECK_FALSE(fixture.exporter().reserve({9, 900}));
  fixture.exporter().cancel({9, 900});
  CHECK(fixture.counters.dropped.value() == 4);
  CHECK(fixture.dropped("overload") == 4);
  CHECK(fixture.value("otelcol_exporter_enqueue_failed_spans") == 4);
  CHECK(fixture.conserved());
}

TEST_CASE("reserved room is kept until it is committed or cancelled", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.sizer = QueueOptions::Sizer::items;
  fixture.options.queue.queue_size = 10;
  CaptureAnswer answer;
  const Load load{6, 600};
  REQUIRE_FALSE(fixture.exporter().reserve(load));
  const auto refusal = fixture.exporter().reserve(load);
  REQUIRE(refusal);
  CHECK(refusal->verdict == Verdict::retry_later);
  CHECK(fixture.value("otelcol_exporter_enqueue_failed_spans") == 6);
  SECTION("a smaller batch than was reserved leaves the rest to others") {
    fixture.exporter().commit(make_batch({{.spans = numbered_spans(2)}}), load, answer.ack());
    CHECK_FALSE(fixture.exporter().reserve({8, 800}));
    fixture.exporter().cancel({8, 800});
  }
  SECTION("an empty batch too") {
    fixture.exporter().commit(SpanBatch(), load, answer.ack());
    CHECK_FALSE(fixture.exporter().reserve({10, 800}));
    fixture.exporter().cancel({10, 800});
  }
  SECTION("cancelled, it is there again") {
    fixture.exporter().cancel(load);
    CHECK_FALSE(fixture.exporter().reserve({10, 800}));
    fixture.exporter().commit(make_batch({{.spans = numbered_spans(10)}}), {10, 800}, answer.ack());
  }
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::accepted);
  fixture.executor.run();
  CHECK(fixture.conserved());
}

TEST_CASE("with block_on_overflow a reservation is a place in the line", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.queue_size = 1;
  fixture.options.queue.block_on_overflow = true;
  CaptureAnswer answer;
  fixture.consume(1);
  REQUIRE_FALSE(fixture.exporter().reserve({2, 200}));
  fixture.exporter().commit(make_batch({{.spans = numbered_spans(2)}}), {2, 200}, answer.ack());
  CHECK(answer.answers.empty());
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(answer.answers.size() == 1);
}

TEST_CASE("a few spans of a large request do not pin it in the queue", "[export]") {
  ExportFixture fixture;
  const SpanBatch large = make_batch({{.service = "shop", .spans = numbered_spans(2000)}});
  fixture.exporter().consume(large.slice(0, 5), {});
  fixture.executor.run();
  REQUIRE(fixture.destination.sent.size() == 1);
  CHECK(span_names(fixture.destination.sent[0]) == span_names(large.slice(0, 5)));
  CHECK(fixture.destination.sent[0].pinned() < large.pinned() / 10);
}

TEST_CASE("stop delivers what is queued, then closes the sender", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.num_consumers = 1;
  fixture.consume(1);
  fixture.consume(2);
  bool done = false;
  fixture.exporter().stop([&] { done = true; });
  fixture.executor.run();
  CHECK_FALSE(done);
  CHECK(fixture.destination.stops == 0);
  fixture.destination.answer();
  fixture.executor.run();
  CHECK_FALSE(done);
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(done);
  CHECK(fixture.destination.stops == 1);
  CHECK(fixture.made->held() == 0);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{1, 2});
}

TEST_CASE("stop tries again at once what waits for a later attempt", "[export]") {
  ExportFixture fixture;
  fixture.consume(1);
  fixture.destination.answer(failure(SendResult::Kind::retry));
  fixture.executor.run();
  CHECK(fixture.destination.sent.size() == 1);
  bool done = false;
  fixture.exporter().stop([&] { done = true; });
  fixture.executor.run();
  REQUIRE(fixture.destination.sent.size() == 2);
  fixture.destination.answer(failure(SendResult::Kind::retry));
  fixture.executor.run();
  fixture.destination.reply = [](const SpanBatch&) { return SendResult{}; };
  fixture.executor.advance(1s);
  CHECK(fixture.destination.sent.size() == 3);
  CHECK(done);
}

TEST_CASE("an exporter that ends with spans in it counts them as dropped and answers who waits",
          "[export]") {
  ExportFixture fixture;
  fixture.options.queue.num_consumers = 1;
  fixture.options.queue.queue_size = 2;
  fixture.options.queue.block_on_overflow = true;
  CaptureAnswer answer;
  fixture.consume(1);
  fixture.consume(2);
  fixture.consume(3, answer.ack());
  fixture.made.reset();
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::retry_later);
  CHECK(fixture.counters.dropped.value() == 6);
  CHECK(fixture.dropped("stopped") == 6);
  CHECK(fixture.counters.held.value() == 0);
  CHECK(fixture.value("otelcol_exporter_queue_size") == 0);
  CHECK(fixture.value("otelcol_exporter_in_flight_requests") == 0);
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(fixture.counters.out.value() == 0);
  CHECK(fixture.conserved());
}
