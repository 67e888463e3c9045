#include "processors/attributes/attributes.h"

#include <catch2/catch.hpp>

#include "pipeline/attributes/edit.h"
#include "pipeline/attributes/value.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;

/// "key=value", with a letter for the type: s, b, i, r, a, k, y (bytes), e (empty).
Strings attributes_of(std::string_view message, std::uint32_t number = otlp::span::attributes) {
  Strings lines;
  AttributeRange range(message, number);
  while (const std::optional<KeyValueView> attribute = range.next()) {
    const AnyValueView value = attribute->value();
    const char letter = "esbiraky"[static_cast<std::size_t>(value.type())];
    lines.push_back(std::string(attribute->key) + "=" + letter + ":" + text_of(value));
  }
  return lines;
}

SpanBatch span_with(Attributes attributes) {
  return make_batch(
      {{.service = "shop", .spans = {{.name = "pay", .attributes = std::move(attributes)}}}});
}

ProcessorFixture attributes(std::string_view actions) {
  return {attributes_processor(), "{actions: " + std::string(actions) + "}"};
}

/// The attributes of a span after the actions.
Strings after(std::string_view actions, Attributes before) {
  auto test = attributes(actions);
  CHECK(test.mistakes == Strings{});
  CHECK(test.send(span_with(std::move(before))) == "accepted");
  REQUIRE(test.next.batches.size() == 1);
  return attributes_of(test.next.batches[0].span_bytes(0));
}

TEST_CASE("insert adds an attribute that is not there", "[attributes]") {
  CHECK(after("[{action: insert, key: env, value: prod}]", {{"a", 1}}) ==
        Strings{"a=i:1", "env=s:prod"});
  CHECK(after("[{action: insert, key: a, value: prod}]", {{"a", 1}}) == Strings{"a=i:1"});
  CHECK(after("[{action: INSERT, key: env, value: prod}]", {}) == Strings{"env=s:prod"});
}

TEST_CASE("update changes an attribute that is there, in its place", "[attributes]") {
  CHECK(after("[{action: update, key: a, value: X}]", {{"a", 1}, {"b", 2}}) ==
        Strings{"a=s:X", "b=i:2"});
  CHECK(after("[{action: update, key: c, value: X}]", {{"a", 1}}) == Strings{"a=i:1"});
}

TEST_CASE("upsert does either", "[attributes]") {
  CHECK(after("[{action: upsert, key: a, value: X}]", {{"a", 1}, {"b", 2}}) ==
        Strings{"a=s:X", "b=i:2"});
  CHECK(after("[{action: upsert, key: c, value: X}]", {{"a", 1}}) == Strings{"a=i:1", "c=s:X"});
}

TEST_CASE("values have the type that YAML gives them", "[attributes]") {
  const auto value = [](const std::string& text) {
    return after("[{action: insert, key: v, value: " + text + "}]", {}).at(0);
  };
  CHECK(value("text") == "v=s:text");
  CHECK(value("'12'") == "v=s:12");
  CHECK(value("12") == "v=i:12");
  CHECK(value("-3") == "v=i:-3");
  CHECK(value("0") == "v=i:0");
  CHECK(value("1.5") == "v=r:1.5");
  CHECK(value("true") == "v=b:true");
  CHECK(value("[a, 1, true, [x]]") == "v=a:[\"a\",1,true,[\"x\"]]");
  CHECK(value("{b: 1, a: {c: text}}") == "v=k:{\"a\":{\"c\":\"text\"},\"b\":1}");
}

TEST_CASE("delete removes by key, by pattern, or by both", "[attributes]") {
  const Attributes all = {{"user.id", 1}, {"user.name", "n"}, {"http.method", "GET"}, {"x", 1}};
  CHECK(after("[{action: delete, key: x}]", all) ==
        Strings{"user.id=i:1", "user.name=s:n", "http.method=s:GET"});
  CHECK(after("[{action: delete, pattern: ^user}]", all) == Strings{"http.method=s:GET", "x=i:1"});
  CHECK(after("[{action: delete, key: x, pattern: name$}]", all) ==
        Strings{"user.id=i:1", "http.method=s:GET"});
  CHECK(after("[{action: delete, key: y}]", {}) == Strings{});
  CHECK(after("[{action: delete, pattern: .}]", all) == Strings{});
}

