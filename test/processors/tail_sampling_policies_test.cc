#include <catch2/catch.hpp>
#include <random>

#include "pipeline/traces/arrivals.h"
#include "processors/tail_sampling/policy.h"
#include "processors/tail_sampling/questions.h"
#include "test/support/component.h"
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
    policy_ =
        decode_policy(config::parse_text(yaml, "test.yaml", problems), Place::top, conditions_);
    for (const config::Problem& problem : problems.list()) mistakes += problem.to_string() + '\n';
  }

  Vote vote(const std::vector<ResourceSpec>& trace, Executor::TimePoint now = {}) const {
    std::vector<std::vector<Arrival>> arrivals(1);
    TestComponent component;
    Questions questions(conditions_, component.context);
    ArrivalReader(1, &questions).read(make_batch(trace), arrivals);
    TraceFacts facts;
    for (const Arrival& each : arrivals[0]) {
      facts.trace_id = each.facts.trace_id;
      facts.add(each.facts);
      conditions_.ask_growth(facts);
    }
    std::vector<std::uint64_t> notes(conditions_.notes());
    return policy_.policy->vote({facts, now, notes}).vote;
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
  const auto above = [&](const char* threshold) {
    return policy(std::string("{name: slow, type: latency, latency: {threshold_ms: ") + threshold +
                  "}}");
  };
  CHECK(above("4999").samples({first, last}));
  CHECK(above("4999").samples({last, first}));
  CHECK_FALSE(above("5000").samples({first, last}));
  CHECK_FALSE(above("4999").samples({first}));
}

TEST_CASE("a span without a start makes a trace very long, once some span has an end",
          "[tail_sampling]") {
  const auto slow = policy("{name: slow, type: latency, latency: {threshold_ms: 5000}}");
  const SpanSpec unstarted{.start = 0, .end = 100 * second};
  const SpanSpec empty{.start = 0, .end = 0};
  const SpanSpec usual{.start = 100 * second, .end = 101 * second};
  CHECK(slow.samples({unstarted, usual}));
  CHECK(slow.samples({usual, unstarted, usual}));
  CHECK(slow.samples({usual, empty, usual}));
  CHECK_FALSE(slow.samples({empty, usual, usual}));
  CHECK_FALSE(slow.samples({{.start = 0, .end = 4 * second}}));
}

TEST_CASE("latency with an upper bound looks at a trace as it grows", "[tail_sampling]") {
  const SpanSpec first{.start = 100 * second, .end = 101 * second};
  const SpanSpec last{.start = 103 * second, .end = 105 * second};
  const auto between = [&](int least, int most) {
    return policy("{name: p, type: latency, latency: {threshold_ms: " + std::to_string(least) +
                  ", upper_threshold_ms: " + std::to_string(most) + "}}")
        .samples({first, last});
  };
  CHECK(between(4999, 5000));
  CHECK_FALSE(between(5000, 6000));
  CHECK_FALSE(between(1000, 4999));
  CHECK(between(500, 1000));  // after its first span
}

TEST_CASE("times beyond all clocks have a duration too", "[tail_sampling]") {
  const auto slow = policy("{name: slow, type: latency, latency: {threshold_ms: 1}}");
  CHECK_FALSE(slow.samples({{.start = INT64_MAX, .end = UINT64_MAX}}));
  CHECK(slow.samples({{.start = std::uint64_t{1} << 63, .end = INT64_MAX}}));
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

TEST_CASE("of a repeated attribute the first counts", "[tail_sampling]") {
  const auto range =
      policy("{name: n, type: numeric_attribute, numeric_attribute: {key: code, min_value: 500}}");
  CHECK(range.samples({with({{"code", 503}, {"code", 200}})}));
  CHECK_FALSE(range.samples({with({{"code", 200}, {"code", 503}})}));
  CHECK_FALSE(range.samples({{}}, {{"code", 200}, {"code", 503}}));
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

TEST_CASE("a trace state that is not valid has no values", "[tail_sampling]") {
  const auto state =
      policy("{name: t, type: trace_state, trace_state: {key: vendor, values: [a, b]}}");
  std::string many = "vendor=a";
  for (int i = 1; i < 32; ++i) many += ",k" + std::to_string(i) + "=v";
  for (const std::string valid : {",,vendor=a", "vendor=a \t, other=x", "1a@b=c,vendor=a",
                                  "a_-*/=x y,vendor=a", many.c_str()}) {
    INFO(valid);
    CHECK(state.samples({{.trace_state = valid}}));
  }
  many += ",one=more";
  for (const std::string broken :
       {"vendor=a,vendor=b", "vendor=a,x", "vendor=a,x=", "vendor=a,BAD=x", "vendor=a,1a=x",
        "vendor=a, ", "vendor =a", "vendor= a", "vendor=a=b", "vendor=a,@b=x", "vendor=a,a@1=x",
        "vendor=a,x=\x7f", many.c_str()}) {
    INFO(broken);
    CHECK_FALSE(state.samples({{.trace_state = broken}}));
  }
}

TEST_CASE("ottl_condition asks conditions of spans, with resource and scope, and of events",
          "[tail_sampling]") {
  const auto asked = policy(R"({name: o, type: ottl_condition, ottl_condition: {
    span: ['attributes["code"] >= 500 and resource.attributes["service.name"] == "shop"',
           'name == "slow" and instrumentation_scope.name == "db"'],
    spanevent: ['name == "exception"']}})");
  const auto trace = [&](std::string service, std::string scope, SpanSpec span) {
    ResourceSpec resource{.service = std::move(service), .scope = std::move(scope)};
    resource.spans = {{}, std::move(span)};
    return asked.vote({resource}) == Vote::sampled;
  };
  CHECK(trace("shop", "", with({{"code", 503}})));
  CHECK_FALSE(trace("shop", "", with({{"code", 499}})));
  CHECK_FALSE(trace("cart", "", with({{"code", 503}})));
  CHECK(trace("", "db", {.name = "slow"}));
  CHECK_FALSE(trace("", "http", {.name = "slow"}));
  CHECK(trace("", "", {.events = {{.name = "start"}, {.name = "exception"}}}));
  CHECK_FALSE(trace("", "", {.events = {{.name = "start"}}}));
}

