#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "pipeline/model/span_view.h"
#include "test/pipeline/export/export_fixture.h"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;
using Kind = SendResult::Kind;

namespace {

/// Seconds from the start at which attempts came, while the destination is not there.
std::vector<double> attempt_times(ExportFixture& fixture, std::chrono::seconds span) {
  std::vector<double> times;
  const auto start = fixture.executor.now();
  fixture.destination.reply = [&](const SpanBatch&) {
    times.push_back(std::chrono::duration<double>(fixture.executor.now() - start).count());
    return failure(Kind::retry);
  };
  fixture.consume(1);
  fixture.executor.advance(span);
  return times;
}

/// Says that a batch is invalid while one of these spans is in it.
std::function<SendResult(const SpanBatch&)> refuses(std::set<std::string> bad,
                                                    std::vector<std::string>& taken) {
  return [bad = std::move(bad), &taken](const SpanBatch& batch) {
    const std::vector<std::string> names = span_names(batch);
    if (std::any_of(names.begin(), names.end(),
                    [&](const std::string& name) { return bad.contains(name); })) {
      return failure(Kind::invalid);
    }
    taken.insert(taken.end(), names.begin(), names.end());
    return SendResult{};
  };
}

}  // namespace

TEST_CASE("attempts come at growing intervals until the longest", "[export]") {
  ExportFixture fixture;
  fixture.options.retry.randomization_factor = 0;
  fixture.options.retry.initial_interval = 1s;
  fixture.options.retry.multiplier = 2;
  fixture.options.retry.max_interval = 5s;
  CHECK(attempt_times(fixture, 20s) == std::vector<double>{0, 1, 3, 7, 12, 17});
  CHECK(fixture.made->held() == 1);
}

TEST_CASE("jitter keeps each interval within its share", "[export]") {
  ExportFixture fixture;
  const std::vector<double> times = attempt_times(fixture, 60s);
  REQUIRE(times.size() >= 4);
  CHECK(times[1] >= 2.5);
  CHECK(times[1] <= 7.5);
  CHECK(times[1] != 5.0);
  CHECK(times[2] - times[1] >= 3.75);
  CHECK(times[2] - times[1] <= 11.25);
}

TEST_CASE("when the retry budget is spent the batch is dropped and counted", "[export]") {
  ExportFixture fixture;
  fixture.options.retry.randomization_factor = 0;
  fixture.options.retry.multiplier = 1;
  fixture.options.retry.max_interval = 5s;
  SECTION("after max_elapsed_time") {
    fixture.options.retry.max_elapsed_time = 12s;
    CHECK(attempt_times(fixture, 60s) == std::vector<double>{0, 5, 10});
    CHECK(fixture.counters.dropped.value() == 1);
    CHECK(fixture.dropped("unavailable") == 1);
    CHECK(fixture.value("otelcol_exporter_send_failed_spans") == 1);
    CHECK(fixture.made->held() == 0);
  }
  SECTION("at once without retries") {
    fixture.options.retry.enabled = false;
    CHECK(attempt_times(fixture, 60s).size() == 1);
    CHECK(fixture.dropped("unavailable") == 1);
  }
  SECTION("never, for max_elapsed_time 0") {
    fixture.options.retry.max_elapsed_time = 0s;
    CHECK(attempt_times(fixture, 3600s).size() == 721);
    CHECK(fixture.counters.dropped.value() == 0);
  }
  CHECK(fixture.conserved());
}

TEST_CASE("a delay that the destination asks for is honoured where it is the longer one",
          "[export]") {
  ExportFixture fixture;
  fixture.options.retry.randomization_factor = 0;
  std::vector<std::chrono::milliseconds> asked{20s, 1ms};
  fixture.destination.reply = [&](const SpanBatch&) {
    const auto delay = asked.empty() ? 0ms : asked.front();
    if (!asked.empty()) asked.erase(asked.begin());
    return failure(Kind::retry, delay);
  };
  fixture.consume(1);
  fixture.executor.advance(19999ms);
  CHECK(fixture.destination.sent.size() == 1);
  fixture.executor.advance(1ms);
  CHECK(fixture.destination.sent.size() == 2);
  fixture.executor.advance(7499ms);
  CHECK(fixture.destination.sent.size() == 2);
  fixture.executor.advance(1ms);
  CHECK(fixture.destination.sent.size() == 3);
}

TEST_CASE("a batch that waits keeps its consumer, so the queue fills behind it", "[export]") {
  ExportFixture fixture;
  fixture.options.queue.num_consumers = 1;
  fixture.options.queue.queue_size = 2;
  CaptureAnswer answer;
  fixture.consume(1);
  fixture.destination.answer(failure(Kind::retry));
  fixture.executor.run();
  fixture.consume(2);
  fixture.consume(3, answer.ack());
  CHECK(answer.answers.at(0).verdict == Verdict::retry_later);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{1});
  CHECK(fixture.value("otelcol_exporter_in_flight_requests") == 1);
}

