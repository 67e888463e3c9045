#include <catch2/catch.hpp>

#include "test/pipeline/export/export_fixture.h"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;
using Kind = SendResult::Kind;

namespace {

SpanBatch spans(std::size_t count) {
  return make_batch({{.service = "shop", .spans = numbered_spans(count)}});
}

/// The exporter of the fixture as what it was made.
QueuedExporter& queued(ExportFixture& fixture) {
  return dynamic_cast<QueuedExporter&>(fixture.exporter());
}

/// Gives its destination up for `elsewhere`, where others take what comes.
void redirect(ExportFixture& fixture, Destination& elsewhere) {
  elsewhere.reply = [](const SpanBatch&) {
    SendResult result;
    result.passed_on = true;
    return result;
  };
  queued(fixture).redirect(std::make_unique<FakeSender>(elsewhere));
  fixture.executor.run();
}

}  // namespace

TEST_CASE("what waits in the queue of a destination that is given up goes elsewhere at once",
          "[export]") {
  ExportFixture fixture;
  fixture.options.queue.num_consumers = 1;
  for (std::size_t count = 1; count <= 4; ++count) fixture.consume(count);
  REQUIRE(fixture.destination.sizes() == std::vector<std::uint32_t>{1});
  Destination elsewhere;
  redirect(fixture, elsewhere);
  CHECK(elsewhere.sizes() == std::vector<std::uint32_t>{2, 3, 4});
  CHECK(fixture.made->held() == 1);
  CHECK(fixture.counters.out.value() == 0);

  SECTION("what is under way and arrives stays where it is") {
    fixture.destination.answer();
    fixture.executor.run();
    CHECK(elsewhere.sent.size() == 3);
    CHECK(fixture.counters.out.value() == 1);
  }
  SECTION("what is under way and fails for now goes elsewhere, without a wait") {
    fixture.destination.answer(failure(Kind::retry, 10s));
    fixture.executor.run();
    CHECK(elsewhere.sizes() == std::vector<std::uint32_t>{2, 3, 4, 1});
  }
  SECTION("what is refused for good is lost, as ever") {
    fixture.destination.answer(failure(Kind::permanent));
    fixture.executor.run();
    CHECK(fixture.dropped("permanent") == 1);
  }
  CHECK(fixture.made->held() == 0);
  CHECK(fixture.destination.sent.size() == 1);
}

TEST_CASE("what waits for its next attempt at a destination that is given up goes elsewhere",
          "[export]") {
  ExportFixture fixture;
  fixture.destination.reply = [](const SpanBatch&) { return failure(Kind::retry); };
  fixture.consume(5);
  Destination elsewhere;
  redirect(fixture, elsewhere);
  CHECK(elsewhere.sizes() == std::vector<std::uint32_t>{5});
  CHECK(fixture.made->held() == 0);
  fixture.executor.advance(60s);
  CHECK(elsewhere.sent.size() == 1);
  CHECK(fixture.destination.sent.size() == 1);
}

TEST_CASE("a batch that is not full goes elsewhere too, and so does what comes late", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.batch.enabled = true;
  fixture.consume(5);
  Destination elsewhere;
  redirect(fixture, elsewhere);
  fixture.consume(6);
  CHECK(elsewhere.sizes() == std::vector<std::uint32_t>{5, 6});
}

TEST_CASE("who waits for the result is told what became of it elsewhere", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.wait_for_result = true;
  fixture.options.queue.num_consumers = 1;
  CaptureAnswer answer;
  fixture.consume(1);
  fixture.consume(2, answer.ack());
  Destination elsewhere;
  SendResult result;
  Verdict verdict = Verdict::accepted;
  SECTION("taken") {}
  SECTION("not now") {
    result.kind = Kind::retry;
    verdict = Verdict::retry_later;
  }
  SECTION("never") {
    result.kind = Kind::permanent;
    verdict = Verdict::rejected;
  }
  result.passed_on = true;
  elsewhere.reply = [&](const SpanBatch&) { return result; };
  queued(fixture).redirect(std::make_unique<FakeSender>(elsewhere));
  fixture.executor.run();
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == verdict);
  CHECK(elsewhere.sent.size() == 1);
  CHECK(fixture.made->held() == 1);  // those elsewhere have counted what failed
  CHECK(fixture.counters.refused("unavailable").value() == 0);
}

TEST_CASE("an exporter that was redirected ends when all it held is elsewhere", "[export]") {
  ExportFixture fixture;
  fixture.consume(3);
  Destination elsewhere;
  redirect(fixture, elsewhere);
  bool stopped = false;
  fixture.made->stop([&] { stopped = true; });
  fixture.executor.run();
  CHECK_FALSE(stopped);
  fixture.destination.answer(failure(Kind::retry));
  fixture.executor.run();
  CHECK(stopped);
  CHECK(fixture.destination.stops == 1);
  CHECK(elsewhere.stops == 1);
  CHECK(elsewhere.sizes() == std::vector<std::uint32_t>{3});
}

TEST_CASE("what is taken over finds room in a full queue and is not counted in again", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.queue_size = 1;
  fixture.consume(1);
  CaptureAnswer answer;
  queued(fixture).take_over(spans(7), answer.ack());
  fixture.executor.run();
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::accepted);
  CHECK(fixture.counters.in.value() == 1);
  CHECK(fixture.made->held() == 8);
  fixture.destination.answer();
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(fixture.counters.out.value() == 8);
}

TEST_CASE("of a batch that was taken in part only what is left is sent again", "[export]") {
  ExportFixture fixture;
  fixture.consume(10);
  SendResult result = failure(Kind::retry);
  result.left = fixture.destination.sent[0].slice(4, 3);
  result.rejected_spans = 2;
  fixture.destination.answer(result);
  fixture.executor.run();
  CHECK(fixture.counters.out.value() == 5);
  CHECK(fixture.dropped("partial_success") == 2);
  CHECK(fixture.made->held() == 3);
  fixture.executor.advance(10s);
  REQUIRE(fixture.destination.sizes() == std::vector<std::uint32_t>{10, 3});
  CHECK(span_names(fixture.destination.sent[1]) ==
        std::vector<std::string>{"span-4", "span-5", "span-6"});
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(fixture.counters.out.value() == 8);
  CHECK(fixture.conserved());
}
