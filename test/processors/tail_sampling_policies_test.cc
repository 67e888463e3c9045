#include <catch2/catch.hpp>
#include <random>

#include "processors/tail_sampling/gather.h"
#include "processors/tail_sampling/policy.h"
#include "test/support/otlp_builder.h"

namespace sluice::tail_sampling {
namespace {

using namespace sluice::test;
using Catch::Matchers::Contains;

constexpr std::uint64_t second = 1'000'000'000;

/// One policy from YAML, and its vote on a trace.
class PolicyUnderTest {
 public:
  explicit PolicyUnderTest(std::string_view yaml) {
    config::Problems problems;
    policy_ = decode_policy(config::parse_text(yaml, "test.yaml", problems), conditions_);
    for (const config::Problem& problem : problems.list()) mistakes += problem.to_string() + '\n';
  }

  Vote vote(const std::vector<ResourceSpec>& trace) const {
    const SpanBatch batch = make_batch(trace);
    TraceFacts facts;
    for (const SpanEntry& entry : batch.spans()) {
      const SpanView span(batch.span_bytes(entry));
      std::ranges::copy(span.trace_id(), facts.trace_id.begin());
      gather(span, entry, batch.resource_bytes(entry), conditions_, facts);
    }
    return policy_.policy->vote(facts);
  }
  bool samples(std::vector<SpanSpec> spans, Attributes resource = {}) const {
    return vote({{.attributes = std::move(resource), .spans = std::move(spans)}}) == Vote::sampled;
  }

  std::string mistakes;

