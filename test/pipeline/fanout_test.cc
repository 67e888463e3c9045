#include <catch2/catch.hpp>

#include "pipeline/fanout.h"
#include "test/support/capture.h"
#include "test/support/otlp_builder.h"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

/// Promises room and answers when told to.
class LaterConsumer final : public Consumer {
 public:
  void consume(SpanBatch, Ack ack) override { acks.push_back(std::move(ack)); }
  std::optional<Answer> reserve(const Load&) override { return std::nullopt; }
  void commit(SpanBatch, const Load&, Ack ack) override { acks.push_back(std::move(ack)); }
  void cancel(const Load&) override {}
  std::vector<Ack> acks;
};

SpanBatch three_spans() { return make_batch({{.service = "shop", .spans = numbered_spans(3)}}); }

}  // namespace

TEST_CASE("every consumer gets the batch, over the same bytes", "[fanout]") {
  CaptureConsumer a, b, c;
  CaptureAnswer answer;
  const SpanBatch batch = three_spans();
  make_fanout({&a, &b, &c})->consume(batch, answer.ack());
  for (const CaptureConsumer* consumer : {&a, &b, &c}) {
    REQUIRE(consumer->batches.size() == 1);
    CHECK(consumer->batches[0].span_bytes(0).data() == batch.span_bytes(0).data());
    CHECK(consumer->reserved == 0);
  }
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::accepted);
}

TEST_CASE("where one has no room nobody gets anything and the refusal is passed on", "[fanout]") {
  CaptureConsumer a, b, c;
  b.refuse = Answer{Verdict::retry_later, 3s, "b is full"};
  CaptureAnswer answer;
  make_fanout({&a, &b, &c})->consume(three_spans(), answer.ack());
  CHECK(a.batches.empty());
  CHECK(c.batches.empty());
  CHECK(a.reserved == 0);
  CHECK(c.reserved == 0);
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::retry_later);
  CHECK(answer.answers[0].delay == 3s);
  CHECK(answer.answers[0].message == "b is full");
}

TEST_CASE("the answer waits for the last one and is the worst", "[fanout]") {
  LaterConsumer a, b;
  CaptureAnswer answer;
  const auto fanout = make_fanout({&a, &b});
  fanout->consume(three_spans(), answer.ack());
  SECTION("both accept") {
    a.acks[0].accepted();
    CHECK(answer.answers.empty());
    b.acks[0].accepted();
    REQUIRE(answer.answers.size() == 1);
    CHECK(answer.answers[0].verdict == Verdict::accepted);
  }
  SECTION("one rejects") {
    b.acks[0].rejected("bad");
    CHECK(answer.answers.empty());
    a.acks[0].accepted();
    REQUIRE(answer.answers.size() == 1);
    CHECK(answer.answers[0].verdict == Verdict::rejected);
    CHECK(answer.answers[0].message == "bad");
  }
  SECTION("one rejects and one asks to come back") {
    a.acks[0].retry_later("busy", 2s);
    b.acks[0].rejected("bad");
    REQUIRE(answer.answers.size() == 1);
    CHECK(answer.answers[0].verdict == Verdict::retry_later);
    CHECK(answer.answers[0].delay == 2s);
  }
  SECTION("one goes away without an answer") {
    a.acks.clear();
    b.acks[0].accepted();
    REQUIRE(answer.answers.size() == 1);
    CHECK(answer.answers[0].verdict == Verdict::retry_later);
  }
}

TEST_CASE("a fan-out before a fan-out reserves with all before anyone gets anything", "[fanout]") {
  CaptureConsumer a, b, c;
  c.refuse = Answer{Verdict::retry_later, 0s, "full"};
  CaptureAnswer answer;
  const auto inner = make_fanout({&b, &c});
  const auto outer = make_fanout({&a, inner.get()});
  outer->consume(three_spans(), answer.ack());
  CHECK(a.batches.empty());
  CHECK(b.batches.empty());
  CHECK(a.reserved == 0);
  CHECK(b.reserved == 0);
  c.refuse.reset();
  outer->consume(three_spans(), answer.ack());
  CHECK(c.batches.size() == 1);
  REQUIRE(answer.answers.size() == 2);
  CHECK(answer.answers[1].verdict == Verdict::accepted);
}
