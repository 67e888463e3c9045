#include "config/yaml.h"

#include <catch2/catch.hpp>

#include "test/config/problems.h"

using namespace sluice;
using test::Lines;

namespace {

Lines mistakes(const std::string& text) {
  config::Problems problems;
  config::parse_text(text, "t", problems);
  return test::lines(problems);
}

std::string text_of(const std::string& yaml, std::initializer_list<std::string_view> path) {
  config::Problems problems;
  config::Node node = config::parse_text(yaml, "t", problems);
  for (const std::string_view key : path) node = node.child(key);
  CHECK(test::lines(problems) == Lines{});
  return node.as_string();
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("a duplicate key is an error with both places, and the first value stays",
          "[config][yaml]") {
  config::Problems problems;
  const config::Node root =
      config::parse_text("a:\n  b: [{c: 1, d: 2, c: 3}]\na: 4\n", "t", problems);
  CHECK(test::lines(problems) == Lines{"t:2:20: a.b[0].c: duplicate key; the first is at 2:8",
                                       "t:3:1: a: duplicate key; the first is at 1:1"});
  CHECK(root.child("a").child("b").list()[0].child("c").as_string() == "1");
}

TEST_CASE("merge keys add what is not written out", "[config][yaml]") {
  const std::string yaml =
      "one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\n"
      "m: {<<: *one, a: own}\nl: {<<: [*one, *two], d: own}\nq: {\"<<\": plain}\n";
  CHECK(text_of(yaml, {"m", "a"}) == "own");
  CHECK(text_of(yaml, {"m", "b"}) == "1");
  CHECK(text_of(yaml, {"l", "b"}) == "1");
  CHECK(text_of(yaml, {"l", "c"}) == "2");
  CHECK(text_of(yaml, {"l", "d"}) == "own");
  CHECK(text_of(yaml, {"q", "<<"}) == "plain");
}

TEST_CASE("a merge key over something else is an error", "[config][yaml]") {
  CHECK(mistakes("a: {<<: 5}") == Lines{R"(t:1:5: "<<" takes a map or a list of maps)"});
  CHECK(mistakes("a: {<<: [b]}") == Lines{R"(t:1:5: "<<" takes a map or a list of maps)"});
}

TEST_CASE("aliases stand for their values, with their positions", "[config][yaml]") {
  CHECK(text_of("a: &x {k: v}\nb: *x\n", {"b", "k"}) == "v");
  CHECK(mistakes("a: &x [*x]") == Lines{"t:1:8: an alias inside the value that it stands for"});
  CHECK(mistakes("a: *x").size() == 1);
}

TEST_CASE("a bomb of aliases is refused where it passes the limit", "[config][yaml]") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" +
            repeated(alias + ", ", 9) + alias + "]\n";
  }
  CHECK(mistakes(bomb) == Lines{"t:4:45: more than 10,000 values, aliases counted in full"});
}

TEST_CASE("limits are refused with a line", "[config][yaml]") {
  CHECK(mistakes(repeated("[", 65) + repeated("]", 65)) == Lines{"t:1:65: nested deeper than 64"});
  CHECK(mistakes("a: &a " + repeated("[", 40) + repeated("]", 40) + "\nb: " + repeated("[", 40) +
                 "*a" + repeated("]", 40)) == Lines{"t:2:44: nested deeper than 64"});
  CHECK(mistakes(repeated("- a\n", 10'001)) ==
        Lines{"t:10000:3: more than 10,000 values, aliases counted in full"});
  CHECK(mistakes(repeated("# comment\n", 105'000)) == Lines{"t:1:1: larger than 1 MiB"});
  CHECK(mistakes("a: b\nc: " + std::string(70'000, 'x')) ==
        Lines{"t:2:65538: a line of more than 64 KiB"});
  CHECK(mistakes(repeated("[[[[[[[[[[\n", 20'000)) ==
        Lines{"t:10001:1: too much structure for a configuration"});
}

TEST_CASE("a list of maximal depth is taken", "[config][yaml]") {
  CHECK(mistakes(repeated("[", 64) + repeated("]", 64)) == Lines{});
}

TEST_CASE("tags that change meaning are refused, those of the core are applied", "[config][yaml]") {
  CHECK(mistakes("a: !exec rm").at(0).starts_with("t:1:4: the tag \"!exec\""));
  CHECK(mistakes("a: !thing {b: c}").at(0).starts_with("t:1:4: the tag \"!thing\""));
  CHECK(mistakes("a: !!binary aGk=").size() == 1);
  using Type = config::Node::Scalar::Type;
  config::Problems problems;
  const config::Node root =
      config::parse_text("a: !!str 12\nb: !!int '12'\nc: !!map {}\n", "t", problems);
  CHECK(root.child("a").scalar()->type == Type::string);
  CHECK(root.child("b").scalar()->type == Type::integer);
  CHECK(test::lines(problems) == Lines{});
}

TEST_CASE("what is no YAML is refused at its place", "[config][yaml]") {
  CHECK(mistakes("a: [1, 2\nb: c\n").at(0).starts_with("t:"));
  CHECK(mistakes("a: b: c\n") == Lines{"t:1:5: not valid YAML: illegal map value"});
  CHECK(mistakes("a: \"x\nb: 1\n") == Lines{"t:1:4: this quote is never closed"});
  CHECK(mistakes("a: 'it''s\n") == Lines{"t:1:4: this quote is never closed"});
  CHECK(mistakes("a: 1\n---\nb: 2\n") == Lines{"t:2:1: a second document; a configuration is one"});
  CHECK(mistakes("? [a]\n: b\n") ==
        Lines{"t:1:3: expected a key, found a list; is a bracket left open?"});
  CHECK(mistakes("{a: 1, : 2}").size() == 1);
  CHECK(mistakes("a: \xff\n") == Lines{"t:1:4: not UTF-8"});
  CHECK(mistakes(std::string("a: \0b", 5)) == Lines{"t:1:4: a control character"});
  CHECK(mistakes("\xff\xfe"
                 "a") == Lines{"t:1:1: not UTF-8"});
}

TEST_CASE("overlong forms, surrogates and values beyond Unicode are not UTF-8", "[config][yaml]") {
  for (const char* bytes : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                            "\xf4\x90\x80\x80", "\xe2\x82"}) {
    CHECK(mistakes("a: " + std::string(bytes)) == Lines{"t:1:4: not UTF-8"});
  }
  CHECK(text_of("a: \xf0\x9f\x98\x80 €", {"a"}) == "😀 €");
}

TEST_CASE("columns count characters", "[config][yaml]") {
  config::Problems problems;
  const config::Node root = config::parse_text("é: {ü: x}\n", "t", problems);
  CHECK(root.child("é").child("ü").position().column == 8);
}

TEST_CASE("a byte order mark, carriage returns and an empty file are taken", "[config][yaml]") {
  CHECK(text_of("\xef\xbb\xbf"
                "a: b\r\nc: d\r\n",
                {"c"}) == "d");
  config::Problems problems;
  CHECK(config::parse_text("# nothing\n", "t", problems).kind() == config::Node::Kind::null);
  CHECK(test::lines(problems) == Lines{});
}

TEST_CASE("quotes, escapes and blocks give their text", "[config][yaml]") {
  CHECK(text_of("a: 'it''s'", {"a"}) == "it's");
  CHECK(text_of(R"(a: "x\ty\u00e9\"")", {"a"}) == "x\ty\u00e9\"");
  CHECK(text_of("a: |\n  one\n  two\n", {"a"}) == "one\ntwo\n");
  CHECK(text_of("a: >-\n  one\n  two\n", {"a"}) == "one two");
}
