#include "pipeline/log.h"

#include <catch2/catch.hpp>

namespace sluice::log {
namespace {

using namespace std::chrono_literals;

TEST_CASE("an event is one line whatever its text holds", "[log]") {
  CHECK(format(Encoding::console, Level::warn, "a\nb\x1b[2J", {{"path", "x\ry"}, {"size", "3"}}) ==
        "warn\ta\\nb\\x1b[2J\tpath=x\\x0dy size=3");
  CHECK(format(Encoding::console, Level::info, "bytes \xff and \xc2\x9b", {}) ==
        "info\tbytes \\xff and \\xc2\\x9b");
  CHECK(format(Encoding::console, Level::info, "café", {{"text", "two words"}}) ==
        "info\tcafé\ttext=\"two words\"");
}

TEST_CASE("a JSON line holds valid strings whatever came in", "[log]") {
  CHECK(format(Encoding::json, Level::error, "say \"no\"\n",
               {{"path", "C:\\x"}, {"bad", "\xff\x01"}}) ==
        "\"level\":\"error\",\"msg\":\"say "
        "\\\"no\\\"\\n\",\"path\":\"C:\\\\x\",\"bad\":\"\\u00ff\\u0001\"");
}

TEST_CASE("a long text is cut", "[log]") {
  const std::string line = format(Encoding::console, Level::info, std::string(100'000, 'a'), {});
  CHECK(line.size() < 3000);
  CHECK(line.ends_with("a…"));
}

TEST_CASE("a repeated condition is said once a minute, with the number left out", "[log]") {
  Limiter limiter;
  const Limiter::TimePoint start{1h};
  CHECK(limiter.admit("full", start) == 0);
  CHECK(limiter.admit("full", start + 1s) == std::nullopt);
  CHECK(limiter.admit("full", start + 59s) == std::nullopt);
  CHECK(limiter.admit("other", start + 59s) == 0);
  CHECK(limiter.admit("full", start + 60s) == 2);
  CHECK(limiter.admit("full", start + 121s) == 0);
}

TEST_CASE("texts without end share one entry", "[log]") {
  Limiter limiter;
  const Limiter::TimePoint start{1h};
  for (std::size_t i = 0; i < Limiter::texts_max; ++i) {
    REQUIRE(limiter.admit(std::to_string(i), start) == 0);
  }
  CHECK(limiter.admit("one more", start) == 0);
  CHECK(limiter.admit("and another", start) == std::nullopt);
}

}  // namespace
}  // namespace sluice::log
