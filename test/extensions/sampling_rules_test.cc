// What Jaeger's file means for a service: a test for each rule, asked over HTTP.
#include <string>
#include <vector>

#include "test/extensions/sampling_fixture.h"

namespace sluice::test {
namespace {

using Lines = std::vector<std::string>;

/// YAML with `json` for the strategies.
std::string contents(const std::string& json) { return "source: {contents: '" + json + "'}\n"; }

/// What `service` is told by these strategies.
std::string told(const std::string& json, const std::string& service) {
  SamplingFixture fixture(contents(json));
  fixture.start();
  return fixture.strategy(service);
}

std::string probabilistic(const std::string& rate) {
  return R"({"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":)" + rate + "}";
}
std::string rate_limiting(const std::string& traces) {
  return R"({"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":)" +
         traces + "}";
}
std::string operation(const std::string& name, const std::string& rate) {
  return R"({"operation":")" + name + R"(","probabilisticSampling":{"samplingRate":)" + rate + "}}";
}
std::string operations(const std::string& probability, const std::string& list) {
  return R"(,"operationSampling":{"defaultSamplingProbability":)" + probability +
         R"(,"defaultLowerBoundTracesPerSecond":0.0,"perOperationStrategies":[)" + list +
         R"(],"defaultUpperBoundTracesPerSecond":0.0}})";
}

const std::string both = R"({
  "default_strategy": {"type": "probabilistic", "param": 0.5, "operation_strategies": [
    {"operation": "/health", "type": "probabilistic", "param": 0},
    {"operation": "pay", "type": "probabilistic", "param": 0.75}]},
  "service_strategies": [
    {"service": "own", "type": "probabilistic", "param": 0.8, "operation_strategies": [
      {"operation": "pay", "type": "probabilistic", "param": 0.2}]},
    {"service": "plain", "type": "probabilistic", "param": 0.25},
    {"service": "limited", "type": "ratelimiting", "param": 5},
    {"service": "limited_own", "type": "ratelimiting", "param": 5, "operation_strategies": [
      {"operation": "pay", "type": "probabilistic", "param": 0.2}]}]})";

}  // namespace

TEST_CASE("a service has its own strategy", "[remote_sampling]") {
  const std::string json =
      R"({"service_strategies": [{"service": "a", "type": "probabilistic", "param": 0.8},
                                 {"service": "b", "type": "ratelimiting", "param": 5}]})";
  CHECK(told(json, "a") == probabilistic("0.8") + '}');
  CHECK(told(json, "b") == rate_limiting("5") + '}');
}

TEST_CASE("a service that is not listed has the default strategy", "[remote_sampling]") {
  CHECK(told(R"({"default_strategy": {"type": "ratelimiting", "param": 7}})", "any") ==
        rate_limiting("7") + '}');
  CHECK(told(both, "any") ==
        probabilistic("0.5") +
            operations("0.5", operation("/health", "0.0") + ',' + operation("pay", "0.75")));
}

TEST_CASE("without a default strategy one trace in a thousand is sampled", "[remote_sampling]") {
  CHECK(told("{}", "any") == probabilistic("0.001") + '}');
  CHECK(told("null", "any") == probabilistic("0.001") + '}');
  CHECK(told(R"({"default_strategy": null, "service_strategies": null})", "any") ==
        probabilistic("0.001") + '}');
}

TEST_CASE("a service without operations inherits those of the default, with its own probability",
          "[remote_sampling]") {
  CHECK(told(both, "plain") ==
        probabilistic("0.25") +
            operations("0.25", operation("/health", "0.0") + ',' + operation("pay", "0.75")));
}

TEST_CASE("a rate-limited service inherits operations with the default's probability",
          "[remote_sampling]") {
  CHECK(told(both, "limited") ==
        rate_limiting("5") +
            operations("0.5", operation("/health", "0.0") + ',' + operation("pay", "0.75")));
}

TEST_CASE("a service's own operations win over those of the default", "[remote_sampling]") {
  CHECK(told(both, "own") ==
        probabilistic("0.8") +
            operations("0.8", operation("pay", "0.2") + ',' + operation("/health", "0.0")));
}

TEST_CASE("a rate-limited service with operations has the default probability for the others",
          "[remote_sampling]") {
  CHECK(told(both, "limited_own") ==
        rate_limiting("5") +
            operations("0.001", operation("pay", "0.2") + ',' + operation("/health", "0.0")));
}

TEST_CASE("operations of a service need none in the default strategy", "[remote_sampling]") {
  const std::string json = R"({"service_strategies": [{"service": "a", "type": "probabilistic",
    "param": 0.8, "operation_strategies": [
      {"operation": "op1", "type": "probabilistic", "param": 0.2}]}]})";
  CHECK(told(json, "a") == probabilistic("0.8") + operations("0.8", operation("op1", "0.2")));
}

TEST_CASE("a rate-limited operation is left out, and so the default's entry applies",
          "[remote_sampling]") {
  SamplingFixture fixture(contents(R"({
    "default_strategy": {"type": "probabilistic", "param": 0.5, "operation_strategies": [
      {"operation": "pay", "type": "probabilistic", "param": 1}]},
    "service_strategies": [{"service": "a", "type": "probabilistic", "param": 0.8,
      "operation_strategies": [{"operation": "pay", "type": "ratelimiting", "param": 3}]}]})"));
  REQUIRE(fixture.mistakes().size() == 1);
  CHECK(fixture.mistakes()[0].ends_with(
      "source.contents: contents: service_strategies[0].operation_strategies[0]: an operation can "
      "be sampled by probability alone; this one is left out"));
  fixture.problems = {};
  fixture.start();
  CHECK(fixture.strategy("a") == probabilistic("0.8") + operations("0.8", operation("pay", "1.0")));
}

