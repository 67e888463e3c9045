#include "config/node.h"

#include <catch2/catch.hpp>

#include "test/config/problems.h"

using namespace sluice;
using namespace std::chrono_literals;
using test::Lines;

namespace {

struct Options {
  std::string text = "default";
  config::Secret secret;
  bool flag = false;
  std::int32_t i32 = 1;
  std::int64_t i64 = 2;
  std::uint32_t u32 = 3;
  std::uint64_t u64 = 4;
  double real = 5;
  std::chrono::nanoseconds duration = 6s;
  std::vector<std::string> list = {"x"};
  std::vector<std::pair<std::string, std::string>> map;
};

Options decode(const config::Node& node) {
  Options options;
  node.optional("text", options.text);
  node.optional("secret", options.secret);
  node.optional("flag", options.flag);
  node.optional("i32", options.i32);
  node.optional("i64", options.i64);
  node.optional("u32", options.u32);
  node.optional("u64", options.u64);
  node.optional("real", options.real);
  node.optional("duration", options.duration);
  node.optional("list", options.list);
  node.optional("map", options.map);
  node.no_other_keys();
  return options;
}

Lines mistakes(const std::string& text) {
  config::Problems problems;
  decode(config::parse_text(text, "test.yaml", problems));
  return test::lines(problems);
}

}  // namespace

TEST_CASE("every kind of option is read", "[config]") {
  config::Problems problems;
  const Options options = decode(config::parse_text(R"(
text: hello
secret: hunter2
flag: true
i32: -7
i64: 9000000000
u32: 0x1f
u64: 8192.0
real: 2.5
duration: 1m30s
list: [a, 2, true]
map: {b: 1, a: two}
)",
                                                    "test.yaml", problems));
  CHECK(test::lines(problems) == Lines{});
  CHECK(options.text == "hello");
  CHECK(options.secret.reveal() == "hunter2");
  CHECK(options.flag);
  CHECK(options.i32 == -7);
  CHECK(options.i64 == 9'000'000'000);
  CHECK(options.u32 == 31);
  CHECK(options.u64 == 8192);
  CHECK(options.real == 2.5);
  CHECK(options.duration == 90s);
  CHECK(options.list == std::vector<std::string>{"a", "2", "true"});
  CHECK(options.map == std::vector<std::pair<std::string, std::string>>{{"b", "1"}, {"a", "two"}});
}

TEST_CASE("an absent, an empty and a null option keep the default", "[config]") {
  for (const char* text :
       {"", "text:\ni32: ~\nflag: null\nduration:\nlist:\nmap:\nreal:\nsecret:\n"}) {
    config::Problems problems;
    const Options options = decode(config::parse_text(text, "test.yaml", problems));
    CHECK(test::lines(problems) == Lines{});
    CHECK(options.text == "default");
    CHECK(options.duration == 6s);
    CHECK(options.i32 == 1);
    CHECK(options.list == std::vector<std::string>{"x"});
  }
}

TEST_CASE("a value that does not fit says what is expected and what was found", "[config]") {
  CHECK(mistakes("text: {a: b}") == Lines{"test.yaml:1:7: text: expected text, found a map"});
  CHECK(mistakes("flag: yes") ==
        Lines{R"(test.yaml:1:7: flag: expected true or false, found "yes")"});
  CHECK(mistakes("flag: 'true'") ==
        Lines{R"(test.yaml:1:7: flag: expected true or false, found "true" as text)"});
  CHECK(mistakes("i32: 3000000000") == Lines{"test.yaml:1:6: i32: expected an integer from "
                                             "-2147483648 to 2147483647, found \"3000000000\""});
  CHECK(mistakes("i64: 1.5") == Lines{R"(test.yaml:1:6: i64: expected an integer, found "1.5")"});
  CHECK(mistakes("u32: -1") ==
        Lines{R"(test.yaml:1:6: u32: expected an integer from 0 to 4294967295, found "-1")"});
  CHECK(mistakes("u64: -1") ==
        Lines{R"(test.yaml:1:6: u64: expected an integer of at least 0, found "-1")"});
  CHECK(mistakes("u64: \"12\"") ==
        Lines{R"(test.yaml:1:6: u64: expected an integer of at least 0, found "12" as text)"});
  CHECK(mistakes("real: .inf") == Lines{R"(test.yaml:1:7: real: expected a number, found ".inf")"});
  CHECK(mistakes("duration: 5") ==
        Lines{R"(test.yaml:1:11: duration: expected a duration such as "200ms", found "5")"});
  CHECK(mistakes("list: {a: b}") == Lines{"test.yaml:1:7: list: expected a list, found a map"});
  CHECK(mistakes("list: [[a]]") == Lines{"test.yaml:1:8: list[0]: expected text, found a list"});
  CHECK(mistakes("map: [a]") == Lines{"test.yaml:1:6: map: expected a map, found a list"});
  CHECK(mistakes("map: {a: [b]}") == Lines{"test.yaml:1:10: map.a: expected text, found a list"});
  CHECK(mistakes("- a") == Lines{"test.yaml:1:1: expected a map, found a list"});
}