 private:
  Conditions conditions_;
  NamedPolicy policy_;
};

PolicyUnderTest policy(std::string_view yaml) {
  PolicyUnderTest out(yaml);
  CHECK(out.mistakes.empty());
  return out;
}

SpanSpec with(Attributes attributes) { return {.attributes = std::move(attributes)}; }

}  // namespace

TEST_CASE("always_sample samples", "[tail_sampling]") {
  CHECK(policy("{name: all, type: always_sample}").samples({{}}));
}

TEST_CASE("latency is from the earliest start to the latest end of a trace", "[tail_sampling]") {
  const SpanSpec first{.start = 100 * second, .end = 101 * second};
  const SpanSpec last{.start = 103 * second, .end = 105 * second};
  const auto slow = policy("{name: slow, type: latency, latency: {threshold_ms: 5000}}");
  CHECK(slow.samples({first, last}));
  CHECK(slow.samples({last, first}));
  CHECK_FALSE(slow.samples({first}));
  CHECK_FALSE(
      policy("{name: p, type: latency, latency: {threshold_ms: 5001}}").samples({first, last}));
  const auto between = [&](int least, int most) {
    return policy("{name: p, type: latency, latency: {threshold_ms: " + std::to_string(least) +
                  ", upper_threshold_ms: " + std::to_string(most) + "}}")
        .samples({first, last});
  };
  CHECK(between(4999, 5000));
  CHECK_FALSE(between(5000, 6000));
  CHECK_FALSE(between(1000, 4999));
}

TEST_CASE("numeric_attribute asks any span or resource", "[tail_sampling]") {
  const auto range = policy(
      "{name: n, type: numeric_attribute, numeric_attribute: {key: code, min_value: 500, "
      "max_value: 599}}");
  CHECK(range.samples({with({{"code", 200}}), with({{"code", 503}})}));
  CHECK(range.samples({{}}, {{"code", 599}}));
  CHECK_FALSE(range.samples({with({{"code", 499}})}));
  CHECK_FALSE(range.samples({with({{"other", 503}})}));
  CHECK_FALSE(range.samples({with({{"code", "503"}})}));
  CHECK(policy("{name: n, type: numeric_attribute, numeric_attribute: {key: code, min_value: 500}}")
            .samples({with({{"code", 9999}})}));
  CHECK(policy("{name: n, type: numeric_attribute, numeric_attribute: {key: code, max_value: 5}}")
            .samples({with({{"code", -9}})}));
  const auto inverted = policy(
      "{name: n, type: numeric_attribute, numeric_attribute: {key: code, min_value: 500, "
      "max_value: 599, invert_match: true}}");
  CHECK_FALSE(inverted.samples({with({{"code", 200}}), with({{"code", 503}})}));
  CHECK(inverted.samples({with({{"code", 200}})}));
  CHECK(inverted.samples({{}}));
}

TEST_CASE("boolean_attribute asks any span or resource", "[tail_sampling]") {
  const auto debug =
      policy("{name: b, type: boolean_attribute, boolean_attribute: {key: debug, value: true}}");
  CHECK(debug.samples({{}, with({{"debug", true}})}));
  CHECK(debug.samples({{}}, {{"debug", true}}));
  CHECK_FALSE(debug.samples({with({{"debug", false}})}));
  CHECK_FALSE(debug.samples({with({{"debug", "true"}})}));
  CHECK(policy("{name: b, type: boolean_attribute, boolean_attribute: {key: debug, value: true, "
               "invert_match: true}}")
            .samples({with({{"debug", false}})}));
}

TEST_CASE("string_attribute takes whole texts or regular expressions", "[tail_sampling]") {
  const auto exact = policy(
      "{name: s, type: string_attribute, string_attribute: {key: tenant, values: [acme, \"\"]}}");
  CHECK(exact.samples({{}, with({{"tenant", "acme"}})}));
  CHECK(exact.samples({{}}, {{"tenant", "acme"}}));
  CHECK_FALSE(exact.samples({with({{"tenant", "acme inc"}})}));
  CHECK_FALSE(exact.samples({with({{"tenant", ""}})}));
  const auto pattern = policy(
      "{name: s, type: string_attribute, string_attribute: {key: path, values: [\"^/health\", "
      "\"z$\"], enabled_regex_matching: true}}");
  CHECK(pattern.samples({with({{"path", "/healthy"}})}));
  CHECK(pattern.samples({with({{"path", "abcz"}})}));
  CHECK_FALSE(pattern.samples({with({{"path", "/api/health"}})}));
  CHECK_FALSE(pattern.samples({with({{"path", 7}})}));
  CHECK_FALSE(policy("{name: s, type: string_attribute, string_attribute: {key: tenant, values: "
                     "[acme], invert_match: true}}")
                  .samples({with({{"tenant", "acme"}}), with({{"tenant", "other"}})}));
}

TEST_CASE("status_code asks any span", "[tail_sampling]") {
  const auto errors = policy("{name: e, type: status_code, status_code: {status_codes: [ERROR]}}");
  CHECK(errors.samples({{}, {.status_code = 2}}));
  CHECK_FALSE(errors.samples({{}, {.status_code = 1}}));
  const auto fine =
      policy("{name: e, type: status_code, status_code: {status_codes: [OK, UNSET]}}");
  CHECK(fine.samples({{.status_code = 2}, {}}));
  CHECK_FALSE(fine.samples({{.status_code = 2}}));
}

TEST_CASE("probabilistic samples its share, by the trace id alone", "[tail_sampling]") {
  const auto share = [](std::string_view options) {
    const auto under_test =
        policy("{name: p, type: probabilistic, probabilistic: " + std::string(options) + "}");
    std::mt19937_64 random(7);
    int sampled = 0;
    for (int turn = 0; turn < 5000; ++turn) {
      std::string id(16, '\0');
      for (char& byte : id) byte = static_cast<char>(random());
      sampled += under_test.samples({{.trace_id = id}});
    }
    return sampled;
  };
  CHECK(share("{sampling_percentage: 100}") == 5000);
  CHECK(share("{sampling_percentage: 0}") == 0);
  CHECK(std::abs(share("{sampling_percentage: 10}") - 500) < 100);
  CHECK(share("{sampling_percentage: 10, hash_salt: other}") != share("{sampling_percentage: 10}"));
  CHECK(share("{sampling_percentage: 10, hash_salt: default-hash-seed}") ==
        share("{sampling_percentage: 10}"));
}

TEST_CASE("span_count counts the spans of a trace, bounds included", "[tail_sampling]") {
  const auto two = policy("{name: c, type: span_count, span_count: {min_spans: 2, max_spans: 3}}");
  CHECK_FALSE(two.samples({{}}));
  CHECK(two.samples({{}, {}}));
  CHECK(two.samples({{}, {}, {}}));
  CHECK_FALSE(two.samples({{}, {}, {}, {}}));
  CHECK(
      policy("{name: c, type: span_count, span_count: {min_spans: 2}}").samples({{}, {}, {}, {}}));
}

TEST_CASE("trace_state asks for one of some values under its key", "[tail_sampling]") {
  const auto state =
      policy("{name: t, type: trace_state, trace_state: {key: vendor, values: [a, b]}}");
  CHECK(state.samples({{}, {.trace_state = "other=x, vendor=b"}}));
  CHECK_FALSE(state.samples({{.trace_state = "vendor=c"}}));
  CHECK_FALSE(state.samples({{.trace_state = "xvendor=a,b"}}));
}

TEST_CASE("trace_flags asks for the sampled flag", "[tail_sampling]") {
  const auto flagged = policy("{name: f, type: trace_flags}");
  CHECK(flagged.samples({{}, {.flags = 0x101}}));
  CHECK_FALSE(flagged.samples({{.flags = 0x100}}));
}

TEST_CASE("and, not and drop make policies of policies", "[tail_sampling]") {
  const std::string error = "{name: e, type: status_code, status_code: {status_codes: [ERROR]}}";
  const std::string many = "{name: m, type: span_count, span_count: {min_spans: 2}}";
  const std::string both = "[" + error + ", " + many + "]";
  const auto together = policy("{name: a, type: and, and: {and_sub_policy: " + both + "}}");
  CHECK(together.samples({{}, {.status_code = 2}}));
  CHECK_FALSE(together.samples({{.status_code = 2}}));
  CHECK_FALSE(together.samples({{}, {}}));
  const auto other = policy("{name: n, type: not, not: {not_sub_policy: " + error + "}}");
  CHECK(other.samples({{}}));
  CHECK_FALSE(other.samples({{.status_code = 2}}));
  const auto drop = policy("{name: d, type: drop, drop: {drop_sub_policy: " + both + "}}");
  CHECK(drop.vote({{.spans = {{}, {.status_code = 2}}}}) == Vote::dropped);
  CHECK(drop.vote({{.spans = {{}}}}) == Vote::not_sampled);
  CHECK(policy("{name: a, type: and, and: {and_sub_policy: [{name: n, type: not, not: "
               "{not_sub_policy: " +
               error + "}}, " + many + "]}}")
            .samples({{}, {}}));
}

TEST_CASE("mistakes in policies are named where they stand", "[tail_sampling]") {
  const auto mistakes = [](std::string_view yaml) { return PolicyUnderTest(yaml).mistakes; };
  CHECK_THAT(mistakes("{type: latency, latency: {threshold_ms: 1}}"), Contains("name"));
  CHECK_THAT(mistakes("{name: p}"), Contains("type"));
  CHECK_THAT(mistakes("{name: p, type: latncy}"),
             Contains("test.yaml:1:17") && Contains("latency"));
  CHECK_THAT(mistakes("{name: p, type: latency}"), Contains("options under \"latency\""));
  CHECK_THAT(mistakes("{name: p, type: probabilistic, probabilistic: {sampling_percentage: 101}}"),
             Contains("0 to 100"));
  CHECK_THAT(mistakes("{name: p, type: string_attribute, string_attribute: {key: k, values: "
                      "[\"(\"], enabled_regex_matching: true}}"),
             Contains("regular expression"));
  CHECK_THAT(mistakes("{name: p, type: status_code, status_code: {status_codes: [BAD]}}"),
             Contains("BAD"));
  CHECK_THAT(mistakes("{name: p, type: and, and: {and_sub_policy: []}}"), Contains("at least one"));
  CHECK_THAT(mistakes("{name: p, type: not, not: {}}"), Contains("not_sub_policy"));
  CHECK_THAT(mistakes("{name: p, type: latency, latency: {threshold: 1}}"),
             Contains("threshold_ms"));
  CHECK_THAT(mistakes("{name: p, type: and, and: {and_sub_policy: [{name: x, type: always_sample}, "
                      "{name: x, type: always_sample}]}}"),
             Contains("earlier policy"));
}

}  // namespace sluice::tail_sampling
