// SpanBatch against libprotobuf: random requests with everything that the wire format allows,
// changed in random ways, while a plain list of messages is changed in the same ways.

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "pipeline/model/span_batch.h"
#include "test/support/otlp_builder.h"
#include "test/support/otlp_oracle.h"
#include "test/support/random_otlp.h"

namespace sluice {
namespace {

using namespace sluice::test;

struct Twin {
  SpanBatch batch;
  std::vector<OracleSpan> list;
};

/// What the batch says, what it encodes to, and what a door makes of that again.
void check_agrees(const Twin& twin) {
  REQUIRE(twin.batch.span_count() == twin.list.size());
  REQUIRE(oracle_spans(twin.batch) == twin.list);
  for (const SpanEntry& entry : twin.batch.spans())
    REQUIRE(view_differences(twin.batch.view(entry)) == "");
  const EncodedBatch encoded = twin.batch.encode();
  const std::string request = encoded.to_string();
  REQUIRE(request.size() == encoded.size);
  REQUIRE(twin.batch.encoded_size() == encoded.size);
  REQUIRE(oracle_spans(request, false) == twin.list);
  ParseReport report;
  const auto again = SpanBatch::parse(Buffer::copy_of(request), report);
  REQUIRE(again);
  REQUIRE(oracle_spans(*again) == twin.list);
}

Twin parse(const std::string& request) {
  ParseReport report;
  auto batch = SpanBatch::parse(Buffer::copy_of(request), report);
  REQUIRE(report.error == "");
  REQUIRE(batch);
  return {*std::move(batch), oracle_spans(request, true)};
}

Twin slice(const Twin& twin, RandomOtlp& random) {
  const auto first = static_cast<std::uint32_t>(random.below(twin.list.size() + 1));
  const auto count = static_cast<std::uint32_t>(random.below(twin.list.size() - first + 1));
  const auto begin = twin.list.begin() + first;
  return {twin.batch.slice(first, count), {begin, begin + count}};
}

Twin select(const Twin& twin, RandomOtlp& random) {
  std::vector<std::uint32_t> chosen;
  std::vector<OracleSpan> list;
  const auto percent = static_cast<unsigned>(random.below(101));
  for (std::uint32_t i = 0; i < twin.list.size(); ++i) {
    if (!random.chance(percent)) continue;
    chosen.push_back(i);
    list.push_back(twin.list[i]);
  }
  return {twin.batch.select(chosen), std::move(list)};
}

Twin concat(const std::vector<Twin>& twins) {
  std::vector<SpanBatch> batches;
  std::vector<OracleSpan> list;
  for (const Twin& twin : twins) {
    batches.push_back(twin.batch);
    list.insert(list.end(), twin.list.begin(), twin.list.end());
  }
  SpanBatch at_once = SpanBatch::concat(batches);
  BatchMerger merger;
  for (SpanBatch& batch : batches) merger.add(std::move(batch));
  CHECK(merger.span_count() == at_once.span_count());
  CHECK(merger.finish().encode().to_string() == at_once.encode().to_string());
  return {std::move(at_once), std::move(list)};
}

Twin edit_spans(const Twin& twin, RandomOtlp& random) {
  BatchEditor editor(twin.batch);
  std::vector<OracleSpan> list;
  const auto percent = static_cast<unsigned>(random.below(101));
  for (std::uint32_t i = 0; i < twin.list.size(); ++i) {
    OracleSpan span = twin.list[i];
    if (random.chance(percent)) {
      if (random.chance(20)) {
        editor.drop_span(i);
        continue;
      }
      const std::string message = random.chance(50)
                                      ? random.span()
                                      : std::string(twin.batch.span_bytes(i)) + "\xA2\x06\x01z";
      BufferWriter& out = editor.begin_span(i);
      const std::size_t half = message.size() / 2;
      out.append(std::string_view(message).substr(0, half));
      out.append(std::string_view(message).substr(half));
      editor.end_span();
      span.span = oracle_span(message);
    }
    list.push_back(std::move(span));
  }
  return {std::move(editor).finish(), std::move(list)};
}

Twin edit_resources(const Twin& twin, RandomOtlp& random) {
  BatchEditor editor(twin.batch);
  Twin edited = twin;
  for (std::uint32_t i = 0; i < twin.batch.resources().size(); ++i) {
    if (random.chance(50)) continue;
    const std::string message = random.resource();
    editor.replace_resource(i, message);
    for (std::size_t span = 0; span < edited.list.size(); ++span) {
      if (twin.batch.scopes()[twin.batch.spans()[span].scope].resource != i) continue;
      edited.list[span].resource = oracle_resource(message);
    }
  }
  for (std::uint32_t i = 0; i < twin.batch.scopes().size(); ++i) {
    if (random.chance(70)) continue;
    const std::string message = random.scope();
    editor.replace_scope(i, message);
    editor.replace_scope_extra(i, "");
    for (std::size_t span = 0; span < edited.list.size(); ++span) {
      if (twin.batch.spans()[span].scope != i) continue;
      edited.list[span].scope = oracle_scope(message);
      edited.list[span].scope_rest.clear();
    }
  }
  edited.batch = std::move(editor).finish();
  return edited;
}

Twin changed(const Twin& twin, RandomOtlp& random) {
  switch (random.below(7)) {
    case 0: return slice(twin, random);
    case 1: return select(twin, random);
    case 2: return edit_spans(twin, random);
    case 3: return edit_resources(twin, random);
    case 4: return {twin.batch.compacted(static_cast<double>(random.below(100)) / 100), twin.list};
    case 5: return {twin.batch.copied(), twin.list};
    default: return concat({slice(twin, random), twin, select(twin, random)});
  }
}

TEST_CASE("parse, split, select, merge, edit and encode agree with libprotobuf",
          "[span_batch][property]") {
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    CAPTURE(seed);
    RandomOtlp random(seed, {.resources_max = 3,
                             .scopes_max = 3,
                             .spans_max = 4,
                             .attributes_max = 3,
                             .wild = seed % 4 != 0,
                             .invalid_ids = seed % 3 == 0});
    std::vector<Twin> twins;
    for (std::size_t i = random.below(4); i < 4; ++i) twins.push_back(parse(random.request()));
    Twin twin = concat(twins);
    check_agrees(twin);
    for (int step = 0; step < 4; ++step) {
      twin = changed(twin, random);
      CAPTURE(step);
      check_agrees(twin);
      if (twin.list.size() > 300) break;
    }
  }
}

TEST_CASE("parts that meet again in any order are the spans that were taken",
          "[span_batch][property]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    RandomOtlp random(seed);
    const Twin whole = parse(random.request());
    std::vector<Twin> parts;
    for (int i = 0; i < 6; ++i)
      parts.push_back(random.chance(50) ? slice(whole, random) : select(whole, random));
    parts.push_back(whole);
    check_agrees(concat(parts));
  }
}