TEST_CASE("an option of the wrong shape in block style points at its key", "[config]") {
  CHECK(mistakes("text:\n  a: b\n") == Lines{"test.yaml:1:1: text: expected text, found a map"});
}

TEST_CASE("an unknown key is an error with the nearest known one", "[config]") {
  CHECK(mistakes("durration: 1s") ==
        Lines{R"(test.yaml:1:1: durration: unknown key; did you mean "duration"?)"});
  CHECK(mistakes("Flag: true") ==
        Lines{R"(test.yaml:1:1: Flag: unknown key; did you mean "flag"?)"});
  CHECK(mistakes("lits: [a]") ==
        Lines{R"(test.yaml:1:1: lits: unknown key; did you mean "list"?)"});
  CHECK(mistakes("something_else: 1") == Lines{"test.yaml:1:1: something_else: unknown key"});
}

TEST_CASE("all mistakes come in one run, in order of position", "[config]") {
  CHECK(mistakes("zzzz: 1\nflag: x\ni32: y\naaaa: 2\n") ==
        Lines{"test.yaml:1:1: zzzz: unknown key",
              R"(test.yaml:2:7: flag: expected true or false, found "x")",
              "test.yaml:3:6: i32: expected an integer from -2147483648 to 2147483647, found \"y\"",
              "test.yaml:4:1: aaaa: unknown key"});
}

TEST_CASE("paths name keys and places in lists", "[config]") {
  config::Problems problems;
  const config::Node root = config::parse_text(
      "processors:\n  batch/a:\n    rules:\n      - {x: 1}\n      - {y: q}\n", "f", problems);
  const config::Node rules = root.child("processors").child("batch/a").child("rules");
  REQUIRE(rules.list().size() == 2);
  bool y = false;
  rules.list()[1].optional("y", y);
  CHECK(test::lines(problems) ==
        Lines{R"(f:5:13: processors.batch/a.rules[1].y: expected true or false, found "q")"});
}

TEST_CASE("a required option that is missing is named where it should be", "[config]") {
  config::Problems problems;
  const config::Node root = config::parse_text("exporters:\n  otlp:\n    a: 1\n", "f", problems);
  std::string endpoint;
  root.child("exporters").child("otlp").required("endpoint", endpoint);
  CHECK(test::lines(problems) == Lines{"f:2:3: exporters.otlp.endpoint: required, but missing"});
}

TEST_CASE("a word outside of its set is answered with the set", "[config]") {
  config::Problems problems;
  const config::Node root =
      config::parse_text("a: item\nb: bytes\nc: [x]\nd: qqqqq\n", "f", problems);
  int word = 0;
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    root.one_of(key, word, {{"requests", 1}, {"items", 2}, {"bytes", 3}});
  }
  CHECK(word == 3);
  CHECK(
      test::lines(problems) ==
      Lines{
          R"(f:1:4: a: expected one of "requests", "items", "bytes", found "item"; did you mean "items"?)",
          R"(f:3:4: c: expected one of "requests", "items", "bytes", found a list)",
          R"(f:4:4: d: expected one of "requests", "items", "bytes", found "qqqqq")"});
}

TEST_CASE("a list of words may be one text with commas", "[config]") {
  config::Problems problems;
  std::vector<std::string> words;
  config::parse_text("words: a,b,,c", "f", problems).optional("words", words);
  CHECK(words == std::vector<std::string>{"a", "b", "", "c"});
}

TEST_CASE("handles to one place share the record of what was asked", "[config]") {
  config::Problems problems;
  const config::Node root = config::parse_text("block: {a: 1, b: 2}", "f", problems);
  std::int32_t value = 0;
  root.child("block").optional("a", value);
  root.child("block").no_other_keys();
  CHECK(test::lines(problems) == Lines{"f:1:15: block.b: unknown key"});
}

TEST_CASE("known keys include those of blocks that the file does not have", "[config]") {
  config::Problems problems;
  const config::Node root = config::parse_text("rules: [{x: 1}]\nheaders: {q: w}", "f", problems);
  bool flag = false;
  std::string text;
  root.child("retry").optional("enabled", flag);
  root.optional("name", text);
  root.child("headers").entries();
  for (const config::Node& rule : root.child("rules").list()) rule.optional("x", text);
  root.accepted_without_effect({"buffer"});
  CHECK(root.known_keys() ==
        std::vector<std::string>{"headers", "name", "retry.enabled", "rules[].x"});
}

TEST_CASE("keys accepted without effect are named once, with their path", "[config]") {
  config::Problems problems;
  const config::Node root = config::parse_text("grpc: {read_buffer_size: 1}", "f", problems);
  for (int i = 0; i < 2; ++i) {
    root.child("grpc").accepted_without_effect({"read_buffer_size", "write_buffer_size"});
    root.child("grpc").no_other_keys();
  }
  CHECK(problems.keys_without_effect() == std::vector<std::string>{"grpc.read_buffer_size"});
  CHECK(test::lines(problems) == Lines{});
}

