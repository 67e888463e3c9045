#include <catch2/catch.hpp>
#include <string>

#include "pipeline/sampling/threshold.h"
#include "pipeline/sampling/trace_state.h"

namespace sluice::sampling {
namespace {

std::string with_sampling(std::string_view trace_state, const SamplingState& state) {
  std::string out = "what was there";
  const std::size_t begin = out.size();
  append_with_sampling(out, trace_state, state);
  return out.substr(begin);
}

/// What is written for a span with this trace state that passed this threshold.
std::string under(std::string_view trace_state, std::uint64_t threshold) {
  auto state = read_sampling(trace_state);
  REQUIRE(state);
  state->threshold = threshold;
  return with_sampling(trace_state, *state);
}

constexpr std::uint64_t half = threshold_end / 2;

}  // namespace

TEST_CASE("a probability and its threshold say the same", "[sampling]") {
  CHECK(threshold_of(1, 4) == 0);
  CHECK(threshold_of(0, 4) == threshold_end);
  CHECK(threshold_of(0.5, 4) == half);
  CHECK(threshold_text(threshold_of(0.1, 4)) == "e666");
  CHECK(threshold_text(threshold_of(0.1, 14)).substr(0, 12) == "e66666666666");
  CHECK(threshold_text(threshold_of(1.0 / 3, 4)) == "aaab");
  // Four digits behind the zeros.
  CHECK(threshold_text(threshold_of(0.999, 4)) == "004189");
  // Or the fs, which are the zeros of what is kept.
  CHECK(threshold_text(threshold_of(0.05, 4)) == "f3333");
  CHECK(threshold_text(threshold_of(0.0001, 4)) == "fff9724");
  CHECK(threshold_of(0x1p-56, 1) == threshold_end - 1);
  CHECK(threshold_of(0x0.fp-56, 14) == threshold_end);
  CHECK(probability_of(threshold_of(0.25, 4)) == 0.25);
  CHECK(probability_of(0) == 1);
}

TEST_CASE("thresholds are written without the zeros at their end", "[sampling]") {
  CHECK(threshold_text(0) == "0");
  CHECK(threshold_text(half) == "8");
  CHECK(parse_threshold("8") == half);
  CHECK(parse_threshold("0") == 0);
  CHECK(parse_threshold("80000000000000") == half);
  CHECK(parse_threshold("FF") == parse_threshold("ff"));
  for (const char* text : {"", "g", "-1", "0x1", "800000000000000", " 8"})
    CHECK_FALSE(parse_threshold(text));
  CHECK(randomness_text(0xab) == "000000000000ab");
  CHECK(parse_randomness("000000000000ab") == 0xab);
  for (const char* text : {"ab", "000000000000abc", "000000000000ag"})
    CHECK_FALSE(parse_randomness(text));
}

TEST_CASE("the random bits of a trace id are its low 56", "[sampling]") {
  CHECK(randomness_of(std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\2\3\4\5\6\7", 16)) ==
        0x01020304050607);
}

TEST_CASE("what a trace state says of sampling is found among the rest", "[sampling]") {
  CHECK_FALSE(read_sampling("")->threshold);
  CHECK_FALSE(read_sampling("a=b , ,c=d")->randomness);
  const auto state = read_sampling("v=1,ot=x:y;th:8;rv:000000000000ab;z:");
  REQUIRE(state);
  CHECK(state->threshold == half);
  CHECK(state->randomness == 0xab);
}

TEST_CASE("a trace state with a mistake says nothing", "[sampling]") {
  for (const char* text :
       {"ot", "ot=", "ot=th", "ot=th:", "ot=th:g", "ot=th:8;", "ot=rv:1", "ot=T:1", "ot=th:8;;a:b",
        "OT=th:8", "a=b,ot=th:8,=c", "a=\x7f", "ot=a:b c", "@a=b", "a@=b", "a@1=b"})
    CHECK_FALSE(read_sampling(text));
  CHECK_FALSE(read_sampling("a=" + std::string(257, 'b')));
  std::string many;
  for (int i = 0; i < 33; ++i) many += "k" + std::to_string(i) + "=v,";
  CHECK_FALSE(read_sampling(many));
  std::string large = "a=";
  for (int i = 0; i < 5; ++i) large += std::string(250, 'b') + ",k" + std::to_string(i) + "=";
  CHECK_FALSE(read_sampling(large + "x"));
}

TEST_CASE("a threshold is written in front, and the rest stays", "[sampling]") {
  CHECK(under("", half) == "ot=th:8");
  CHECK(under("", 0) == "ot=th:0");
  CHECK(under("v=1, w=2", half) == "ot=th:8,v=1,w=2");
  CHECK(under("v=1,ot=x:y;th:4;rv:000000000000ab;z:1", half) ==
        "ot=rv:000000000000ab;th:8;x:y;z:1,v=1");
  CHECK(with_sampling("ot=th:8,v=1", {}) == "v=1");
  CHECK(with_sampling("ot=th:8", {}).empty());
}

TEST_CASE("of several members ot the last counts, and is the one that stays", "[sampling]") {
  const auto state = read_sampling("ot=rv:000000000000ab;x:1,v=1,ot=th:8;y:2");
  REQUIRE(state);
  CHECK_FALSE(state->randomness);
  CHECK(state->threshold == half);
  CHECK(under("ot=rv:000000000000ab;x:1,v=1,ot=th:8;y:2", 0) == "ot=th:0;y:2,v=1");
  CHECK_FALSE(read_sampling("ot=th:g,ot=th:8"));
}

TEST_CASE("random bits that stay the same stay as they were written", "[sampling]") {
  CHECK(under("ot=rv:ABCDEF00000000", 0) == "ot=rv:ABCDEF00000000;th:0");
  CHECK(with_sampling("ot=rv:ABCDEF00000000", {.randomness = 0xab}) == "ot=rv:000000000000ab");
}

TEST_CASE("what there is no room for is left out, from its end", "[sampling]") {
  const std::string large(250, 'b');
  CHECK(under("ot=x:1;y:" + large.substr(4) + ";z:2", half) == "ot=th:8;x:1");
  CHECK(under("ot=y:" + large.substr(6), half) == "ot=th:8;y:" + large.substr(6));
  std::string four;
  for (const char* key : {"a=", "b=", "c=", "d="})
    four += (four.empty() ? "" : ",") + (key + large);
  CHECK(under(four, half) == "ot=th:8," + four);
  CHECK(under(four + ",e=" + std::string(10, 'b'), half) == "ot=th:8," + four);
}

TEST_CASE("of more members than a trace state may have the last leaves", "[sampling]") {
  std::string many = "k0=v";
  for (int i = 1; i < 32; ++i) many += ",k" + std::to_string(i) + "=v";
  const std::string after = under(many, half);
  CHECK(read_sampling(after)->threshold == half);
  CHECK(after.ends_with(",k30=v"));
}

}  // namespace sluice::sampling
