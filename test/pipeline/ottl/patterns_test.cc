// The short ways to a pattern's matches agree with RE2's own search.
#include <re2/re2.h>

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "pipeline/ottl/patterns.h"

namespace sluice::test {
namespace {

using ottl::Pattern;
using ottl::PlainPattern;

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t count) { return engine_() % count; }
  const std::string& one_of(const std::vector<std::string>& texts) {
    return texts[below(texts.size())];
  }
  std::string some_of(const std::vector<std::string>& texts, std::size_t most) {
    std::string text;
    for (std::size_t i = below(most + 1); i > 0; --i) text += one_of(texts);
    return text;
  }

 private:
  std::mt19937 engine_;
};

struct Found {
  bool yes = false;
  std::size_t begin = 0, size = 0;
  bool operator==(const Found&) const = default;
};

Found found(bool yes, const re2::StringPiece& piece, const std::string& text) {
  if (!yes) return {};
  return {true, static_cast<std::size_t>(piece.data() - text.data()), piece.size()};
}

TEST_CASE("a pattern's shortcut finds what RE2 finds", "[ottl]") {
  const std::vector<std::string> parts = {
      "/a/",  "a",   "b",   "ab", "0",     "[0-9]+", "[a-c]", "\\d{2}", "\\w*",  ".*",
      ".",    "b?",  "a+",  "$",  "(a|b)", "(?:x)",  "\\.",   "\\b",    "\\B",   "[a.]{1,2}",
      "[^a]", "\\s", "a|b", "^",  "[_x]",  "ä",      "\\/",   "b{0,2}", "(?i)a", "[+a-b]"};
  const std::vector<std::string> pieces = {"/a/",  "a", "b",    "ab",         "0",  "12",
                                           ".",    "x", "_",    " ",          "\n", "ä",
                                           "\xff", "A", "aaaa", "/a/aaaaaaa0"};
  Random random(7);
  int plain = 0, prefixed = 0, matches = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string expression = random.one_of(parts) + random.some_of(parts, 4);
    std::string mistake;
    const auto compiled = ottl::make_pattern(expression, mistake);
    if (!compiled) continue;
    const ottl::Shortcut shortcut(*compiled);
    plain += shortcut.plain ? 1 : 0;
    prefixed += shortcut.prefix.empty() ? 0 : 1;
    const Pattern pattern(*compiled, shortcut);
    for (int i = 0; i < 5; ++i) {
      const std::string text = random.some_of(pieces, 12);
      const std::size_t from = random.below(3);
      if (from > text.size()) continue;
      INFO("'" << expression << "' in '" << text << "' from " << from);
      std::array<re2::StringPiece, 1> expected, piece;
      const bool yes =
          compiled->Match(text, from, text.size(), re2::RE2::UNANCHORED, expected.data(), 1);
      matches += yes ? 1 : 0;
      CHECK(found(pattern.find(text, from, piece), piece[0], text) ==
            found(yes, expected[0], text));
      CHECK(pattern.find(text, from, {}) == yes);
    }
  }
  CHECK(plain > 1000);
  CHECK(prefixed > 3000);
  CHECK(matches > 10'000);
}

TEST_CASE("the patterns that configurations are full of need no RE2", "[ottl]") {
  for (const char* const expression :
       {"/products/[0-9]+", "/products/.*", "id=\\d{4,}$", "user-\\w+", "/api/v[0-9]/users", "abc",
        "a\\.b", "token=[A-Za-z0-9._]{8,64}", "GET /[a-z]*/?"}) {
    INFO(expression);
    CHECK(PlainPattern::of(expression));
  }
  for (const char* const expression :
       {"", "[0-9]+", "a.*b", "a(b)", "a|b", "^a", "a\\b", "aä", "a[^b]", "(?i)a", "a+?", "a{2",
        "ab**", "a[b-a]", "a[[:digit:]]", "a\\p{L}"}) {
    INFO(expression);
    CHECK_FALSE(PlainPattern::of(expression));
  }
}

}  // namespace
}  // namespace sluice::test
