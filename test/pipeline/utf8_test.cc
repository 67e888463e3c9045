#include "pipeline/utf8.h"

#include <catch2/catch.hpp>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"

namespace sluice {
namespace {

using namespace sluice::test;

constexpr const char* bad = "ok\xFFok";
constexpr const char* good = "ok\xEF\xBF\xBDok";

TEST_CASE("each maximal invalid sequence becomes one replacement character", "[utf8]") {
  // Unicode 15, table 3-8 and the paragraphs around it; R stands for U+FFFD.
  const auto [text, expected] = GENERATE(
      table<std::string, std::string>({{"plain", "plain"},
                                       {"gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},
                                       {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
                                       {"a\x80", "aR"},
                                       {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", "RRRRRRRR\x41"},
                                       {"\xED\xA0\x80", "RRR"},
                                       {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", "RRRRR\x41RR\x42"},
                                       {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "RRRR\x41"},
                                       {"\xE2\x82", "R"},
                                       {"\xF5\x80", "RR"}}));
  std::string with_replacements;
  for (const char letter : expected) {
    if (letter == 'R')
      with_replacements += "\xEF\xBF\xBD";
    else
      with_replacements += letter;
  }
  CHECK(repair_utf8(text) == with_replacements);
  CHECK(valid_utf8(text) == (text == with_replacements));
  CHECK(valid_utf8(repair_utf8(text)));
  // Long texts take another way.
  const std::string padding(100, 'p');
  CHECK(valid_utf8(padding + text) == valid_utf8(text));
}

TEST_CASE("every string of a batch is repaired and counted, nothing else is touched", "[utf8]") {
  const SpanBatch batch = make_batch(
      {{.service = "fine", .spans = {{.name = "fine"}}},
       {.service = bad,
        .schema_url = bad,
        .scopes = {{.name = bad,
                    .version = bad,
                    .attributes = {{bad, 1}},
                    .schema_url = bad,
                    .spans = {{.name = bad,
                               .trace_state = bad,
                               .attributes = {{bad, bad},
                                              {"list", Array{bad, KvList{{bad, bad}}}},
                                              {"bytes", Bytes{bad}}},
                               .events = {{.name = bad, .attributes = {{"k", bad}}}},
                               .links = {{.trace_state = bad, .attributes = {{"k", bad}}}},
                               .status_message = bad}}}}}});
  const RepairedBatch repaired = repair_utf8(batch);
  CHECK(repaired.strings == 5 + 1 + 13 - 1);
  const SpanBatch& after = repaired.batch;
  CHECK(after.span_bytes(0) == batch.span_bytes(0));
  const SpanView span(after.span_bytes(1));
  CHECK(span.name() == good);
  CHECK(span.trace_state() == good);
  CHECK(span.status_message() == good);
  CHECK(span.attribute(good)->value().string() == good);
  CHECK(span.attribute("bytes")->value().string() == bad);
  CHECK(span.attribute("list")->value_message.find(bad) == std::string_view::npos);
  CHECK(ScopeView(after.scope_bytes(after.spans()[1])).name == good);
  CHECK(ResourceView(after.resource_bytes(after.spans()[1]))
            .attribute("service.name")
            ->value()
            .string() == good);
  const std::string request = after.encode().to_string();
  CHECK(repair_utf8(parse_batch(request)).strings == 0);
  CHECK(request.find(length_field(3, good)) != std::string::npos);
}

TEST_CASE("a batch in which all strings are valid comes back as it was", "[utf8]") {
  const SpanBatch batch =
      make_batch({{.service = "gr\xC3\xBC\xC3\x9F", .spans = numbered_spans(3)}});
  const RepairedBatch repaired = repair_utf8(batch);
  CHECK(repaired.strings == 0);
  CHECK(repaired.batch.spans().data() == batch.spans().data());
}

TEST_CASE("values nested deeper than the limit are left alone", "[utf8]") {
  Value value(bad);
  for (int i = 0; i < 150; ++i) value = Array{value};
  CHECK(repair_utf8(make_batch({{.spans = {{.attributes = {{"deep", value}, {"k", bad}}}}}}))
            .strings == 1);
}

}  // namespace
}  // namespace sluice