TEST_CASE("a batch that is too large is halved until it fits, in order", "[export]") {
  ExportFixture fixture;
  std::vector<std::string> taken;
  fixture.destination.reply = [&](const SpanBatch& batch) {
    if (batch.span_count() > 3) return failure(Kind::too_large);
    for (const std::string& name : span_names(batch)) taken.push_back(name);
    return SendResult{};
  };
  fixture.consume(8);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{8, 4, 2, 2, 4, 2, 2});
  CHECK(taken == span_names(make_batch({{.spans = numbered_spans(8)}})));
  CHECK(fixture.counters.out.value() == 8);
}

TEST_CASE("the size that was too large is learnt: later batches are split before they are sent",
          "[export]") {
  ExportFixture fixture;
  fixture.destination.reply = [&](const SpanBatch& batch) {
    return batch.span_count() > 50 ? failure(Kind::too_large) : SendResult{};
  };
  fixture.consume(100);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{100, 50, 50});
  fixture.consume(100);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{100, 50, 50, 50, 50});
  fixture.consume(40);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{100, 50, 50, 50, 50, 40});
}

TEST_CASE("a single span that is too large is dropped and counted, its neighbours are not",
          "[export]") {
  ExportFixture fixture;
  fixture.destination.reply = [&](const SpanBatch& batch) {
    for (const std::string& name : span_names(batch)) {
      if (name == "span-2") return failure(Kind::too_large);
    }
    return SendResult{};
  };
  fixture.consume(4);
  CHECK(fixture.counters.out.value() == 3);
  CHECK(fixture.dropped("too_large") == 1);
  CHECK(fixture.value("otelcol_exporter_send_failed_spans") == 1);
  CHECK(fixture.conserved());
}

TEST_CASE("one invalid span of a thousand costs nobody else, in few requests", "[export]") {
  ExportFixture fixture;
  std::vector<std::string> taken;
  fixture.destination.reply = refuses({"span-700"}, taken);
  fixture.consume(1000);
  CHECK(taken.size() == 999);
  CHECK(std::find(taken.begin(), taken.end(), "span-700") == taken.end());
  CHECK(fixture.dropped("invalid") == 1);
  CHECK(fixture.destination.sent.size() <= 21);
  CHECK(fixture.conserved());
}

TEST_CASE("a batch of which everything is invalid ends within the bound of requests", "[export]") {
  ExportFixture fixture;
  fixture.destination.reply = [](const SpanBatch&) { return failure(Kind::invalid); };
  fixture.consume(5000);
  CHECK(fixture.destination.sent.size() <= 1100);
  CHECK(fixture.dropped("invalid") == 5000);
  CHECK(fixture.made->held() == 0);
}

TEST_CASE("text that is not UTF-8 is repaired before anything is given up", "[export]") {
  ExportFixture fixture;
  fixture.destination.reply = [](const SpanBatch& batch) {
    for (const std::string& name : span_names(batch)) {
      if (name.find('\xff') != std::string::npos) return failure(Kind::invalid);
    }
    return SendResult{};
  };
  fixture.exporter().consume(make_batch({{.spans = {{.name = "good"},
                                                    {.name = "b\xff"
                                                             "d"}}}}),
                             {});
  fixture.executor.run();
  REQUIRE(fixture.destination.sent.size() == 2);
  CHECK(span_names(fixture.destination.sent[1]) == std::vector<std::string>{"good",
                                                                            "b\xef\xbf\xbd"
                                                                            "d"});
  CHECK(fixture.counters.out.value() == 2);
}

TEST_CASE("what is refused for good is dropped and counted, and the next batch is sent",
          "[export]") {
  ExportFixture fixture;
  fixture.consume(2);
  fixture.consume(3);
  fixture.destination.answer(failure(Kind::permanent));
  fixture.destination.answer();
  fixture.executor.run();
  CHECK(fixture.dropped("permanent") == 2);
  CHECK(fixture.counters.out.value() == 3);
  CHECK(fixture.conserved());
}

TEST_CASE("a partial success counts what was rejected and is not sent again", "[export]") {
  ExportFixture fixture;
  fixture.destination.reply = [](const SpanBatch&) {
    return SendResult{Kind::delivered, "too old", {}, 2};
  };
  fixture.consume(5);
  fixture.executor.advance(600s);
  CHECK(fixture.destination.sent.size() == 1);
  CHECK(fixture.counters.out.value() == 3);
  CHECK(fixture.dropped("partial_success") == 2);
  CHECK(fixture.conserved());
}

TEST_CASE("each half has a retry budget of its own", "[export]") {
  ExportFixture fixture;
  fixture.options.retry.randomization_factor = 0;
  fixture.options.retry.multiplier = 1;
  fixture.options.retry.max_elapsed_time = 7s;
  std::vector<SendResult> script;
  script.push_back(failure(Kind::retry));
  script.push_back(failure(Kind::too_large));
  script.push_back(failure(Kind::retry));
  script.push_back({});
  script.push_back(failure(Kind::retry));
  script.push_back({});
  std::size_t next = 0;
  fixture.destination.reply = [&](const SpanBatch&) { return script.at(next++); };
  fixture.consume(2);
  fixture.executor.advance(60s);
  CHECK(fixture.destination.sizes() == std::vector<std::uint32_t>{2, 2, 1, 1, 1, 1});
  CHECK(fixture.counters.out.value() == 2);
}
