#include "processors/memory_limiter/memory_limiter.h"

#include <catch2/catch.hpp>

#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;
using std::chrono::seconds;

constexpr std::uint64_t mib = 1 << 20;

/// A limiter of 200 MiB with a soft limit of 160, over a memory that the test makes up: 20 MiB for
/// the program, what the ledger accounts for, and what is `spare`.
class LimitedMemory {
 public:
  explicit LimitedMemory(const std::string& more = "")
      : test(memory_limiter_processor({[this] { return resident(); }, [this] { give_back(); }}),
             "{check_interval: 1s, limit_mib: 200, spike_limit_mib: 40" + more + "}") {}

  std::string send() {
    return test.send(make_batch({{.service = "shop", .spans = numbered_spans(2)}}));
  }
  void check() { test.executor.advance(seconds(1)); }

  std::uint64_t program = 20 * mib, spare = 0, stuck = 0;
  int given_back = 0;
  Ledger* ledger = nullptr;
  ProcessorFixture test;

 private:
  std::uint64_t resident() {
    return program + spare + stuck + (ledger == nullptr ? 0 : ledger->total());
  }
  void give_back() {
    spare = 0;
    ++given_back;
  }
};

TEST_CASE("below the soft limit everything passes as it is", "[memory_limiter]") {
  LimitedMemory memory;
  CHECK(memory.test.mistakes == Strings{});
  const SpanBatch batch = make_batch({{.service = "shop", .spans = numbered_spans(2)}});
  CHECK(memory.test.send(batch) == "accepted");
  CHECK(memory.test.next.batches.at(0).span_bytes(0).data() == batch.span_bytes(0).data());
  CHECK(memory.test.metrics.value("otelcol_processor_memory_limiter_accepted_spans") == 2);
  CHECK(memory.test.conserved());
}

TEST_CASE("the ledger admits up to the soft limit, less what it does not account for",
          "[memory_limiter]") {
  LimitedMemory memory;
  memory.ledger = &memory.test.ledger;
  const auto most = memory.test.ledger.try_charge(140 * mib);
  CHECK(most);
  CHECK_FALSE(memory.test.ledger.try_charge(1));
  CHECK(memory.send() == "accepted");  // what has come in already passes
}

TEST_CASE("what a component holds counts towards the cap at once", "[memory_limiter]") {
  LimitedMemory memory;
  memory.ledger = &memory.test.ledger;
  Ledger& holder = memory.test.ledger.of_holder("sampler");
  const Charge held = holder.charge(100 * mib);
  CHECK_FALSE(memory.test.ledger.try_charge(41 * mib));
  CHECK(memory.test.ledger.try_charge(39 * mib));
  CHECK(memory.test.ledger.total() == 100 * mib);
}

TEST_CASE("above the soft limit what comes is refused for now, and passes again below it",
          "[memory_limiter]") {
  LimitedMemory memory;
  memory.ledger = &memory.test.ledger;
  std::optional<Charge> charge = memory.test.ledger.try_charge(50 * mib);
  memory.stuck = 100 * mib;
  memory.check();
  CHECK(memory.send() == "retry_later");
  CHECK(memory.test.answers.back()->answers[0].message == "data refused due to high memory usage");
  CHECK(memory.test.processor->reserve({2, 100}));
  CHECK(memory.test.metrics.value("otelcol_processor_memory_limiter_refused_spans") == 4);
  CHECK(memory.test.flow("refused") == 2);
  CHECK_FALSE(memory.test.ledger.try_charge(1));
  charge.reset();
  CHECK(memory.send() == "accepted");  // by the byte, without waiting for the next check
  memory.stuck = 0;
  memory.check();
  CHECK(memory.test.ledger.try_charge(100 * mib));
  CHECK(memory.test.conserved());
}

TEST_CASE("above the limit spare memory is given back at every check", "[memory_limiter]") {
  LimitedMemory memory;
  memory.spare = 190 * mib;
  memory.check();
  CHECK(memory.given_back == 1);
  memory.spare = 190 * mib;
  memory.check();
  CHECK(memory.given_back == 2);
  CHECK(memory.test.ledger.try_charge(139 * mib));
}

TEST_CASE("where that frees nothing, it is tried less and less often", "[memory_limiter]") {
  LimitedMemory memory;
  memory.stuck = 190 * mib;
  memory.check();  // in vain: the wait is that of a soft limit from here
  CHECK(memory.given_back == 1);
  memory.check();
  CHECK(memory.given_back == 2);
  memory.check();
  CHECK(memory.given_back == 2);
  memory.check();
  CHECK(memory.given_back == 3);
  for (int i = 0; i < 60; ++i) memory.check();
  CHECK(memory.given_back < 9);
  memory.stuck = 0;
  memory.spare = 190 * mib;
  for (int i = 0; i < 30; ++i) memory.check();
  const int given_back = memory.given_back;
  memory.spare = 190 * mib;
  memory.check();
  CHECK(memory.given_back == given_back + 1);
}

