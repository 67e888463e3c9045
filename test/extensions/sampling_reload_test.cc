#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "test/extensions/sampling_fixture.h"
#include "test/support/certificates.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

std::string limit(int traces) {
  return R"({"default_strategy": {"type": "ratelimiting", "param": )" + std::to_string(traces) +
         "}}";
}
std::string told(int traces) {
  return R"({"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":)" +
         std::to_string(traces) + "}}";
}
std::string from(const TemporaryFile& file, const std::string& interval) {
  return "source: {file: " + file.path() + ", reload_interval: " + interval + "}";
}

}  // namespace

TEST_CASE("a file that changes is read again", "[remote_sampling]") {
  const TemporaryFile file(limit(1));
  const bool jaegers = GENERATE(false, true);
  SamplingFixture fixture(jaegers ? "file: {path: " + file.path() + ", reload_interval: 10s}"
                                  : from(file, "10s"));
  fixture.start();
  CHECK(fixture.strategy("a") == told(1));
  file.write(limit(2));
  fixture.executor.advance(9s);
  CHECK(fixture.strategy("a") == told(1));
  fixture.executor.advance(1s);
  CHECK(fixture.strategy("a") == told(2));
  CHECK(fixture.loads("loaded") == 2);
  file.write(limit(3));
  fixture.executor.advance(10s);
  CHECK(fixture.strategy("a") == told(3));
}

TEST_CASE("bytes that have not changed are not read as a file again", "[remote_sampling]") {
  const TemporaryFile file(limit(1));
  SamplingFixture fixture(from(file, "1s"));
  fixture.start();
  file.write(limit(1));
  fixture.executor.advance(1min);
  CHECK(fixture.loads("loaded") == 1);
}

TEST_CASE("without an interval a file is read once", "[remote_sampling]") {
  const TemporaryFile file(limit(1));
  SamplingFixture fixture(from(file, "0"));
  fixture.start();
  CHECK(fixture.executor.timers() == 0);
}

TEST_CASE("a short interval looks at the file ten times a second", "[remote_sampling]") {
  const TemporaryFile file(limit(1));
  SamplingFixture fixture(from(file, "1ns"));
  fixture.start();
  file.write(limit(2));
  fixture.executor.advance(99ms);
  CHECK(fixture.loads("loaded") == 1);
  fixture.executor.advance(1ms);
  CHECK(fixture.loads("loaded") == 2);
}

TEST_CASE("a file that becomes bad leaves the last good one, and is counted once a change",
          "[remote_sampling]") {
  const TemporaryFile file(limit(1));
  SamplingFixture fixture(from(file, "1s"));
  fixture.start();
  file.write("{\"default_strategy\": {");
  fixture.executor.advance(5s);
  CHECK(fixture.strategy("a") == told(1));
  CHECK(fixture.loads("failed") == 1);
  file.write("{\"default_strategy\": []}");
  fixture.executor.advance(5s);
  CHECK(fixture.loads("failed") == 2);
  file.write(std::string((1 << 20) + 1, ' '));
  fixture.executor.advance(5s);
  CHECK(fixture.loads("failed") == 3);
  CHECK(fixture.strategy("a") == told(1));
  file.write(limit(4));
  fixture.executor.advance(1s);
  CHECK(fixture.strategy("a") == told(4));
  CHECK(fixture.loads("loaded") == 2);
}

TEST_CASE("a file that is gone leaves its strategies, and is read when it is back",
          "[remote_sampling]") {
  const TemporaryFile file(limit(1));
  SamplingFixture fixture(from(file, "1s"));
  fixture.start();
  std::filesystem::remove(file.path());
  fixture.executor.advance(5s);
  CHECK(fixture.strategy("a") == told(1));
  CHECK(fixture.loads("failed") == 1);
  file.write(limit(2));
  fixture.executor.advance(1s);
  CHECK(fixture.strategy("a") == told(2));
  std::filesystem::remove(file.path());
  fixture.executor.advance(5s);
  CHECK(fixture.loads("failed") == 2);
}

TEST_CASE("a file that is bad at the start is an error with its place", "[remote_sampling]") {
  const TemporaryFile file("{\n  \"default_strategy\": nul\n}");
  SamplingFixture fixture(from(file, "1s"));
  CHECK(fixture.try_start().starts_with(file.path() + ":2:"));
  const TemporaryFile large(std::string((1 << 20) + 1, ' '));
  CHECK(SamplingFixture(from(large, "1s")).try_start() ==
        large.path() + ": is larger than 1048576 bytes");
  CHECK(SamplingFixture("source: {file: /nowhere/strategies.json}").try_start() ==
        "/nowhere/strategies.json: No such file or directory");
  CHECK(SamplingFixture("source: {file: /tmp}").try_start() == "/tmp: is not a regular file");
}

TEST_CASE("a file that is too deep or has too many entries is refused", "[remote_sampling]") {
  const TemporaryFile file(std::string(1'000'000, '['));
  CHECK(SamplingFixture(from(file, "1s")).try_start() ==
        file.path() + ": is nested more than 16 deep");
  std::string many = "{}";
  for (int i = 0; i < 10'000; ++i) many += ",{}";
  file.write("{\"service_strategies\": [" + many + "]}");
  CHECK(SamplingFixture(from(file, "1s")).try_start() ==
        file.path() + ": service_strategies: has more than 10000 entries");
  file.write("{\"default_strategy\": {\"operation_strategies\": [" + many + "]}}");
  CHECK(SamplingFixture(from(file, "1s")).try_start() ==
        file.path() + ": default_strategy.operation_strategies: has more than 2000 entries");
}

TEST_CASE("a pipe in the file's place does not hold up the loop", "[remote_sampling]") {
  const TemporaryFile file(limit(1));
  SamplingFixture fixture(from(file, "1s"));
  fixture.start();
  std::filesystem::remove(file.path());
  REQUIRE(::mkfifo(file.path().c_str(), 0600) == 0);
  fixture.executor.advance(1s);
  CHECK(fixture.loads("failed") == 1);
  CHECK(fixture.strategy("a") == told(1));
}

}  // namespace sluice::test
