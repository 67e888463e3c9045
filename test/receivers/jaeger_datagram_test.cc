// What one datagram may hold. SLUICE_DATAGRAMS says how many broken ones are tried.
#include "receivers/jaeger/datagram.h"

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <string>

#include "pipeline/model/span_batch.h"
#include "test/support/jaeger_model.h"

namespace sluice::test {

namespace model = jaeger_model;

TEST_CASE("broken datagrams leave the process running", "[jaeger_receiver]") {
  const char* const wish = std::getenv("SLUICE_DATAGRAMS");
  const std::uint64_t rounds = wish != nullptr ? std::strtoull(wish, nullptr, 10) : 100'000;
  std::mt19937 random(5);
  model::Batch batch;
  batch.spans[0].tags = {model::text("http.method", "GET"), model::integer("attempt", 3)};
  batch.spans[0].logs = {{5, {model::text("event", "retry")}}};
  batch.spans[0].refs = {{1, 2, 3, true}};
  batch.spans.push_back({});
  const std::string samples[] = {model::compact_message(batch), model::binary_message(batch),
                                 model::compact_zipkin_message(), model::binary_zipkin_message()};
  std::array<std::uint64_t, jaeger_door::outcome_count> outcomes{};
  std::string bytes;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    bytes = samples[round % 4];
    for (auto changes = 1 + random() % 4; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    SpanWriter out(512);
    jaeger::Report report;
    const jaeger_door::Outcome outcome =
        round % 2 == 0 ? jaeger_door::read_datagram<thrift::CompactReader>(bytes, 1, out, report)
                       : jaeger_door::read_datagram<thrift::BinaryReader>(bytes, 1, out, report);
    ++outcomes[static_cast<std::size_t>(outcome)];
    ParseReport parsed;
    const auto made = SpanBatch::parse(std::move(out).take().freeze(), parsed);
    if (!made || made->span_count() != report.spans || parsed.spans_invalid_id != 0)
      FAIL("round " << round);
  }
  if (rounds >= 100'000) {
    CHECK(outcomes[static_cast<std::size_t>(jaeger_door::Outcome::taken)] > 0);
    CHECK(outcomes[static_cast<std::size_t>(jaeger_door::Outcome::malformed)] > 0);
    CHECK(outcomes[static_cast<std::size_t>(jaeger_door::Outcome::unknown_method)] > 0);
  }
}

}  // namespace sluice::test