TEST_CASE("above the soft limit spare memory is given back at most every ten seconds",
          "[memory_limiter]") {
  LimitedMemory memory;
  memory.spare = 150 * mib;
  for (int i = 0; i < 9; ++i) memory.check();
  CHECK(memory.given_back == 0);
  memory.check();
  CHECK(memory.given_back == 1);
  memory.spare = 150 * mib;
  for (int i = 0; i < 9; ++i) memory.check();
  CHECK(memory.given_back == 1);
  memory.check();
  CHECK(memory.given_back == 2);
}

TEST_CASE("spare memory is given back where it makes newcomers be refused", "[memory_limiter]") {
  LimitedMemory memory(", min_gc_interval_when_soft_limited: 2s");
  memory.spare = 120 * mib;
  memory.check();
  CHECK_FALSE(memory.test.ledger.try_charge(30 * mib));
  CHECK(memory.given_back == 0);
  memory.check();
  CHECK(memory.given_back == 1);
  CHECK(memory.test.ledger.try_charge(139 * mib));
}

TEST_CASE("without garbage_collector nothing is given back", "[memory_limiter]") {
  LimitedMemory memory(", garbage_collector: {enabled: false}");
  memory.spare = 190 * mib;
  for (int i = 0; i < 30; ++i) memory.check();
  CHECK(memory.given_back == 0);
}

TEST_CASE("a body has at most half of the soft limit", "[memory_limiter]") {
  LimitedMemory memory;
  CHECK(memory.test.ledger.limit() == 160 * mib);
}

TEST_CASE("of several limiters the lowest counts", "[memory_limiter]") {
  Ledger ledger(1000);
  ledger.cap("a", 100);
  ledger.cap("b", 500);
  CHECK_FALSE(ledger.try_charge(101));
  ledger.cap("a", 700);
  CHECK(ledger.try_charge(500));
  CHECK_FALSE(ledger.try_charge(501));
  CHECK(ledger.refusals() == 2);
}

TEST_CASE("a limiter that stops does not check any more", "[memory_limiter]") {
  LimitedMemory memory;
  bool done = false;
  memory.test.processor->stop([&done] { done = true; });
  CHECK(done);
  memory.spare = 190 * mib;
  memory.check();
  CHECK(memory.given_back == 0);
}

TEST_CASE("a percentage is of what the process may use", "[memory_limiter]") {
  ProcessorFixture test(memory_limiter_processor({[] { return std::uint64_t{0}; }, [] {}}),
                        "{check_interval: 1s, limit_percentage: 50, spike_limit_percentage: 50}");
  CHECK(test.mistakes ==
        Strings{"test.yaml:1:68: spike_limit_percentage: must be smaller than limit_percentage"});
  ProcessorFixture right(memory_limiter_processor({[] { return std::uint64_t{0}; }, [] {}}),
                         "{check_interval: 1s, limit_percentage: 1}");
  CHECK(right.mistakes == Strings{});
  CHECK(right.ledger.limit() < std::size_t{1} << 30);
}

TEST_CASE("mistakes in the options of memory_limiter are named where they stand",
          "[memory_limiter]") {
  const auto mistakes = [](std::string_view yaml) {
    return processor_mistakes(memory_limiter_processor(), yaml);
  };
  CHECK(mistakes("{}") == Strings{"test.yaml:1:1: check_interval: required, but missing",
                                  "test.yaml:1:1: needs limit_mib or limit_percentage"});
  CHECK(mistakes("{check_interval: 0, limit_mib: 1}") ==
        Strings{"test.yaml:1:18: check_interval: must be greater than 0"});
  CHECK(mistakes("{check_interval: 1s, limit_mib: 1, spike_limit_mib: 1}") ==
        Strings{"test.yaml:1:53: spike_limit_mib: must be smaller than limit_mib"});
  CHECK(mistakes("{check_interval: 1s, limit_percentage: 101}") ==
        Strings{"test.yaml:1:40: limit_percentage: must be at most 100"});
  CHECK(
      mistakes("{check_interval: 1s, limit_percentage: 10, spike_limit_percentage: 200}").size() ==
      2);
  CHECK(mistakes("{check_interval: 1s, limit_mib: 9, min_gc_interval_when_soft_limited: -1s, "
                 "min_gc_interval_when_hard_limited: -2s}")
            .size() == 2);
  CHECK(mistakes("{check_interval: 1s, limit_mib: 9, max_gc_interval_when_soft_limited: 1s}") ==
        Strings{"test.yaml:1:71: max_gc_interval_when_soft_limited: must be at least "
                "min_gc_interval_when_soft_limited, or 0 to wait no longer each time"});
  CHECK(mistakes("{check_interval: 1s, limit_mib: 9, min_gc_interval_when_hard_limited: 20s}") ==
        Strings{"test.yaml:1:1: min_gc_interval_when_soft_limited: must be at least "
                "min_gc_interval_when_hard_limited"});
  CHECK(mistakes("{check_interval: 1s, limit_mib: 9, limt: 1}").size() == 1);
}

TEST_CASE("the README of memory_limiter shows what is decoded", "[memory_limiter]") {
  CHECK(readme_mistakes("processors/memory_limiter/README.md", "processors", "memory_limiter",
                        memory_limiter_processor().decode) == Strings{});
}

}  // namespace
}  // namespace sluice::test
