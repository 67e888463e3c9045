#include "pipeline/model/span_batch.h"

#include <catch2/catch.hpp>
#include <random>

#include "pipeline/ledger.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"

namespace sluice {
namespace {

using namespace sluice::test;
using Names = std::vector<std::string>;

std::vector<ResourceSpec> two_resources() {
  return {{.service = "a", .spans = {{.name = "a1"}, {.name = "a2"}, {.name = "a3"}}},
          {.service = "b", .schema_url = "urn:b", .spans = {{.name = "b1"}, {.name = "b2"}}}};
}

std::string service_of(const SpanBatch& batch, std::uint32_t span) {
  const auto service =
      ResourceView(batch.resource_bytes(batch.spans()[span])).attribute("service.name");
  return service ? std::string(service->value().string()) : "";
}

SpanBatch reparsed(const SpanBatch& batch) { return parse_batch(batch.encode().to_string()); }

TEST_CASE("a request that stays whole leaves as the bytes that came, in one slice",
          "[span_batch]") {
  const std::string request = make_request(two_resources()) + varint_field(99, 7);
  const SpanBatch batch = parse_batch(request);
  CHECK(batch.span_count() == 5);
  const EncodedBatch encoded = batch.encode();
  CHECK(encoded.to_string() == request);
  CHECK(encoded.slices.size() == 1);
  CHECK(encoded.size == request.size());
  CHECK(batch.encoded_size() == request.size());
}

TEST_CASE("each span knows its resource and scope", "[span_batch]") {
  const SpanBatch batch = make_batch(two_resources());
  CHECK(span_names(batch) == Names{"a1", "a2", "a3", "b1", "b2"});
  CHECK(service_of(batch, 2) == "a");
  CHECK(service_of(batch, 3) == "b");
  CHECK(ScopeView(batch.scope_bytes(batch.spans()[4])).name == "test");
}

TEST_CASE("a selection leaves with its resources alone, schema URLs included", "[span_batch]") {
  const SpanBatch batch = make_batch(two_resources());
  const SpanBatch some = batch.select(std::vector<std::uint32_t>{1, 4});
  CHECK(span_names(some) == Names{"a2", "b2"});
  const std::string request = some.encode().to_string();
  CHECK(request.size() == some.encoded_size());
  const SpanBatch again = parse_batch(request);
  CHECK(span_names(again) == Names{"a2", "b2"});
  CHECK(service_of(again, 0) == "a");
  CHECK(service_of(again, 1) == "b");
  CHECK(again.bytes(again.resource_of(again.spans()[1]).extra) == length_field(3, "urn:b"));
}

TEST_CASE("whole requests stay whole inside a merged batch", "[span_batch]") {
  const std::string first = make_request(two_resources());
  const std::string second = make_request({{.service = "c", .spans = numbered_spans(9)}});
  const SpanBatch part = parse_batch(second).slice(2, 3);
  const std::vector<SpanBatch> batches = {parse_batch(first), part, parse_batch(second)};
  const SpanBatch merged = SpanBatch::concat(batches);
  CHECK(merged.span_count() == 17);
  const std::string request = merged.encode().to_string();
  CHECK(request.substr(0, first.size()) == first);
  CHECK(request.substr(request.size() - second.size()) == second);
  CHECK(span_names(parse_batch(request)) == span_names(merged));
}

TEST_CASE("the parts of a split request are that request again when they meet in order",
          "[span_batch]") {
  const std::string request = make_request(two_resources());
  const SpanBatch batch = parse_batch(request);
  const std::vector<SpanBatch> in_order = {batch.slice(0, 2), batch.slice(2, 3)};
  CHECK(SpanBatch::concat(in_order).encode().to_string() == request);
  const std::vector<SpanBatch> reversed = {batch.slice(2, 3), batch.slice(0, 2)};
  const SpanBatch swapped = SpanBatch::concat(reversed);
  CHECK(span_names(reparsed(swapped)) == Names{"a3", "b1", "b2", "a1", "a2"});
  const std::vector<SpanBatch> twice = {batch.slice(0, 3), batch.slice(0, 2)};
  CHECK(span_names(reparsed(SpanBatch::concat(twice))) == Names{"a1", "a2", "a3", "a1", "a2"});
}

TEST_CASE("merging batch by batch gives what concatenating them gives", "[span_batch]") {
  const SpanBatch batch = make_batch(two_resources());
  const std::vector<SpanBatch> parts = {batch.slice(0, 2), make_batch(two_resources()),
                                        batch.slice(2, 3), SpanBatch()};
  BatchMerger merger;
  for (int round = 0; round < 2; ++round) {
    for (const SpanBatch& part : parts) merger.add(part);
    CHECK(merger.span_count() == 10);
    CHECK(merger.finish().encode().to_string() == SpanBatch::concat(parts).encode().to_string());
    CHECK(merger.span_count() == 0);
  }
  CHECK(merger.finish().empty());
  merger.add(batch);
  CHECK(merger.finish().spans().data() == batch.spans().data());
}

TEST_CASE("a span in the usual form is read as the same fields are anywhere", "[span_batch]") {
  const auto message_of = [](const SpanSpec& spec) {
    return std::string(make_batch({{.spans = {spec}}}).span_bytes(0U));
  };
  const std::string unknown("\xa0\x1f\x01", 3);  // what follows it is read in the general way
  std::mt19937_64 random(7);
  const auto maybe = [&](auto value) { return random() % 3 == 0 ? decltype(value)() : value; };
  for (int turn = 0; turn < 2000; ++turn) {
    SpanSpec spec{.name = std::string(random() % 200, 'n'),
                  .trace_id = make_id(random(), 16),
                  .span_id = make_id(random(), 8),
                  .parent_span_id = maybe(make_id(random(), 8)),
                  .trace_state = maybe(std::string(random() % 5, 't')),
                  .kind = static_cast<int>(random() % 300) - 20,
                  .start = maybe(random()),
                  .end = maybe(random()),
                  .status_code = static_cast<int>(random() % 3),
                  .status_message = maybe(std::string("why")),
                  .flags = maybe(static_cast<std::uint32_t>(random()))};
    if (random() % 2 == 0) spec.attributes = {{"key", std::string(random() % 200, 'v')}};
    // Whatever comes once more counts.
    SpanSpec again = spec;
    again.name = "again";
    again.kind = 2;
    if (random() % 4 == 0) spec.raw = message_of(again);
    const std::string message = message_of(spec);
    const std::string other_way = unknown + message;
    const SpanBatch batch = make_batch({{.spans = {spec}}});
    const SpanView usual = turn % 2 == 0 ? SpanView(message) : batch.view(batch.spans()[0]);
    const SpanView general(other_way);
    REQUIRE(usual.trace_id() == general.trace_id());
    REQUIRE(usual.span_id() == general.span_id());
    REQUIRE(usual.parent_span_id() == general.parent_span_id());
    REQUIRE(usual.trace_state() == general.trace_state());
    REQUIRE(usual.name() == general.name());
    REQUIRE(usual.kind() == general.kind());
    REQUIRE(usual.start_time_unix_nano() == general.start_time_unix_nano());
    REQUIRE(usual.end_time_unix_nano() == general.end_time_unix_nano());
    REQUIRE(usual.flags() == general.flags());
    REQUIRE(usual.has_status() == general.has_status());
    REQUIRE(usual.status_code() == general.status_code());
    REQUIRE(usual.status_message() == general.status_message());
  }
}

TEST_CASE("what a merger holds is on the ledger, and given back when it goes", "[span_batch]") {
  Ledger ledger(std::size_t{1} << 30);
  const auto charged_batch = [&ledger] {
    const std::string request = make_request({{.service = "a", .spans = numbered_spans(50)}});
    BufferWriter writer(request.size());
    writer.append(request);
    ParseReport report;
    return *SpanBatch::parse(ledger.charge(request.size()).freeze(std::move(writer)), report);
  };
  {
    BatchMerger merger;
    std::size_t pinned = 0;
    for (int i = 0; i < 100; ++i) {
      SpanBatch batch = charged_batch();
      pinned += batch.wire_size() + batch.span_count() * sizeof(SpanEntry);
      merger.add(std::move(batch));
    }
    CHECK(ledger.used() >= pinned);
    const SpanBatch merged = merger.finish();
    CHECK(ledger.used() >= pinned);
    CHECK(ledger.used() <= merged.pinned());
    merger.add(charged_batch());
    merger.add(charged_batch());
  }
  CHECK(ledger.used() == 0);
}

TEST_CASE("an edited span replaces the old one and leaves its neighbours as they are",
          "[span_batch]") {
  const SpanBatch batch = make_batch(two_resources());
  BatchEditor editor(batch);
  editor.begin_span(1).append(span_message(
      {.name = std::string(300, 'x'), .trace_id = make_id(1, 16), .span_id = make_id(2, 8)}));
  editor.end_span();
  editor.drop_span(3);
  const SpanBatch edited = std::move(editor).finish();
  CHECK(span_names(edited) == Names{"a1", std::string(300, 'x'), "a3", "b2"});
  CHECK(span_names(reparsed(edited)) == span_names(edited));
  CHECK(span_names(batch) == Names{"a1", "a2", "a3", "b1", "b2"});
}

TEST_CASE("a batch in which nothing was edited is the same batch", "[span_batch]") {
  const SpanBatch batch = make_batch(two_resources());
  BatchEditor editor(batch);
  const SpanBatch same = std::move(editor).finish();
  CHECK(same.spans().data() == batch.spans().data());
}

TEST_CASE("an edited resource is seen by all spans of its occurrence and by no others",
          "[span_batch]") {
  const SpanBatch batch = make_batch(two_resources());
  BatchEditor editor(batch);
  editor.replace_resource(0, length_field(1, key_value_message({"service.name", "new"})));
  editor.replace_scope(1, length_field(1, "scope"));
  const SpanBatch edited = std::move(editor).finish();
  const SpanBatch again = reparsed(edited);
  CHECK(span_names(again) == span_names(batch));
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(service_of(again, i) == "new");
  for (std::uint32_t i = 3; i < 5; ++i) CHECK(service_of(again, i) == "b");
  CHECK(ScopeView(again.scope_bytes(again.spans()[4])).name == "scope");
  CHECK(service_of(batch, 0) == "a");
}

TEST_CASE("where every span was edited, only what was written is held", "[span_batch]") {
  const SpanBatch batch = make_batch({{.service = "a", .spans = numbered_spans(40)},
                                      {.service = "b", .spans = numbered_spans(40)}});
  BatchEditor editor(batch);
  for (std::uint32_t i = 0; i < batch.span_count(); ++i) {
    if (i % 4 == 3) {
      editor.drop_span(i);
      continue;
    }
    editor.begin_span(i).append(batch.span_bytes(i));
    editor.end_span();
  }
  editor.replace_resource(0, length_field(1, key_value_message({"service.name", "new"})));
  const SpanBatch edited = std::move(editor).finish();
  CHECK(edited.pinned() < batch.pinned());
  const SpanBatch again = reparsed(edited);
  CHECK(again.span_count() == 60);
  CHECK(span_names(again) == span_names(edited));
  CHECK(service_of(again, 0) == "new");
  CHECK(service_of(again, 59) == "b");
  // And again, of a batch that has no buffer but that one.
  BatchEditor once_more(edited);
  for (std::uint32_t i = 0; i < edited.span_count(); ++i) {
    once_more.begin_span(i).append(edited.span_bytes(i));
    once_more.end_span();
  }
  CHECK(reparsed(std::move(once_more).finish()).encode().size == again.encode().size);
}

TEST_CASE("empty scopes and resources outlive the buffers that they came in", "[span_batch]") {
  const auto span = [](const char* name, std::size_t size) {
    return length_field(otlp::scope_spans::spans,
                        span_message({.name = name + std::string(size, '.'),
                                      .trace_id = make_id(1, 16),
                                      .span_id = make_id(2, 8)}));
  };
  const std::string scopes =
      length_field(2, length_field(1, length_field(1, "lib")) + span("a", 1000)) +
      length_field(2, length_field(1, "") + span("b", 1000)) + length_field(2, span("c", 1000));
  const std::string request =
      length_field(1, length_field(1, "") + scopes) + length_field(1, scopes);
  const SpanBatch batch = parse_batch(request);
  REQUIRE(batch.span_count() == 6);
  BatchEditor editor(batch);
  for (std::uint32_t i = 0; i < 6; ++i) {
    editor.begin_span(i).append(
        span_message({.name = "s", .trace_id = make_id(1, 16), .span_id = make_id(2, 8)}));
    editor.end_span();
  }
  const SpanBatch edited = std::move(editor).finish();
  for (const SpanEntry& entry : edited.spans()) CHECK(edited.resource_bytes(entry).empty());
  CHECK(ScopeView(edited.scope_bytes(edited.spans()[0])).name == "lib");
  CHECK(edited.scope_bytes(edited.spans()[1]).empty());
  CHECK(edited.scope_bytes(edited.spans()[2]).empty());
  CHECK(span_names(reparsed(edited)) == Names(6, "s"));
}

TEST_CASE("a span of a request of many resources, rewritten, does not hold their tables",
          "[span_batch]") {
  std::string request;
  for (int i = 0; i < 2000; ++i)
    request += make_request({{.service = "", .spans = {{.name = "x"}}}});
  const SpanBatch one = parse_batch(request).select(std::vector<std::uint32_t>{7});
  BatchEditor editor(one);
  editor.begin_span(0).append(one.span_bytes(0));
  editor.end_span();
  CHECK(std::move(editor).finish().pinned() < 4096);
}

TEST_CASE("spans with invalid ids are left out and counted", "[span_batch]") {
  const auto span = [](const SpanSpec& spec) {
    return length_field(otlp::scope_spans::spans, span_message(spec));
  };
  const std::string good16 = make_id(1, 16);
  const std::string good8 = make_id(1, 8);
  const std::string spans =
      span({.trace_id = std::string(16, '\0'), .span_id = good8}) +
      span({.trace_id = good16.substr(0, 15), .span_id = good8}) + span({.trace_id = good16}) +
      span({.trace_id = good16, .span_id = std::string(8, '\0')}) +
      span({.trace_id = good16, .span_id = good8, .parent_span_id = "short"}) +
      span({.name = "kept",
            .trace_id = good16,
            .span_id = good8,
            .parent_span_id = std::string(8, '\0')});
  const std::string request = length_field(1, length_field(2, spans));
  ParseReport report;
  const auto batch = SpanBatch::parse(Buffer::copy_of(request), report);
  REQUIRE(batch);
  CHECK(report.spans_invalid_id == 5);
  CHECK(report.spans_taken == 1);
  CHECK(span_names(*batch) == Names{"kept"});
  CHECK(SpanView(batch->span_bytes(0)).parent_span_id().empty());
  // What was left out does not leave with the rest of its request.
  CHECK(span_names(reparsed(*batch)) == Names{"kept"});
}

TEST_CASE("a request without spans is an empty batch and no error", "[span_batch]") {
  ParseReport report;
  const auto batch = SpanBatch::parse(Buffer::copy_of(make_request({{.service = "idle"}})), report);
  REQUIRE(batch);
  CHECK(batch->empty());
  CHECK(batch->encode().size == 0);
  CHECK(SpanBatch::parse(Buffer(), report));
}

TEST_CASE("the last of repeated ids counts", "[span_batch]") {
  const std::string message = span_message({.trace_id = make_id(1, 16), .span_id = "bad"}) +
                              length_field(otlp::span::span_id, make_id(7, 8));
  const SpanBatch batch = parse_batch(length_field(1, length_field(2, length_field(2, message))));
  CHECK(SpanView(batch.span_bytes(0)).span_id() == make_id(7, 8));
}

TEST_CASE("repeated resources and scattered fields come together", "[span_batch]") {
  const std::string spans = length_field(
      2, length_field(2, span_message({.trace_id = make_id(1, 16), .span_id = make_id(1, 8)})));
  const auto resource = [](const char* key) {
    return length_field(1, length_field(1, key_value_message({key, "v"})));
  };
  const std::string message = length_field(3, "old") + resource("one") + spans +
                              varint_field(77, 5) + resource("two") + length_field(3, "new");
  const SpanBatch batch = parse_batch(length_field(1, message) + length_field(1, message));
  const SpanBatch again = reparsed(batch.slice(1, 1));
  const ResourceView view(again.resource_bytes(again.spans()[0]));
  CHECK(view.attribute("one"));
  CHECK(view.attribute("two"));
  CHECK(again.bytes(again.resource_of(again.spans()[0]).extra) ==
        length_field(3, "old") + varint_field(77, 5) + length_field(3, "new"));
}

TEST_CASE("a few spans of a large request do not pin it once compacted", "[span_batch]") {
  const SpanBatch batch = make_batch({{.service = "big", .spans = numbered_spans(4000)}});
  const SpanBatch few = batch.select(std::vector<std::uint32_t>{7, 3000});
  const SpanBatch small = few.compacted(0.25);
  CHECK(few.pinned() > 100'000);
  CHECK(small.pinned() < 4'000);
  CHECK(span_names(small) == Names{"span-7", "span-3000"});
  CHECK(service_of(reparsed(small), 1) == "big");
  // Nothing to gain: the same index comes back.
  CHECK(batch.compacted(0.25).spans().data() == batch.spans().data());
}

TEST_CASE("what is copied out is a request again, which leaves in one piece", "[span_batch]") {
  const std::string large(300, 'n');
  const SpanBatch batch = make_batch(
      {{.service = "a", .spans = {{.name = large + "1"}, {.name = "small"}, {.name = large + "2"}}},
       {.service = "b", .schema_url = "urn:b", .spans = {{.name = large + "3"}}}});
  const SpanBatch some = batch.select(std::vector<std::uint32_t>{0, 2, 3});
  const SpanBatch copied = some.copied();
  CHECK(some.encode().slices.size() > 1);
  CHECK(copied.encode().slices.size() == 1);
  CHECK(copied.encode().slices[0].data == copied.encode().slices[0].data);
  CHECK(copied.encode().to_string() == some.encode().to_string());
  CHECK(span_names(copied) == Names{large + "1", large + "2", large + "3"});
  CHECK(span_names(copied.slice(1, 2)) == Names{large + "2", large + "3"});
}

TEST_CASE("a copy takes along nothing of its request but what spans need", "[span_batch]") {
  const std::string span = make_request({{.service = "a", .spans = numbered_spans(1)}});
  const std::string without_spans =
      make_request({{.service = std::string(1'000'000, 's'), .spans = {}}});
  const SpanBatch batch = parse_batch(span + without_spans);
  CHECK(batch.pinned() > 1'000'000);
  CHECK(batch.compacted(0.75).pinned() < 2'000);
  CHECK(batch.copied().pinned() < 2'000);
  CHECK(batch.copied().encode().to_string() == span);
}

TEST_CASE("the index of a copy has as much room as it has spans", "[span_batch]") {
  std::vector<SpanSpec> spans = numbered_spans(33);
  spans.push_back({.name = std::string(4'000'000, 'n')});
  const SpanBatch copied = make_batch({{.spans = spans}}).copied();
  CHECK(copied.pinned() < 4'200'000);
  CHECK(span_names(copied).size() == 34);
}

TEST_CASE("more spans than the limit are a malformed request", "[span_batch]") {
  ParseReport report;
  const std::string request = make_request({{.spans = numbered_spans(3)}});
  CHECK_FALSE(
      SpanBatch::parse(Buffer::copy_of(request), 0, request.size(), report, {.spans_max = 2}));
  CHECK(report.error == "more than 2 spans in one request");
}

TEST_CASE("what edits and copies make is charged to the account of what they were made from",
          "[span_batch][ledger]") {
  Ledger ledger(std::size_t{1} << 30);
  const std::string request = make_request({{.service = "a", .spans = numbered_spans(500)}});
  BufferWriter writer(request.size());
  writer.append(request);
  ParseReport report;
  auto batch = SpanBatch::parse(ledger.charge(request.size()).freeze(std::move(writer)), report);
  REQUIRE(batch);
  BatchEditor editor(*batch);
  for (std::uint32_t i = 0; i < batch->span_count(); ++i) {
    editor.begin_span(i).append(batch->span_bytes(i));
    editor.end_span();
  }
  SpanBatch edited = std::move(editor).finish();
  CHECK(ledger.used() > 2 * request.size());
  const std::size_t index_size = batch->span_count() * sizeof(SpanEntry);
  // The request itself is let go: the few bytes of its resource were copied.
  batch.reset();
  CHECK(ledger.used() < request.size() * 9 / 8 + index_size + 4096);
  CHECK(span_names(reparsed(edited)).back() == "span-499");
  edited = {};
  CHECK(ledger.used() == 0);
}

TEST_CASE(
    "who holds a batch for long takes its charge over, and whoever is left with it gets it back",
    "[span_batch][ledger]") {
  Ledger ledger(std::size_t{1} << 30);
  Ledger& holder = ledger.of_holder("sampler");
  Ledger& other = ledger.of_holder("other");
  const std::string request = make_request({{.service = "a", .spans = numbered_spans(50)}});
  BufferWriter writer(request.size());
  writer.append(request);
  ParseReport report;
  auto batch = SpanBatch::parse(ledger.charge(request.size()).freeze(std::move(writer)), report);
  REQUIRE(batch);
  const std::size_t all = ledger.used();
  batch->charge_to(holder);
  CHECK(ledger.used() == 0);
  CHECK(holder.used() == all);
  SpanBatch copy = *batch;
  batch.reset();
  copy.charge_to(ledger, other);  // not the one that pays
  CHECK(holder.used() == all);
  CHECK(other.used() == 0);
  copy.charge_to(ledger, holder);
  CHECK(ledger.used() == all);
  CHECK(holder.used() == 0);
  copy = {};
  CHECK(ledger.used() == 0);
}

TEST_CASE("edited neighbours leave as one stretch", "[span_batch]") {
  const SpanBatch batch = make_batch({{.service = "a", .spans = numbered_spans(300)}});
  BatchEditor editor(batch);
  for (std::uint32_t i = 0; i < batch.span_count(); ++i) {
    editor.begin_span(i).append(batch.span_bytes(i));
    editor.end_span();
  }
  CHECK(std::move(editor).finish().encode().slices.size() == 2);
}

TEST_CASE("more buffers than a batch can number are folded together", "[span_batch]") {
  const std::string request = make_request({{.service = "tiny", .spans = {{.name = "x"}}}});
  std::vector<SpanBatch> batches;
  for (int i = 0; i < 61'000; ++i) batches.push_back(parse_batch(request));
  const SpanBatch merged = SpanBatch::concat(batches);
  CHECK(merged.span_count() == 61'000);
  CHECK(merged.pinned() < 61'000 * (request.size() + 160));
  CHECK(service_of(merged, 60'999) == "tiny");
  CHECK(merged.encode().size == 61'000 * request.size());
  BatchMerger merger;
  for (SpanBatch& batch : batches) merger.add(std::move(batch));
  CHECK(merger.finish().encode().size == 61'000 * request.size());
}

TEST_CASE("empty resources and scopes by the thousand cost no memory", "[span_batch]") {
  std::string request;
  for (int i = 0; i < 100'000; ++i)
    request +=
        i % 2 == 0 ? std::string("\x0a\x00", 2) : length_field(1, std::string("\x12\x00", 2));
  const SpanBatch batch = parse_batch(request);
  CHECK(batch.resources().empty());
  CHECK(batch.pinned() < 2 * request.size());
}

TEST_CASE("an index takes no more than its share, in the worst of shapes", "[span_batch]") {
  // Each span is as small as spans can be, in a resource of its own.
  std::string request;
  for (std::uint64_t i = 1; i <= 20'000; ++i) {
    const std::string span = length_field(1, make_id(i, 16)) + length_field(2, make_id(i, 8));
    request += length_field(1, length_field(2, length_field(2, span)));
  }
  const SpanBatch batch = parse_batch(request);
  CHECK(batch.span_count() == 20'000);
  CHECK(batch.pinned() < 2 * request.size() + 64 * batch.span_count());
}

TEST_CASE("a broken request is refused with the place where it broke", "[span_batch]") {
  const auto error_of = [](const std::string& request) {
    ParseReport report;
    CHECK_FALSE(SpanBatch::parse(Buffer::copy_of(request), report));
    return report.error;
  };
  CHECK(error_of("\x0a\x05") == "malformed request at byte 2");
  CHECK(error_of(length_field(1, "\x12\x7f")) == "malformed ResourceSpans at byte 4");
  CHECK(error_of(length_field(1, length_field(2, "\x0f"))) == "malformed ScopeSpans at byte 5");
  CHECK(error_of(length_field(1, length_field(2, length_field(2, "\x0a")))) ==
        "malformed Span at byte 7");
  CHECK(error_of(length_field(1, length_field(1, "\x0a"))) == "malformed Resource at byte 5");
}

TEST_CASE("a request is parsed where it lies in its buffer", "[span_batch]") {
  const std::string request = make_request(two_resources());
  ParseReport report;
  const Buffer buffer = Buffer::copy_of("header" + request + "trailer");
  const auto batch = SpanBatch::parse(buffer, 6, request.size(), report);
  REQUIRE(batch);
  CHECK(batch->encode().to_string() == request);
  CHECK_FALSE(SpanBatch::parse(buffer, 6, buffer.size(), report));
}

TEST_CASE("the context travels with every part of a batch", "[span_batch]") {
  SpanBatch batch = make_batch(two_resources());
  const auto context = std::make_shared<RequestContext>();
  batch.set_context(context);
  CHECK(batch.slice(1, 2).context() == context);
  CHECK(batch.select(std::vector<std::uint32_t>{0}).context() == context);
  CHECK(SpanBatch::concat(std::vector<SpanBatch>{batch, make_batch(two_resources())}).context() ==
        context);
  BatchEditor editor(batch);
  editor.drop_span(0);
  CHECK(std::move(editor).finish().context() == context);
}

TEST_CASE("metadata is found in any case and joined", "[request_context]") {
  const RequestContext context{.metadata = {{"x-tenant", "a"}, {"other", "b"}, {"x-tenant", "c"}}};
  CHECK(context.metadata_value("X-Tenant") == "a;c");
  CHECK(context.metadata_value("absent") == "");
}

}  // namespace
}  // namespace sluice
