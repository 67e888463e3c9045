#include "config/scalar.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace sluice;
using namespace std::chrono_literals;
using config::parse_duration;
using config::resolve_plain;
using Type = config::Node::Scalar::Type;

TEST_CASE("plain scalars have the types of Go's YAML", "[config]") {
  CHECK(resolve_plain("").type == Type::null);
  CHECK(resolve_plain("~").type == Type::null);
  CHECK(resolve_plain("Null").type == Type::null);
  CHECK(resolve_plain("True").boolean);
  CHECK(resolve_plain("false").type == Type::boolean);
  for (const char* word :
       {"yes", "no", "on",  "off", "y",   "nULL",     "tRUE",  "-",  "+",   ".",   "1.2.3",
        "1e",  "0x", "0xg", "inf", "nan", "infinity", "12:30", "e5", "--1", "+-1", "1 2"}) {
    INFO(word);
    CHECK(resolve_plain(word).type == Type::string);
  }
}

TEST_CASE("integers are read in four bases, with underscores", "[config]") {
  CHECK(resolve_plain("0").integer == 0);
  CHECK(resolve_plain("-12").integer == -12);
  CHECK(resolve_plain("+12").integer == 12);
  CHECK(resolve_plain("0x1F").integer == 31);
  CHECK(resolve_plain("0o17").integer == 15);
  CHECK(resolve_plain("017").integer == 15);
  CHECK(resolve_plain("0b101").integer == 5);
  CHECK(resolve_plain("1_000_000").integer == 1'000'000);
  CHECK(resolve_plain("9223372036854775807").integer == std::numeric_limits<std::int64_t>::max());
  CHECK(resolve_plain("-9223372036854775808").integer == std::numeric_limits<std::int64_t>::min());
  CHECK(resolve_plain("9223372036854775808").type == Type::real);
  CHECK(resolve_plain("08").real == 8);
}

TEST_CASE("reals have a dot, an exponent or a name", "[config]") {
  CHECK(resolve_plain("1.5").real == 1.5);
  CHECK(resolve_plain(".5").real == 0.5);
  CHECK(resolve_plain("5.").real == 5);
  CHECK(resolve_plain("-1e3").real == -1000);
  CHECK(resolve_plain("1E-2").real == 0.01);
  CHECK(std::isinf(resolve_plain(".inf").real));
  CHECK(resolve_plain("-.Inf").real < 0);
  CHECK(std::isnan(resolve_plain(".nan").real));
}

TEST_CASE("durations take Go's syntax and nothing else", "[config]") {
  CHECK(parse_duration("200ms") == 200ms);
  CHECK(parse_duration("1h30m") == 90min);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration(".5s") == 500ms);
  CHECK(parse_duration("-3us") == -3us);
  CHECK(parse_duration("+3µs") == 3us);
  CHECK(parse_duration("3μs") == 3us);
  CHECK(parse_duration("7ns") == 7ns);
  CHECK(parse_duration("0") == 0s);
  CHECK(parse_duration("0.1s") == 100ms);
  CHECK(parse_duration("2562047h47m16.854775807s") == std::chrono::nanoseconds::max());
  for (const char* text : {"", "5", "1d", "1 s", "s", ".s", "1s2", "-", "--1s", "1e3s", "fast",
                           "2562048h", "99999999999999999999s", "2562047h47m16.854775808s"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
}