TEST_CASE("a scalar has the type that YAML gives it", "[config]") {
  using Type = config::Node::Scalar::Type;
  config::Problems problems;
  const config::Node root =
      config::parse_text("[12, '12', 1.5, true, ~, text, [a]]", "f", problems);
  const std::vector<config::Node> items = root.list();
  CHECK(items[0].scalar()->integer == 12);
  CHECK(items[1].scalar()->type == Type::string);
  CHECK(items[2].scalar()->real == 1.5);
  CHECK(items[3].scalar()->boolean);
  CHECK(items[4].scalar()->type == Type::null);
  CHECK(items[5].scalar()->string == "text");
  CHECK_FALSE(items[6].scalar());
}

TEST_CASE("a default node is an empty map to which nobody listens", "[config]") {
  const config::Node node;
  std::string text = "kept";
  node.required("text", text);
  node.no_other_keys();
  CHECK(text == "kept");
  CHECK_FALSE(node.present());
  CHECK_FALSE(node.has_errors());
}

TEST_CASE("the report shows the line and a caret below the place", "[config]") {
  config::Problems problems;
  config::Node root = config::parse_text("a: 1\nb: {é: fast}\n", "agent.yaml", problems);
  std::chrono::nanoseconds duration{};
  root.child("b").optional("é", duration);
  root.warning("a", "unused");
  CHECK(problems.report() ==
        "warning: agent.yaml:1:4: a: unused\n"
        "  1 | a: 1\n"
        "    |    ^\n"
        "agent.yaml:2:8: b.é: expected a duration such as \"200ms\", found \"fast\"\n"
        "  2 | b: {é: fast}\n"
        "    |        ^\n");
}

TEST_CASE("no report shows a secret", "[config]") {
  config::Problems problems;
  const config::Node root = config::parse_text(
      "auth: {value: canary-1, other: 5}\npasword: canary-2\ntokens: [canary-3]\nx: canary-1\n",
      "f", problems);
  config::Secret secret;
  bool flag = false;
  root.child("auth").optional("value", secret);
  root.child("auth").unexpected("value", "a better one");
  root.child("auth").optional("other", flag);
  root.optional("password", secret);
  root.optional("tokens", secret);
  root.optional("x", flag);
  root.no_other_keys();
  CHECK(problems.list().size() == 5);
  CHECK(problems.report().find("canary-1") == std::string::npos);
  CHECK(problems.report().find("canary-2") == std::string::npos);
  CHECK(problems.report().find("canary-3") == std::string::npos);
  CHECK(problems.report().find("found \"****\"") != std::string::npos);
}

TEST_CASE("the value of a misspelt key that sounds secret is masked", "[config]") {
  config::Problems problems;
  config::parse_text("api_key_: canary\nmy_password: {x: canary}\n", "f", problems).no_other_keys();
  CHECK(problems.list().size() == 2);
  CHECK(problems.report().find("canary") == std::string::npos);
}

TEST_CASE("what stands below headers is masked", "[config]") {
  config::Problems problems;
  const config::Node root = config::parse_text(
      "headers:\n  x-team: canary\n  x-team: canary\n  x-list:\n    - [canary]\nplain: 1\n", "f",
      problems);
  std::vector<std::pair<std::string, std::string>> headers;
  root.optional("headers", headers);
  root.child("headers").child("x-list").list().at(0).error("", "wrong");
  root.no_other_keys();
  CHECK(problems.list().size() == 4);
  CHECK(problems.report().find("canary") == std::string::npos);
  CHECK(problems.report().find("  3 |   x-team: ****\n    |   ^\n") != std::string::npos);
  CHECK(problems.report().find("  6 | plain: 1\n") != std::string::npos);
}

TEST_CASE("a message is one line of bounded length, whatever the file holds", "[config]") {
  const Lines lines = mistakes("flag: \"a\\nb\\e[31m" + std::string(500, 'x') + "\"");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with(
      R"(test.yaml:1:7: flag: expected true or false, found "a\nb\x1b[31mxxx)"));
  CHECK(lines[0].size() < 200);
}

TEST_CASE("a thousand mistakes are listed and the rest counted", "[config]") {
  config::Problems problems;
  for (int i = 1000; i > 0; --i) problems.warning({"f", i, 1}, "", "w");
  CHECK_FALSE(problems.any_errors());
  problems.error({"f", 1, 1}, "", "e");
  problems.error({"f", 2, 1}, "", "e");
  CHECK(problems.list().size() == 1000);
  CHECK(problems.list().front().position.line == 1);
  CHECK(problems.error_count() == 2);
  CHECK(problems.report().ends_with("and 2 more\n"));
}

TEST_CASE("what is said twice is listed once", "[config]") {
  config::Problems problems;
  for (int i = 0; i < 2; ++i) problems.error({"f", 1, 1}, "a", "e");
  problems.error({"f", 1, 1}, "b", "e");
  CHECK(test::lines(problems) == Lines{"f:1:1: a: e", "f:1:1: b: e"});
  CHECK(problems.error_count() == 2);
}
