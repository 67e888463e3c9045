#include "processors/probabilistic_sampler/probabilistic_sampler.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <utility>

#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* counter_name = "otelcol_processor_probabilistic_sampler_count_traces_sampled";

ProcessorFixture sampler(std::string_view yaml) {
  return {probabilistic_sampler_processor(), yaml};
}

Strings mistakes_of(std::string_view yaml) {
  return processor_mistakes(probabilistic_sampler_processor(), yaml);
}

/// A trace id whose last 56 bits, which are its random ones, are these.
std::string id_of(std::uint64_t random_bits) {
  std::string id = make_id(random_bits, 16);
  id[0] = '\x5a';
  return id;
}

constexpr std::uint64_t end = std::uint64_t{1} << 56;
constexpr std::uint64_t half = end / 2;

/// The trace state of a span after it, or "dropped".
std::string after(std::string_view yaml, SpanSpec span) {
  ProcessorFixture test = sampler(yaml);
  REQUIRE(test.mistakes == Strings{});
  CHECK(test.send(make_batch({{.service = "shop", .spans = {std::move(span)}}})) == "accepted");
  CHECK(test.conserved());
  if (test.next.batches.empty()) return "dropped";
  return std::string(SpanView(test.next.batches.at(0).span_bytes(0)).trace_state());
}
std::string after(std::string_view yaml, std::uint64_t random_bits, std::string trace_state = "") {
  return after(yaml, {.trace_id = id_of(random_bits), .trace_state = std::move(trace_state)});
}

/// Of so many traces, how many in a thousand are kept.
std::uint64_t permille_kept(std::string_view yaml, std::uint64_t count) {
  ProcessorFixture test = sampler(yaml);
  std::vector<SpanSpec> spans = numbered_spans(count);
  for (std::uint64_t i = 0; i < count; ++i)
    spans[i].trace_id = make_id(i * 0x9e3779b97f4a7c15, 8) + make_id(i * 0xbf58476d1ce4e5b9 + 1, 8);
  test.send(make_batch({{.service = "shop", .spans = std::move(spans)}}));
  CHECK(test.conserved());
  return test.flow("out") * 1000 / count;
}

}  // namespace

