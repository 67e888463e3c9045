#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "pipeline/ottl/grok_patterns.h"
#include "pipeline/ottl/ottl.h"

namespace sluice::test {
namespace {

std::string mistake_of(const std::string& arguments) {
  std::vector<ottl::Mistake> mistakes;
  ottl::compile_value("ExtractGrokPatterns(\"x\", " + arguments + ")", ottl::Context::span,
                      ottl::PathStyle::short_form, mistakes);
  return mistakes.empty() ? "" : mistakes.front().message;
}

TEST_CASE("every grok pattern that has a name is a regular expression", "[ottl]") {
  std::set<std::string> names;
  for (const std::string& name : ottl::grok_pattern_names()) {
    INFO(name);
    CHECK(names.insert(name).second);
    CHECK(mistake_of("\"%{" + name + ":field}\", true") == "");
    CHECK(mistake_of("\"%{" + name + "}\"") == "");
  }
}

TEST_CASE("a grok pattern that cannot be written out is a mistake", "[ottl]") {
  CHECK(mistake_of(R"("%{NONE:a}", true)") == R"(there is no grok pattern "NONE")");
  CHECK(mistake_of(R"("%{HOSTNAM:a}", true)") ==
        R"(there is no grok pattern "HOSTNAM"; did you mean "HOSTNAME"?)");
  CHECK(mistake_of(R"("%{ORDRE:a}", true, ["ORDER=[A-Z]\\d+"])") ==
        R"(there is no grok pattern "ORDRE"; did you mean "ORDER"?)");
  CHECK(mistake_of(R"("%{A:a}", true, ["A=%{B}", "B=%{A}"])") ==
        R"(grok patterns lie deeper in one another than 100, such as "A")");
  CHECK(
      mistake_of(
          R"("%{A}", false, ["A=%{B}%{B}%{B}%{B}%{B}%{B}%{B}%{B}", "B=%{C}%{C}%{C}%{C}%{C}%{C}%{C}%{C}",
                   "C=%{D}%{D}%{D}%{D}%{D}%{D}%{D}%{D}", "D=%{A}"])") ==
      "grok patterns lie deeper in one another than 100, such as \"A\"");
  CHECK(
      mistake_of(
          R"("%{A}", false, ["A=%{B}%{B}%{B}%{B}%{B}%{B}%{B}%{B}", "B=%{C}%{C}%{C}%{C}%{C}%{C}%{C}%{C}",
                   "C=%{D}%{D}%{D}%{D}%{D}%{D}%{D}%{D}", "D=%{E}%{E}%{E}%{E}%{E}%{E}%{E}%{E}", "E=x"])") ==
      "the pattern is longer than 65,536 bytes when it is written out");
  CHECK(mistake_of(R"("%{WORD:a+b}", true)") == "a field cannot have a + in its name: a+b");
  CHECK(mistake_of(R"("%{WORD}", true)") ==
        "the pattern needs a named group, such as %{WORD:name}");
}

}  // namespace
}  // namespace sluice::test