TEST_CASE("hash replaces a value by the SHA-256 of its bytes", "[attributes]") {
  const Attributes all = {{"s", "alice"},    {"t", true},     {"f", false},
                          {"i", 42},         {"r", 1.5},      {"e", ""},
                          {"y", Bytes{"x"}}, {"a", Array{1}}, {"none", {}}};
  CHECK(after("[{action: hash, pattern: '.'}]", all) ==
        Strings{"s=s:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90",
                "t=s:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a",
                "f=s:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "i=s:ed049108bc18f2c64369e8d0ea42850bdd1a7d1dd340cfde716315579702a76c",
                "r=s:e163f8cb0f7067a7fc78ca859a77f849aea3214f38fb75b884e4a16be725c905",
                "e=s:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "y=s:", "a=s:", "none=s:"});
  CHECK(after("[{action: hash, key: s}]", {{"s", "alice"}, {"t", 1}}) ==
        Strings{"s=s:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90", "t=i:1"});
}

TEST_CASE("extract makes attributes of the groups of a pattern", "[attributes]") {
  const std::string_view actions =
      "[{action: extract, key: url, pattern: "
      "'^(?P<scheme>\\w+)://(?P<host>[^/]+)(?P<port>:\\d+)?'}]";
  CHECK(after(actions, {{"url", "https://shop.example/cart"}, {"scheme", "old"}}) ==
        Strings{"url=s:https://shop.example/cart", "scheme=s:https", "host=s:shop.example",
                "port=s:"});
  CHECK(after(actions, {{"url", "nothing"}}) == Strings{"url=s:nothing"});
  CHECK(after(actions, {{"url", 5}}) == Strings{"url=i:5"});
  CHECK(after(actions, {}) == Strings{});
  CHECK(after("[{action: extract, key: url, pattern: '(?<url>s.*)'}]", {{"url", "https"}}) ==
        Strings{"url=s:s"});
}

TEST_CASE("convert reads a value as another type", "[attributes]") {
  const auto converted = [](const char* type, Value value) {
    return after("[{action: convert, key: v, converted_type: " + std::string(type) + "}]",
                 {{"v", value}})
        .at(0);
  };
  CHECK(converted("int", "12") == "v=i:12");
  CHECK(converted("int", "+12") == "v=i:12");
  CHECK(converted("int", "-9223372036854775808") == "v=i:-9223372036854775808");
  CHECK(converted("int", "9223372036854775808") == "v=s:9223372036854775808");
  CHECK(converted("int", "1.5") == "v=s:1.5");
  CHECK(converted("int", "") == "v=s:");
  CHECK(converted("int", "+-1") == "v=s:+-1");
  CHECK(converted("int", 1.9) == "v=i:1");
  CHECK(converted("int", -1.9) == "v=i:-1");
  CHECK(converted("int", 1e300) == "v=i:-9223372036854775808");
  CHECK(converted("int", true) == "v=i:1");
  CHECK(converted("int", Array{1}) == "v=a:[1]");
  CHECK(converted("double", "1.5e3") == "v=r:1500");
  CHECK(converted("double", "-Inf") == "v=r:-Infinity");
  CHECK(converted("double", "0x1p-2") == "v=r:0.25");
  CHECK(converted("double", "0x1") == "v=s:0x1");
  CHECK(converted("double", "1e") == "v=s:1e");
  CHECK(converted("double", "") == "v=s:");
  CHECK(converted("double", 3) == "v=r:3");
  CHECK(converted("double", false) == "v=r:0");
  CHECK(converted("string", 3) == "v=s:3");
  CHECK(converted("string", 0.1) == "v=s:0.1");
  CHECK(converted("string", true) == "v=s:true");
  CHECK(converted("string", Array{"a", 1}) == "v=s:[\"a\",1]");
  CHECK(converted("string", "same") == "v=s:same");
}

TEST_CASE("from_attribute copies a value, and default_value stands in for it", "[attributes]") {
  CHECK(after("[{action: insert, key: b, from_attribute: a}]", {{"a", 7}}) ==
        Strings{"a=i:7", "b=i:7"});
  CHECK(after("[{action: insert, key: b, from_attribute: a}]", {{"c", 7}}) == Strings{"c=i:7"});
  CHECK(after("[{action: insert, key: b, from_attribute: a, default_value: none}]", {}) ==
        Strings{"b=s:none"});
  CHECK(after("[{action: update, key: b, default_value: 1}]", {{"b", 7}}) == Strings{"b=i:1"});
}

TEST_CASE("from_context reads what came with the request", "[attributes]") {
  auto test = attributes(R"([
    {action: insert, key: tenant, from_context: metadata.X-Tenant},
    {action: insert, key: other, from_context: x-other},
    {action: insert, key: subject, from_context: auth.sub},
    {action: insert, key: peer, from_context: client.address},
    {action: insert, key: none, from_context: metadata.absent},
    {action: insert, key: fallback, from_context: metadata.absent, default_value: f}])");
  CHECK(test.mistakes == Strings{});
  CHECK(test.reads_context);
  auto context = std::make_shared<RequestContext>();
  context->metadata = {{"x-tenant", "a"}, {"x-other", ""}, {"x-tenant", "b"}};
  context->auth = {{"sub", "alice"}};
  context->peer = "10.0.0.1";
  SpanBatch batch = span_with({});
  batch.set_context(context);
  test.send(batch);
  CHECK(attributes_of(test.next.batches.at(0).span_bytes(0)) ==
        Strings{"tenant=s:a;b", "other=s:", "subject=s:alice", "peer=s:10.0.0.1", "fallback=s:f"});
  CHECK(test.next.batches.at(0).context() == context);
  test.send(span_with({}));
  CHECK(attributes_of(test.next.batches.at(1).span_bytes(0)) == Strings{"fallback=s:f"});
}

TEST_CASE("the context is not asked for where no action reads it", "[attributes]") {
  CHECK_FALSE(attributes("[{action: delete, key: a}]").reads_context);
}

TEST_CASE("each action sees what the one before left", "[attributes]") {
  CHECK(after("[{action: insert, key: a, value: 1}, {action: update, key: a, value: 2},"
              " {action: insert, key: b, from_attribute: a}, {action: delete, key: a}]",
              {}) == Strings{"b=i:2"});
  CHECK(after("[{action: delete, key: a}, {action: insert, key: a, value: new}]",
              {{"a", 1}, {"b", 2}}) == Strings{"b=i:2", "a=s:new"});
  CHECK(after("[{action: convert, key: a, converted_type: string}, {action: hash, key: a}]",
              {{"a", true}}) ==
        Strings{"a=s:b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a45b44867e12b"});
}

TEST_CASE("a key that a sender repeats is hidden in all places; what is read is the last",
          "[attributes]") {
  const Attributes twice = {{"a", "one"}, {"b", 1}, {"a", "two"}};
  CHECK(after("[{action: delete, key: a}]", twice) == Strings{"b=i:1"});
  CHECK(after("[{action: update, key: a, value: X}]", twice) == Strings{"a=s:X", "b=i:1", "a=s:X"});
  CHECK(after("[{action: insert, key: c, from_attribute: a}]", twice).back() == "c=s:two");
  const Strings hashed = after("[{action: hash, key: a}]", twice);
  CHECK(hashed[0] == "a=s:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
  CHECK(hashed[2] == "a=s:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3");
}

TEST_CASE("a batch in which nothing changes keeps its bytes", "[attributes]") {
  auto test =
      attributes("[{action: update, key: absent, value: 1}, {action: update, key: a, value: 1}]");
  const SpanBatch batch = span_with({{"a", 1}});
  test.send(batch);
  REQUIRE(test.next.batches.size() == 1);
  CHECK(test.next.batches[0].span_bytes(0).data() == batch.span_bytes(0).data());
  CHECK(test.next.batches[0].encode().to_string() == batch.encode().to_string());
}

TEST_CASE("a span in which nothing changes keeps its bytes beside one that changes",
          "[attributes]") {
  auto test = attributes("[{action: delete, key: secret}]");
  std::vector<SpanSpec> specs = numbered_spans(20);
  specs[7].attributes = {{"secret", "s"}, {"open", 1}};
  specs[7].events = {{.name = "event", .attributes = {{"secret", "stays in the event"}}}};
  specs[7].raw = length_field(1234, "unknown");
  const SpanBatch batch = make_batch({{.service = "shop", .spans = specs}});
  test.send(batch);
  const SpanBatch& result = test.next.batches.at(0);
  REQUIRE(result.span_count() == 20);
  for (std::uint32_t i = 0; i < 20; ++i) {
    if (i != 7) CHECK(result.span_bytes(i) == batch.span_bytes(i));
  }
  SpanSpec expected = specs[7];
  expected.attributes = {{"open", 1}};
  expected.trace_id = std::string(SpanView(batch.span_bytes(7)).trace_id());
  expected.span_id = std::string(SpanView(batch.span_bytes(7)).span_id());
  CHECK(result.span_bytes(7) == span_message(expected));
}

TEST_CASE("attributes that are malformed do not stop the others from being edited",
          "[attributes]") {
  auto test = attributes("[{action: hash, pattern: '.'}, {action: insert, key: new, value: 1}]");
  SpanSpec spec{.attributes = {{"a", "alice"}}};
  spec.raw = length_field(9, "\x0a\xff") +
             length_field(9, length_field(1, "b") + length_field(2, "\x0a\x7f")) +
             length_field(9, "");
  test.send(make_batch({{.spans = {spec}}}));
  CHECK(attributes_of(test.next.batches.at(0).span_bytes(0)) ==
        Strings{"a=s:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90",
                "=e:", "b=s:", "=e:", "new=i:1"});
}

TEST_CASE("of a span with far too many attributes that actions look at, the rest is left out",
          "[attributes]") {
  auto test = attributes(
      "[{action: hash, key: k}, {action: hash, key: last}, {action: insert, key: new, value: 1}]");
  SpanSpec spec{.name = "wide"};
  for (std::size_t i = 0; i < AttributeEdit::attributes_max; ++i)
    spec.attributes.push_back({"k", 1});
  spec.raw = length_field(9, length_field(1, "last")) + length_field(5, "renamed") +
             length_field(9, length_field(1, "last"));
  test.send(make_batch({{.spans = {spec}}}));
  const std::string_view span = test.next.batches.at(0).span_bytes(0);
  CHECK(SpanView(span).name() == "renamed");
  const Strings left = attributes_of(span);
  CHECK(left.size() == AttributeEdit::attributes_max + 1);
  CHECK(left.back() == "new=i:1");
}

TEST_CASE("large values are edited in place", "[attributes]") {
  const std::string large(100'000, 'x');
  CHECK(after("[{action: insert, key: copy, from_attribute: a}, {action: update, key: a, value: "
              "small}]",
              {{"a", large}, {"b", 1}}) == Strings{"a=s:small", "b=i:1", "copy=s:" + large});
}

/// `count` inserts that copy the attribute "a" into "c0", "c1" and so on.
std::string copies(int count) {
  std::string actions;
  for (int i = 0; i < count; ++i) {
    actions += (i == 0 ? "[" : ", ") +
               ("{action: insert, from_attribute: a, key: c" + std::to_string(i)) + "}";
  }
  return actions + "]";
}

TEST_CASE("an edit may make a batch many times larger than a buffer holds at best",
          "[attributes]") {
  auto test = attributes(copies(4));
  const std::string large(std::size_t{6} << 20, 'x');
  std::vector<SpanSpec> specs = numbered_spans(4);
  for (SpanSpec& spec : specs) spec.attributes = {{"a", large}};
  test.send(make_batch({{.service = "shop", .spans = specs}}));
  const SpanBatch& result = test.next.batches.at(0);
  CHECK(result.wire_size() > 20 * large.size());
  CHECK(span_names(result) == Strings{"span-0", "span-1", "span-2", "span-3"});
  for (std::uint32_t i = 0; i < 4; ++i) {
    for (const char* key : {"a", "c0", "c1", "c2", "c3"}) {
      CHECK(SpanView(result.span_bytes(i)).attribute(key)->value().string().size() == large.size());
    }
  }
}

TEST_CASE("a span that copies of a large value would make absurdly large is dropped",
          "[attributes]") {
  auto test = attributes(copies(16));
  std::vector<SpanSpec> specs = numbered_spans(2);
  specs[0].attributes = {{"a", std::string(std::size_t{33} << 20, 'x')}};
  CHECK(test.send(make_batch({{.service = "shop", .spans = specs}})) == "accepted");
  CHECK(span_names(test.next.batches.at(0)) == Strings{"span-1"});
  CHECK(test.flow("dropped") == 1);
  CHECK(test.conserved());
}

TEST_CASE("the collector's example of the bench edits as it says", "[attributes]") {
  CHECK(after(R"([
      {key: env, value: prod, action: insert},
      {key: app.user.id, action: hash},
      {key: user_agent.original, action: delete},
      {key: http.request.method, value: X, action: update}])",
              {{"http.request.method", "GET"},
               {"user_agent.original", "curl"},
               {"app.user.id", "alice"}}) ==
        Strings{"http.request.method=s:X",
                "app.user.id=s:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90",
                "env=s:prod"});
}

TEST_CASE("what an edited batch is answered with is what downstream answers", "[attributes]") {
  auto test = attributes("[{action: insert, key: a, value: 1}]");
  test.next.refuse = Answer{Verdict::retry_later, std::chrono::milliseconds(5), "full"};
  CHECK(test.send(span_with({})) == "retry_later");
  CHECK(test.flow("refused", {{"reason", "overload"}}) == 1);
  CHECK(test.conserved());
}

TEST_CASE("mistakes in actions are named where they stand", "[attributes]") {
  const auto mistakes = [](const std::string& actions) {
    Strings lines = processor_mistakes(attributes_processor(), "actions: " + actions);
    for (std::string& line : lines) line.erase(0, std::string("test.yaml:1:").size());
    return lines;
  };
  CHECK(processor_mistakes(attributes_processor(), "{}") ==
        Strings{"test.yaml:1:1: actions: required, but missing"});
  CHECK(mistakes("[]") == Strings{"10: actions: must not be empty"});
  CHECK(mistakes("[{key: a, action: insrt, value: 1}]") ==
        Strings{"28: actions[0].action: expected one of \"insert\", \"update\", \"upsert\", "
                "\"delete\", \"hash\", "
                "\"extract\", \"convert\", found \"insrt\"; did you mean \"insert\"?"});
  CHECK(mistakes("[{action: insert, value: 1}]") ==
        Strings{"11: actions[0].key: required, but missing"});
  CHECK(mistakes("[{key: a, action: insert}]") ==
        Strings{"11: actions[0]: the action \"insert\" needs one of value, from_attribute, "
                "from_context and "
                "default_value"});
  CHECK(mistakes("[{key: a, action: insert, value: 1, from_attribute: b}]") ==
        Strings{"11: actions[0]: takes only one of value, from_attribute and from_context"});
  CHECK(mistakes("[{key: a, action: insert, value: 1, pattern: b}]") ==
        Strings{"55: actions[0].pattern: is not used by the action \"insert\""});
  CHECK(mistakes("[{key: a, action: delete, value: 1}]") ==
        Strings{"43: actions[0].value: is not used by the action \"delete\""});
  CHECK(mistakes("[{action: hash}]") ==
        Strings{"11: actions[0]: the action \"hash\" needs key or pattern"});
  CHECK(mistakes("[{action: delete, pattern: '('}]") ==
        Strings{"37: actions[0].pattern: expected a regular expression (RE2), found \"(\": missing "
                "): ("});
  CHECK(mistakes("[{key: a, action: extract}]") ==
        Strings{"11: actions[0].pattern: required, but missing"});
  CHECK(mistakes("[{key: a, action: extract, pattern: 'x'}]") ==
        Strings{"46: actions[0].pattern: needs a named group such as (?P<key>.*): it names the "
                "attribute to write"});
  CHECK(mistakes("[{key: a, action: extract, pattern: '(x)(?P<y>z)'}]") ==
        Strings{"46: actions[0].pattern: every group needs a name, such as (?P<key>.*)"});
  CHECK(mistakes("[{key: a, action: convert}]") ==
        Strings{"11: actions[0].converted_type: required, but missing"});
  CHECK(mistakes("[{key: a, action: convert, converted_type: bool}]") ==
        Strings{"53: actions[0].converted_type: expected one of \"string\", \"int\", \"double\", "
                "found \"bool\""});
  CHECK(mistakes("[{key: a, action: convert, converted_type: int, pattern: x}]") ==
        Strings{"67: actions[0].pattern: is not used by the action \"convert\""});
  CHECK(mistakes("[{key: a, action: delete, vaule: 1}]") ==
        Strings{"36: actions[0].vaule: unknown key; did you mean \"value\"?"});
}

TEST_CASE("the README of attributes shows what is decoded", "[attributes]") {
  CHECK(readme_mistakes("processors/attributes/README.md", "processors", "attributes",
                        attributes_processor().decode) == Strings{});
}

}  // namespace
}  // namespace sluice::test
