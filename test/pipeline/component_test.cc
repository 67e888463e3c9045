#include "pipeline/component.h"

#include <catch2/catch.hpp>
#include <thread>

#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"

namespace sluice::test {
namespace {

/// Keeps the first spans of each batch.
class First final : public Transform {
 public:
  First(const ProcessorContext& context, std::uint32_t count) : Transform(context), count_(count) {}

 protected:
  SpanBatch process(SpanBatch batch) override {
    return batch.slice(0, std::min(count_, batch.span_count()));
  }

 private:
  std::uint32_t count_;
};

ProcessorFixture first(std::uint32_t count) {
  const ProcessorType type = {{"first", [count](const config::Node&) -> Decoded<ProcessorBuilder> {
                                 return [count](const ProcessorContext& context) {
                                   return std::make_unique<First>(context, count);
                                 };
                               }}};
  return {type, "{}"};
}

SpanBatch spans(std::size_t count) { return make_batch({{.spans = numbered_spans(count)}}); }

TEST_CASE("an answer that nobody gives is retry_later", "[component]") {
  CaptureAnswer answer;
  { const Ack ack = answer.ack(); }
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::retry_later);
}

TEST_CASE("an answer is given once, by whoever holds the Ack last", "[component]") {
  CaptureAnswer answer;
  Ack first = answer.ack();
  Ack second = std::move(first);
  first.accepted();
  CHECK(answer.answers.empty());
  second.rejected("bad");
  second.accepted();
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::rejected);
  CHECK(answer.answers[0].message == "bad");
}

TEST_CASE("an Ack that is assigned over answers retry_later for what it stood for", "[component]") {
  CaptureAnswer old;
  CaptureAnswer fresh;
  Ack ack = old.ack();
  ack = fresh.ack();
  REQUIRE(old.answers.size() == 1);
  CHECK(old.answers[0].verdict == Verdict::retry_later);
  ack.accepted();
  CHECK(fresh.answers.size() == 1);
}

TEST_CASE("what a transform leaves out is dropped, what it passes on is out", "[component]") {
  auto test = first(2);
  CHECK(test.send(spans(5)) == "accepted");
  CHECK(test.flow("in") == 5);
  CHECK(test.flow("dropped") == 3);
  CHECK(test.flow("out") == 2);
  CHECK(test.metrics.value("otelcol_processor_incoming_items", {{"processor", "test"}}) == 5);
  CHECK(test.metrics.value("otelcol_processor_outgoing_items", {{"processor", "test"}}) == 2);
  CHECK(test.conserved());
}

TEST_CASE("a transform that leaves nothing answers for itself", "[component]") {
  auto test = first(0);
  test.next.refuse = Answer{Verdict::rejected, {}, "never asked"};
  CHECK(test.send(spans(5)) == "accepted");
  CHECK(test.next.batches.empty());
  CHECK(test.conserved());
}

TEST_CASE("a transform counts refusals by the verdict and passes them on whole", "[component]") {
  auto test = first(2);
  test.next.refuse = Answer{Verdict::retry_later, std::chrono::milliseconds(70), "full"};
  CHECK(test.send(spans(5)) == "retry_later");
  CHECK(test.answers.back()->answers[0].delay == std::chrono::milliseconds(70));
  CHECK(test.answers.back()->answers[0].message == "full");
  test.next.refuse = Answer{Verdict::rejected, {}, "bad"};
  CHECK(test.send(spans(1)) == "rejected");
  CHECK(test.flow("refused", {{"reason", "overload"}}) == 2);
  CHECK(test.flow("refused", {{"reason", "invalid"}}) == 1);
  CHECK(test.conserved());
}

TEST_CASE("spans that wait for their answer downstream are held", "[component]") {
  auto test = first(2);
  test.next.hold = true;
  CHECK(test.send(spans(3)) == "none");
  CHECK(test.counters.held.value() == 2);
  CHECK(test.conserved());
  std::thread([&test] { test.next.held.front().second.accepted(); }).join();
  CHECK(test.last_answer() == "accepted");
  CHECK(test.counters.held.value() == 0);
  CHECK(test.conserved());
}

TEST_CASE("a reservation goes through a transform and is given back when nothing is left",
          "[component]") {
  auto all = first(10);
  const Load load{5, 1000};
  CHECK_FALSE(all.processor->reserve(load));
  CHECK(all.next.reserved == 1);
  CaptureAnswer answer;
  all.processor->commit(spans(5), load, answer.ack());
  CHECK(all.next.reserved == 0);
  CHECK(answer.answers.at(0).verdict == Verdict::accepted);
  CHECK(all.conserved());

  auto none = first(0);
  CHECK_FALSE(none.processor->reserve(load));
  none.processor->commit(spans(5), load, answer.ack());
  CHECK(none.next.reserved == 0);
  CHECK(none.next.batches.empty());
  CHECK(answer.answers.at(1).verdict == Verdict::accepted);
  CHECK_FALSE(none.processor->reserve(load));
  none.processor->cancel(load);
  CHECK(none.next.reserved == 0);
}

}  // namespace
}  // namespace sluice::test
