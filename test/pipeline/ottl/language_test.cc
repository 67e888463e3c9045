#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "pipeline/codec/otlp_json.h"
#include "test/pipeline/ottl/reading.h"
#include "test/support/otlp_builder.h"

namespace sluice::test {
namespace {

std::string file_text(const std::string& name) {
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/test/pipeline/ottl/" + name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

SpanBatch fixture() {
  BufferWriter request;
  JsonReport report;
  REQUIRE(otlp_json_to_proto(file_text("fixture.json"), request, report));
  return parse_batch(request.bytes());
}

struct Case {
  std::string input, result;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/test/pipeline/ottl/cases.txt");
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find("  =>  ");
    if (line.starts_with('#') || at == std::string::npos) continue;
    all.push_back({line.substr(0, at), line.substr(at + 6)});
  }
  return all;
}

TEST_CASE("expressions and statements give what the collector's own give", "[ottl]") {
  const SpanBatch batch = fixture();
  const std::vector<Case> all = cases();
  CHECK(all.size() >= 400);
  for (const Case& each : all) {
    std::string why;
    INFO(each.input);
    const std::string result = outcome(each.input, batch, why);
    INFO(why);
    // What fails on every span is said when it is compiled.
    if (each.result == "error" && result == "invalid") continue;
    CHECK(result == each.result);
  }
}

}  // namespace
}  // namespace sluice::test