TEST_CASE("a share of all traces is kept, as large as the percentage says",
          "[probabilistic_sampler]") {
  for (const char* mode : {"hash_seed", "proportional", "equalizing"}) {
    for (const std::uint64_t percentage : {1, 10, 50, 90}) {
      const std::string yaml = "{mode: " + std::string(mode) +
                               ", sampling_percentage: " + std::to_string(percentage) + "}";
      INFO(yaml);
      const auto off =
          static_cast<std::int64_t>(permille_kept(yaml, 10'000)) - 10 * std::int64_t(percentage);
      CHECK(std::abs(off) <= 15);
    }
  }
}

TEST_CASE("without a mode the hash of seed and trace id decides, and is written down",
          "[probabilistic_sampler]") {
  // FNV-1a of seed 0 and this id is 0xdf241a25: bucket 6693 of 16384.
  const SpanSpec span{.trace_id = std::string("\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10", 16)};
  CHECK(after("{sampling_percentage: 30}", span) == "dropped");
  CHECK(after("{sampling_percentage: 50}", span) == "ot=rv:976837c4f25a25;th:8");
  CHECK(after("{sampling_percentage: 50, mode: hash_seed, hash_seed: 22}", span) == "dropped");
  CHECK(after("{sampling_percentage: 82, hash_seed: 22}", span) == "ot=rv:2ef03615863443;th:2e18");
}

TEST_CASE("all and nothing", "[probabilistic_sampler]") {
  for (const char* mode : {"hash_seed", "proportional", "equalizing"}) {
    INFO(mode);
    const std::string begin = "{mode: " + std::string(mode) + ", sampling_percentage: ";
    for (const char* all : {"100}", "100.5}", "1e30}"}) {
      const std::string state = after(begin + all, 0);
      CHECK(state.ends_with("th:0"));
    }
    CHECK(permille_kept(begin + "0}", 100) == 0);
  }
  ProcessorFixture test = sampler("{}");
  test.send(make_batch({{.spans = numbered_spans(3)}}));
  CHECK(test.flow("dropped") == 3);
}

TEST_CASE("equalizing keeps what was sampled as much before, and the share of the rest",
          "[probabilistic_sampler]") {
  const char* const quarter = "{mode: equalizing, sampling_percentage: 25}";
  CHECK(after(quarter, end / 4 * 3) == "ot=th:c");
  CHECK(after(quarter, end / 4 * 3 - 1) == "dropped");
  CHECK(after(quarter, end / 4 * 3 - 1, "ot=th:8") == "dropped");
  CHECK(after(quarter, end / 4 * 3, "ot=th:8") == "ot=th:c");
  CHECK(after(quarter, end / 8 * 7, "ot=th:e") == "ot=th:e");
  CHECK(after(quarter, end / 8 * 7, "v=1,ot=th:e") == "ot=th:e,v=1");
}

TEST_CASE("proportional keeps its share of what comes, whatever was sampled before",
          "[probabilistic_sampler]") {
  const char* const quarter = "{mode: proportional, sampling_percentage: 25}";
  CHECK(after(quarter, end / 4 * 3) == "ot=th:c");
  CHECK(after(quarter, end / 4 * 3, "ot=th:8") == "dropped");
  CHECK(after(quarter, end / 8 * 7, "ot=th:8") == "ot=th:e");
  // So little that 56 bits cannot tell.
  CHECK(after(quarter, end - 1, "ot=th:ffffffffffffff") == "dropped");
}

TEST_CASE("random bits that the trace state brings count, and stay as they were written",
          "[probabilistic_sampler]") {
  const char* const share = "{mode: equalizing, sampling_percentage: 50}";
  CHECK(after(share, 0, "ot=rv:80000000000000") == "ot=rv:80000000000000;th:8");
  CHECK(after(share, 0, "ot=x:1;rv:ABCDEF00000000;th:4,a=b") ==
        "ot=rv:ABCDEF00000000;th:8;x:1,a=b");
  CHECK(after(share, end - 1, "ot=rv:7fffffffffffff") == "dropped");
}

TEST_CASE("a threshold has as many digits as are asked for, behind zeros and fs",
          "[probabilistic_sampler]") {
  const auto digits = [](const char* percentage, int precision) {
    return after("{mode: equalizing, sampling_percentage: " + std::string(percentage) +
                     ", sampling_precision: " + std::to_string(precision) + "}",
                 end - 1);
  };
  CHECK(digits("33.3", 1) == "ot=th:b");
  CHECK(digits("33.3", 4) == "ot=th:aac1");
  CHECK(digits("5", 4) == "ot=th:f3333");
  CHECK(digits("1", 3) == "ot=th:fd71");
  CHECK(digits("0.01", 4) == "ot=th:fff9724");
  CHECK(digits("99.9", 4) == "ot=th:004189");
  CHECK(digits("10", 14) == "ot=th:e6666666666666");
}

TEST_CASE("a priority decides before everything else", "[probabilistic_sampler]") {
  const auto with = [](const char* yaml, Value priority) {
    return after(yaml, {.trace_id = id_of(half),
                        .attributes = {{"a", 1}, {"sampling.priority", std::move(priority)}}});
  };
  for (const char* yaml :
       {"{mode: equalizing, sampling_percentage: 1}", "{sampling_percentage: 0}"}) {
    INFO(yaml);
    CHECK(with(yaml, 1) == "ot=th:0");
    CHECK(with(yaml, 0.5) == "ot=th:0");
    for (const char* text : {"1", "+2", "1e3", "0x1p-2", "Inf"})
      CHECK(with(yaml, text) == "ot=th:0");
    for (const char* text : {"", "-1", "NaN", "one", "1 ", "1e999"})
      CHECK(with(yaml, text) == "dropped");
    CHECK(with(yaml, -1) == "dropped");
    CHECK(with(yaml, true) == "dropped");
    CHECK(with(yaml, Array{1}) == "dropped");
  }
  const char* const all = "{mode: proportional, sampling_percentage: 100}";
  CHECK(with(all, 0) == "dropped");
  CHECK(with(all, -0.0) == "dropped");
  CHECK(with(all, "0.0") == "dropped");
  CHECK(with(all, false) == "ot=th:0");
  CHECK(with(all, -1) == "ot=th:0");
}

TEST_CASE("of several priorities the first counts", "[probabilistic_sampler]") {
  const SpanSpec span{.attributes = {{"sampling.priority", "?"}, {"sampling.priority", 1}}};
  CHECK(after("{sampling_percentage: 0}", span) == "dropped");
}

TEST_CASE("a priority keeps a span under the threshold that it passed before",
          "[probabilistic_sampler]") {
  const SpanSpec span{
      .trace_id = id_of(half), .trace_state = "ot=th:4", .attributes = {{"sampling.priority", 1}}};
  CHECK(after("{mode: equalizing, sampling_percentage: 1}", span) == "ot=th:4");
  CHECK(after("{sampling_percentage: 0}", span) == "ot=th:4");
}

TEST_CASE("what nobody can tell the chance of is dropped, or kept with fail_closed false",
          "[probabilistic_sampler]") {
  struct {
    const char* options;
    const char* before;
    const char* reason;
    const char* state;  ///< where it is kept
  } const cases[] = {
      {"mode: equalizing", "ot=th:g", "malformed_trace_state", "ot=th:g"},
      {"mode: proportional", "a=b,=", "malformed_trace_state", "a=b,="},
      {"mode: hash_seed", "ot", "malformed_trace_state", "ot"},
      {"mode: hash_seed", "ot=th:8", "threshold_in_use", "ot=th:8"},
      {"mode: hash_seed", "a=b,ot=rv:80000000000000", "randomness_in_use",
       "a=b,ot=rv:80000000000000"},
      {"mode: equalizing", "ot=th:c;x:y", "inconsistent_threshold", "ot=th:0;x:y"},
      {"mode: proportional", "ot=rv:10000000000000;th:8", "inconsistent_threshold",
       "ot=rv:10000000000000;th:0"},
  };
  for (const auto& each : cases) {
    INFO(each.options << " " << each.before);
    const std::string options = "{sampling_percentage: 100, " + std::string(each.options);
    CHECK(after(options + "}", half, each.before) == "dropped");
    CHECK(after(options + ", fail_closed: false}", half, each.before) == each.state);
    ProcessorFixture test = sampler(options + "}");
    test.send(make_batch({{.spans = {{.trace_id = id_of(half), .trace_state = each.before},
                                     {.trace_id = id_of(1)}}}}));
    CHECK(test.metrics.value("sluice_probabilistic_sampler_mistakes") == 1);
    CHECK(test.metrics.value("sluice_probabilistic_sampler_mistakes", {{"reason", each.reason}}) ==
          1);
  }
  CHECK(after("{sampling_percentage: 0, fail_closed: false}", half, "ot") == "ot");
}

TEST_CASE("spans are counted by what decided about them", "[probabilistic_sampler]") {
  ProcessorFixture test = sampler("{mode: equalizing, sampling_percentage: 50}");
  test.send(make_batch({{.spans = {{.trace_id = id_of(half)},
                                   {.trace_id = id_of(half - 1)},
                                   {.trace_id = id_of(half - 1)},
                                   {.trace_id = id_of(1), .trace_state = "ot=rv:ffffffffffffff"},
                                   {.trace_id = id_of(half), .trace_state = "="},
                                   {.attributes = {{"sampling.priority", 0}}}}}}));
  const auto counted = [&](const char* policy, const char* sampled) {
    return test.metrics.value(counter_name,
                              {{"processor", "test"}, {"policy", policy}, {"sampled", sampled}});
  };
  CHECK(counted("trace_id_w3c", "true") == 1);
  CHECK(counted("trace_id_w3c", "false") == 2);
  CHECK(counted("sampling_randomness", "true") == 1);
  CHECK(counted("missing_randomness", "false") == 1);
  CHECK(counted("sampling_priority", "false") == 1);
  CHECK(test.metrics.value(counter_name) == 6);
  CHECK(test.flow("in") == 6);
  CHECK(test.flow("out") == 2);
  CHECK(test.flow("dropped") == 4);
  CHECK(test.conserved());

  ProcessorFixture hash = sampler("{sampling_percentage: 100}");
  hash.send(make_batch({{.spans = numbered_spans(3)}}));
  CHECK(hash.metrics.value(counter_name, {{"policy", "trace_id_hash"}, {"sampled", "true"}}) == 3);
}

TEST_CASE("a sampler that has nothing to say leaves a batch as it is", "[probabilistic_sampler]") {
  ProcessorFixture test = sampler("{mode: equalizing, sampling_percentage: 50}");
  std::vector<SpanSpec> specs = numbered_spans(3);
  for (SpanSpec& spec : specs) {
    spec.trace_id = id_of(end - 1);
    spec.trace_state = "ot=th:c";
  }
  const SpanBatch batch = make_batch({{.service = "shop", .spans = specs}});
  test.send(batch);
  CHECK(test.next.batches.at(0).span_bytes(0).data() == batch.span_bytes(0).data());
  CHECK(test.next.batches.at(0).encode().to_string() == batch.encode().to_string());
}

TEST_CASE("only the trace state of a span that is kept changes", "[probabilistic_sampler]") {
  ProcessorFixture test = sampler("{mode: equalizing, sampling_percentage: 50}");
  SpanSpec first{.name = "first", .trace_id = id_of(half), .trace_state = "a=b"};
  first.attributes = {{"k", "v"}};
  first.events = {{.name = "event"}};
  first.links = {{.trace_id = make_id(1, 16), .span_id = make_id(1, 8), .trace_state = "link=1"}};
  first.raw = length_field(1234, "unknown");
  SpanSpec other{.name = "other", .trace_id = id_of(half - 1), .trace_state = "a=b"};
  const SpanBatch batch = make_batch({{.service = "shop", .spans = {other, first, other}}});
  test.send(batch);
  const SpanBatch& result = test.next.batches.at(0);
  REQUIRE(span_names(result) == Strings{"first"});
  first.span_id = std::string(SpanView(batch.span_bytes(1)).span_id());
  first.trace_state = "ot=th:8,a=b";
  CHECK(result.span_bytes(0) == span_message(first));
  CHECK(span_names(parse_batch(result.encode().to_string())) == Strings{"first"});
}

TEST_CASE("of several trace states of one span the last counts, and is replaced",
          "[probabilistic_sampler]") {
  SpanSpec span{.trace_id = id_of(end - 1), .trace_state = "ot=th:g"};
  span.raw = length_field(3, "ot=th:c");
  CHECK(after("{mode: equalizing, sampling_percentage: 12.5}", span) == "ot=th:e");
}

TEST_CASE("mistakes in the options of a probabilistic sampler are named",
          "[probabilistic_sampler]") {
  CHECK(mistakes_of("{mode: hash, sampling_percentage: 1}") ==
        Strings{"test.yaml:1:8: mode: expected one of \"hash_seed\", \"proportional\", "
                "\"equalizing\", found \"hash\""});
  for (const char* wrong : {"-1", "1e-20"})
    CHECK(
        mistakes_of("{sampling_percentage: " + std::string(wrong) + "}") ==
        Strings{"test.yaml:1:23: sampling_percentage: must be 0, or at least 1.4e-15, of which 56 "
                "bits can tell"});
  CHECK(mistakes_of("{sampling_percentage: .inf}").size() == 1);
  for (const char* wrong : {"0", "15", "-1"})
    CHECK(mistakes_of("{sampling_percentage: 1, sampling_precision: " + std::string(wrong) + "}") ==
          Strings{"test.yaml:1:46: sampling_precision: must be from 1 to 14 hexadecimal digits"});
  CHECK(mistakes_of("{sampling_percentage: 1, hash_seed: -1}").size() == 1);
  CHECK(mistakes_of("{sampling_percentage: 1, fail_closed: maybe}").size() == 1);
  CHECK(mistakes_of("{sampling_percentage: 1, seed: 1}").size() == 1);
}

TEST_CASE("options with which nothing is kept are warned about", "[probabilistic_sampler]") {
  CHECK(mistakes_of("{hash_seed: 1}") ==
        Strings{"test.yaml:1:1: has no sampling_percentage, so nothing is kept"});
  CHECK(mistakes_of("{sampling_percentage: 0.006}") ==
        Strings{"test.yaml:1:23: sampling_percentage: is less than hash_seed can tell, which is "
                "0.0062, so nothing is kept"});
  CHECK(mistakes_of("{sampling_percentage: 0.0062}") == Strings{});
  CHECK(mistakes_of("{sampling_percentage: 0}") == Strings{});
  CHECK(mistakes_of("{sampling_percentage: 0.0001, mode: proportional}") == Strings{});
}

TEST_CASE("keys that are about logs are accepted without effect", "[probabilistic_sampler]") {
  CHECK(
      after("{mode: equalizing, sampling_percentage: 50, attribute_source: record, from_attribute: "
            "id, sampling_priority: p}",
            {.trace_id = id_of(half), .attributes = {{"p", 0}}}) == "ot=th:8");
}

TEST_CASE("the README of the probabilistic sampler is right", "[probabilistic_sampler][readme]") {
  CHECK(readme_mistakes("processors/probabilistic_sampler/README.md", "processors",
                        "probabilistic_sampler",
                        probabilistic_sampler_processor().decode) == Strings{});
}

}  // namespace sluice::test