TEST_CASE("views read what libprotobuf reads", "[span_view][property]") {
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    CAPTURE(seed);
    const std::string message = RandomOtlp(seed).span();
    CHECK(view_differences(SpanView(message)) == "");
  }
}

TEST_CASE("a span as most senders write it, cut or bent anywhere, gets the verdict of libprotobuf",
          "[span_batch][property]") {
  SpanSpec spec;
  spec.trace_id = make_id(1, 16);
  spec.span_id = make_id(2, 8);
  spec.parent_span_id = make_id(3, 8);
  spec.attributes = {
      {"http.method", "GET"}, {"http.status_code", 500}, {"long", std::string(200, 'x')}};
  spec.status_code = 2;
  spec.status_message = "it broke";
  spec.flags = 0x101;
  const auto check = [](const std::string& span) {
    const std::string request = length_field(1, length_field(2, length_field(2, span)));
    ParseReport report;
    const bool taken = SpanBatch::parse(Buffer::copy_of(request), report).has_value();
    return taken == oracle_accepts_framing(request) && taken == report.error.empty();
  };
  for (const bool is_root : {false, true}) {
    if (is_root) spec.parent_span_id = std::string(8, '\0');
    const std::string span = span_message(spec);
    REQUIRE(check(span));
    for (std::size_t cut = 0; cut < span.size(); ++cut) {
      if (!check(span.substr(0, cut))) FAIL("cut at " << cut);
    }
    for (std::size_t at = 0; at < span.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        std::string bent = span;
        bent[at] = static_cast<char>(value);
        if (!check(bent)) FAIL("byte " << at << " set to " << value);
      }
    }
  }
}

TEST_CASE("a request cut or bent anywhere is refused just when libprotobuf refuses it",
          "[span_batch][property]") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    RandomOtlp random(seed, {.resources_max = 2,
                             .scopes_max = 2,
                             .spans_max = 2,
                             .attributes_max = 2,
                             .invalid_ids = true});
    const std::string request = random.request();
    const auto same_verdict = [](const std::string& bytes) {
      ParseReport report;
      const bool taken = SpanBatch::parse(Buffer::copy_of(bytes), report).has_value();
      return taken == oracle_accepts_framing(bytes) && taken == report.error.empty();
    };
    for (std::size_t cut = 0; cut < request.size(); ++cut) {
      if (!same_verdict(request.substr(0, cut))) FAIL("cut at " << cut);
    }
    for (int i = 0; i < 500 && !request.empty(); ++i) {
      std::string bent = request;
      const std::size_t at = random.below(bent.size());
      bent[at] = static_cast<char>(random.below(256));
      if (!same_verdict(bent)) FAIL("byte " << at << " set to " << static_cast<int>(bent[at]));
    }
  }
}

}  // namespace
}  // namespace sluice