TEST_CASE("a condition that fails is false, and with propagate its trace is not sampled",
          "[tail_sampling]") {
  const auto under = [](std::string mode) {
    return policy(
        "{name: o, type: ottl_condition, ottl_condition: {error_mode: " + mode +
        R"(, span: ['Int(name) == 1', 'ParseJSON(name)["a"] == 1', 'kind.string == "Server"']}})");
  };
  const std::vector<SpanSpec> spans = {{.name = "not JSON"}, {.name = "{\"a\": 1}"}};
  CHECK(under("ignore").samples(spans));
  CHECK(under("silent").samples(spans));
  CHECK_FALSE(under("propagate").samples(spans));
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

TEST_CASE("rate_limiting samples while there are tokens for all spans", "[tail_sampling]") {
  const auto rate = policy("{name: r, type: rate_limiting, rate_limiting: {spans_per_second: 2}}");
  const auto at = [](double seconds) {
    return Executor::TimePoint(std::chrono::milliseconds(static_cast<int>(seconds * 1000)));
  };
  const auto samples = [&](std::size_t spans, double seconds) {
    return rate.vote({{.spans = numbered_spans(spans)}}, at(seconds)) == Vote::sampled;
  };
  CHECK_FALSE(samples(5, 100));  // more than the burst of twice the rate
  CHECK(samples(4, 100));
  CHECK_FALSE(samples(1, 100.4));
  CHECK(samples(1, 100.5));
  CHECK_FALSE(samples(1, 100.5));
  CHECK(samples(3, 102));
  CHECK(samples(4, 200));
  CHECK_FALSE(samples(1, 200));
}

TEST_CASE("bytes_limiting counts what a trace takes on the wire", "[tail_sampling]") {
  auto spans = numbered_spans(3);
  for (SpanSpec& each : spans) each.trace_id = make_id(1, 16);
  const std::size_t size = make_request({{.service = "shop", .spans = spans}}).size();
  const auto limited = [&](std::size_t burst) {
    return policy(
               "{name: b, type: bytes_limiting, bytes_limiting: {bytes_per_second: 1, "
               "burst_capacity: " +
               std::to_string(burst) + "}}")
               .vote({{.service = "shop", .spans = spans}}) == Vote::sampled;
  };
  CHECK(limited(size + 8));
  CHECK_FALSE(limited(size - 8));
}

TEST_CASE("composite gives each of its policies a budget of spans a second", "[tail_sampling]") {
  const auto composite = policy(R"(
    {name: c, type: composite, composite: {max_total_spans_per_second: 10,
     policy_order: [errors, all],
     composite_sub_policy: [
       {name: all, type: always_sample},
       {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}],
     rate_allocation: [{policy: errors, percent: 50}, {policy: all, percent: 20}]}})");
  const Executor::TimePoint now{std::chrono::seconds(7)};
  const auto samples = [&](std::vector<SpanSpec> spans, Executor::TimePoint at) {
    return composite.vote({{.spans = std::move(spans)}}, at) == Vote::sampled;
  };
  const SpanSpec plain, error{.status_code = 2};
  CHECK(samples({error, error, error, error}, now));
  CHECK_FALSE(samples({error, error}, now));  // not even by what `all` has left
  CHECK(samples({error}, now));
  CHECK(samples({plain, plain}, now));
  CHECK_FALSE(samples({plain}, now));
  CHECK(samples({plain}, now + std::chrono::seconds(1)));
}

TEST_CASE("a composite without allocations shares evenly", "[tail_sampling]") {
  const auto composite = policy(R"(
    {name: c, type: composite, composite: {max_total_spans_per_second: 10, composite_sub_policy: [
       {name: one, type: always_sample}, {name: other, type: always_sample}]}})");
  CHECK(composite.samples(numbered_spans(5)));
  CHECK_FALSE(composite.samples({{}}));
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
  CHECK_THAT(mistakes("{name: p, type: ottl_condition, ottl_condition: {span: []}}"),
             Contains("at least one condition"));
  CHECK_THAT(mistakes("{name: p, type: my_extension}"), Contains("none of an extension"));
  const std::string drop =
      "{name: d, type: drop, drop: {drop_sub_policy: [{name: a, type: always_sample}]}}";
  CHECK_THAT(mistakes("{name: p, type: and, and: {and_sub_policy: [" + drop + "]}}"),
             Contains("cannot be a part"));
  const auto composite = [&](std::string_view more) {
    return mistakes(
        "{name: c, type: composite, composite: {max_total_spans_per_second: 1, "
        "composite_sub_policy: [{name: a, type: always_sample}], " +
        std::string(more) + "}}");
  };
  CHECK_THAT(composite("policy_order: [b]"), Contains("\"b\" is none of the policies"));
  CHECK_THAT(composite("policy_order: [a, a]"), Contains("twice"));
  CHECK_THAT(composite("rate_allocation: [{policy: b, percent: 1}]"),
             Contains("\"b\" is none of the policies"));
  CHECK_THAT(composite("rate_allocation: [{policy: a, percent: 101}]"), Contains("0 to 100"));
}

}  // namespace sluice::tail_sampling