TEST_CASE("a service whose operations are all left out has an empty list of them",
          "[remote_sampling]") {
  SamplingFixture fixture(contents(R"({"service_strategies": [{"service": "a",
    "type": "ratelimiting", "param": 2, "operation_strategies": [
      {"operation": "pay", "type": "ratelimiting", "param": 3}]}]})"));
  fixture.problems = {};
  fixture.start();
  CHECK(fixture.strategy("a") == rate_limiting("2") + operations("0.001", ""));
}

TEST_CASE("an unknown or missing type means the default probability", "[remote_sampling]") {
  SamplingFixture fixture(contents(R"({
    "default_strategy": {"type": "adaptive", "param": 0.5},
    "service_strategies": [{"service": "a", "param": 0.5, "operation_strategies": [
      {"operation": "pay", "type": "const", "param": 1}]}]})"));
  CHECK(fixture.mistakes().size() == 3);
  CHECK(fixture.mistakes()[0].ends_with(
      "contents: default_strategy: the type \"adaptive\" is neither \"probabilistic\" nor "
      "\"ratelimiting\"; the default probability is taken"));
  fixture.problems = {};
  fixture.start();
  CHECK(fixture.strategy("any") == probabilistic("0.001") + '}');
  CHECK(fixture.strategy("a") ==
        probabilistic("0.001") + operations("0.001", operation("pay", "0.001")));
}

TEST_CASE("Jaeger's own block sets the default probability", "[remote_sampling]") {
  SamplingFixture fixture("file: {default_sampling_probability: 1}");
  fixture.start();
  CHECK(fixture.strategy("any") == probabilistic("1.0") + '}');
}

TEST_CASE("params out of range are brought into it, and said", "[remote_sampling]") {
  SamplingFixture fixture(contents(R"({"service_strategies": [
    {"service": "a", "type": "probabilistic", "param": 100},
    {"service": "b", "type": "probabilistic", "param": -1},
    {"service": "c", "type": "ratelimiting", "param": 4294967296},
    {"service": "d", "type": "ratelimiting", "param": -2},
    {"service": "e", "type": "ratelimiting", "param": 2.9}]})"));
  REQUIRE(fixture.mistakes().size() == 4);
  CHECK(fixture.mistakes()[0].ends_with(
      "service_strategies[0].param: a probability lies between 0 and 1"));
  CHECK(
      fixture.mistakes()[2].ends_with("service_strategies[2].param: no number of traces a second"));
  fixture.problems = {};
  fixture.start();
  CHECK(fixture.strategy("a") == probabilistic("1.0") + '}');
  CHECK(fixture.strategy("b") == probabilistic("0.0") + '}');
  CHECK(fixture.strategy("c") == rate_limiting("2147483647") + '}');
  CHECK(fixture.strategy("d") == rate_limiting("0") + '}');
  CHECK(fixture.strategy("e") == rate_limiting("2") + '}');
}

TEST_CASE("of two strategies for one service the later one counts", "[remote_sampling]") {
  CHECK(told(R"({"service_strategies": [{"service": "a", "type": "probabilistic", "param": 0.1},
                                        {"service": "a", "type": "probabilistic", "param": 0.2}]})",
             "a") == probabilistic("0.2") + '}');
}

TEST_CASE("a misspelled key of the strategies is a warning with the nearest one",
          "[remote_sampling]") {
  SamplingFixture fixture(contents(R"({"service_strategys": []})"));
  REQUIRE(fixture.mistakes().size() == 1);
  CHECK(fixture.mistakes()[0].ends_with(
      "contents: the key \"service_strategys\" means nothing here; did you mean "
      "\"service_strategies\"?"));
  CHECK_FALSE(fixture.problems.any_errors());
}

TEST_CASE("bad strategies are named with their place", "[remote_sampling]") {
  const auto mistake = [](const std::string& json) {
    SamplingFixture fixture(contents(json));
    REQUIRE(fixture.mistakes().size() == 1);
    const std::string line = fixture.mistakes()[0];
    return line.substr(line.find("contents: ") + 10);
  };
  CHECK(mistake("[]") == "contents: expected an object, found array");
  CHECK(mistake(R"({"default_strategy": 5})") ==
        "contents: default_strategy: expected an object, found number");
  CHECK(mistake(R"({"service_strategies": {}})") ==
        "contents: service_strategies: expected a list, found object");
  CHECK(mistake(R"({"service_strategies": [null]})") ==
        "contents: service_strategies[0]: expected an object, found null");
  CHECK(mistake(R"({"service_strategies": [{"service": 5, "type": "probabilistic"}]})") ==
        "contents: service_strategies[0].service: expected text, found number");
  CHECK(
      mistake(R"({"default_strategy": {"type": "probabilistic", "operation_strategies": [7]}})") ==
      "contents: default_strategy.operation_strategies[0]: expected an object, found number");
  CHECK(mistake(R"({"default_strategy": {"type": "probabilistic", "param": "0.5"}})") ==
        "contents: default_strategy.param: expected a number, found string");
  CHECK(mistake("{\"a\": \"gr\xc3\xb6\xc3\x9f\" x}").starts_with("contents:1:14: "));
  CHECK(mistake("").starts_with("contents:1:1: "));
  CHECK(mistake("{\"default_strategy\":").starts_with("contents:1:21: "));
  CHECK(mistake("{\"a\": 1e999}").starts_with("contents: number overflow"));
}

}  // namespace sluice::test
