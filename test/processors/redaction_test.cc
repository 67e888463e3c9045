#include "processors/redaction/redaction.h"

#include <catch2/catch.hpp>

#include "pipeline/attributes/value.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;

/// "key=text", and "key#text" for what is no text.
Strings attributes_of(std::string_view message, std::uint32_t number = otlp::span::attributes) {
  Strings lines;
  AttributeRange range(message, number);
  while (const auto attribute = range.next()) {
    const bool text = attribute->value().type() == AnyValueView::Type::string;
    lines.push_back(std::string(attribute->key) + (text ? "=" : "#") + text_of(attribute->value()));
  }
  return lines;
}

SpanBatch span_with(Attributes attributes) {
  return make_batch({{.spans = {{.name = "pay", .attributes = std::move(attributes)}}}});
}

/// The attributes of a span after the options, which are those of a map without its braces.
Strings after(const std::string& options, Attributes before) {
  ProcessorFixture test(redaction_processor(), "{" + options + "}");
  CHECK(test.mistakes == Strings{});
  CHECK(test.send(span_with(std::move(before))) == "accepted");
  REQUIRE(test.next.batches.size() == 1);
  CHECK(test.conserved());
  return attributes_of(test.next.batches[0].span_bytes(0));
}

const std::string all = "allow_all_keys: true, ";

TEST_CASE("attributes that are not on the list are removed", "[redaction]") {
  const Attributes before = {{"id", 5}, {"birth", "1990"}, {"name", "placeholder"}};
  CHECK(after("allowed_keys: [id, name]", before) == Strings{"id#5", "name=placeholder"});
  CHECK(after("", before) == Strings{});
  CHECK(after(all + "allowed_keys: [id]", before).size() == 3);
}

TEST_CASE("ignored attributes pass as they are, on the list or not", "[redaction]") {
  const std::string options =
      "ignored_keys: [safe], ignored_key_patterns: ['_trusted$'], blocked_values: ['\\d'], "
      "blocked_key_patterns: [safe]";
  CHECK(after(options, {{"safe", "1"}, {"a_trusted", "2"}, {"other", "3"}}) ==
        Strings{"safe=1", "a_trusted=2"});
}

TEST_CASE("what a pattern finds in a value is masked, and nothing else of it", "[redaction]") {
  const std::string options =
      all + "blocked_values: ['4[0-9]{12}(?:[0-9]{3})?', '(5[1-5][0-9]{14})']";
  CHECK(after(options, {{"note", "card 4111111111111111 and 5105105105105100, thanks"},
                        {"other", "nothing"},
                        {"number", 5}}) ==
        Strings{"note=card **** and ****, thanks", "other=nothing", "number#5"});
}

TEST_CASE("patterns work on what the one before has left", "[redaction]") {
  CHECK(after(all + "blocked_values: [a, '[*]b']", {{"k", "ab ab"}}) ==
        Strings{"k=******* *******"});
  CHECK(after(all + "masking_string: '<b>', blocked_values: [a, b]", {{"k", "a"}}) ==
        Strings{"k=<<b>>"});
}

TEST_CASE("matches without text are masked as Go replaces them", "[redaction]") {
  const std::string options = all + "masking_string: '-', blocked_values: ['x*']";
  CHECK(after(options, {{"k", "abc"}}) == Strings{"k=-a-b-c-"});
  CHECK(after(options, {{"k", "axc"}}) == Strings{"k=-a-c-"});
  CHECK(after(options, {{"k", ""}}) == Strings{"k=-"});
  CHECK(after(options, {{"k", "\u00e9"}}) == Strings{"k=-\u00e9-"});
  CHECK(after(options, {{"k", 5}}) == Strings{"k=-"});
  CHECK(after(all + "masking_string: '-', blocked_values: ['^a', '\\bb']", {{"k", "aab ba"}}) ==
        Strings{"k=-ab -a"});
}

TEST_CASE("a value is masked whole where its key is blocked, line by line", "[redaction]") {
  const std::string options = all + "blocked_key_patterns: ['.*token.*']";
  CHECK(after(options, {{"my_token", "secret"}, {"other", "open"}}) ==
        Strings{"my_token=****", "other=open"});
  CHECK(after(options, {{"token", "a\n\nb\n"}}) == Strings{"token=****\n****\n****\n****"});
  CHECK(after(options, {{"token", ""}}) == Strings{"token=****"});
  CHECK(after(options, {{"token", 5}}) == Strings{"token=****"});
  CHECK(after(options, {{"token", Array{"secret"}}}) == Strings{"token=****"});
  CHECK(after(options, {{"token", {}}}) == Strings{"token=****"});
}

TEST_CASE("an allowed value passes, whatever its key and what is in it", "[redaction]") {
  const std::string options =
      all +
      "blocked_values: [mycompany], blocked_key_patterns: [token], allowed_values: "
      "['support@mycompany']";
  CHECK(after(options, {{"a", "to support@mycompany and mycompany"},
                        {"b", "at mycompany"},
                        {"token", "support@mycompany"}}) ==
        Strings{"a=to support@mycompany and mycompany", "b=at ****", "token=support@mycompany"});
  CHECK(after("allowed_values: [x]", {{"a", "x"}}) == Strings{});
}

TEST_CASE("masks may be hashes", "[redaction]") {
  const auto hashed = [](const std::string& function) {
    return after(all + "blocked_values: [secret], hash_function: " + function,
                 {{"k", "a secret b"}})[0];
  };
  CHECK(hashed("md5") == "k=a 5ebe2294ecd0e0f08eab7690d2a6ee69 b");
  CHECK(hashed("SHA1") == "k=a e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4 b");
  CHECK(hashed("sha3") == "k=a f5a5207a8729b1f709cb710311751eb2fc8acad5a1fb8ac991b736e69b6529a3 b");
  const std::string key(64, 'k');
  CHECK(hashed("hmac-sha256, hmac_key: " + key) ==
        "k=a 4e8c8cf846e8cbca7c74b2ae138a73a6de6c28dbd16685c1cca8c854aba028bd b");
  CHECK(hashed("hmac-sha512, hmac_key: " + key).size() == std::string("k=a  b").size() + 128);
}

TEST_CASE("with redact_all_types values of any type are looked at as text", "[redaction]") {
  const std::string options = all + "redact_all_types: true, blocked_values: ['4\\d{3}']";
  CHECK(after(options, {{"i", 4111},
                        {"j", 5},
                        {"a", Array{"4111", 1}},
                        {"m", KvList{{"k", "4111"}}},
                        {"b", true},
                        {"r", 0.4111}}) ==
        Strings{"i=****", "j#5", "a=[\"****\",1]", "m={\"k\":\"****\"}", "b#true", "r=0.****"});
  CHECK(after(all + "blocked_values: ['4\\d{3}']", {{"i", 4111}, {"a", Array{"4111"}}}) ==
        Strings{"i#4111", "a#[\"4111\"]"});
  CHECK(after(all + "redact_all_types: true, blocked_key_patterns: [i], hash_function: md5",
              {{"i", 4111}}) == Strings{"i=64f07f012a35c83d7c556ba0b69ef64e"});
}

TEST_CASE("the summary says how many, and in detail which", "[redaction]") {
  const Attributes before = {{"b", "1"}, {"gone", 1}, {"a", "1"}, {"safe", 1}, {"c", "ok"}};
  const std::string options =
      "allowed_keys: [a, b, c], ignored_keys: [safe], blocked_values: ['1'], allowed_values: [ok]";
  CHECK(after(options + ", summary: debug", before) ==
        Strings{"b=****", "a=****", "safe#1", "c=ok", "redaction.redacted.keys=gone",
                "redaction.redacted.count#1", "redaction.masked.keys=a,b",
                "redaction.masked.count#2", "redaction.allowed.keys=c", "redaction.allowed.count#1",
                "redaction.ignored.count#1"});
  CHECK(after(options + ", summary: info", before) ==
        Strings{"b=****", "a=****", "safe#1", "c=ok", "redaction.redacted.count#1",
                "redaction.masked.count#2", "redaction.allowed.count#1",
                "redaction.ignored.count#1"});
  CHECK(after(options + ", summary: silent", before).size() == 4);
  CHECK(after(options, before).size() == 4);
}

TEST_CASE("a summary that is there is added to, in its place", "[redaction]") {
  CHECK(after(all + "blocked_values: ['1'], summary: debug", {{"redaction.masked.count", 2},
                                                              {"redaction.masked.keys", "z,y"},
                                                              {"x", "1"},
                                                              {"redaction.allowed.count", 7}}) ==
        Strings{"redaction.masked.count#3", "redaction.masked.keys=x,y,z", "x=****",
                "redaction.allowed.count#7"});
  CHECK(after("allowed_keys: [x], summary: debug",
              {{"redaction.allowed.keys", "a"}, {"redaction.masked.keys", "a"}, {"x", 1}}) ==
        Strings{"redaction.masked.keys=a", "x#1", "redaction.redacted.keys=redaction.allowed.keys",
                "redaction.redacted.count#1"});
}

TEST_CASE("resources, scopes and events are redacted like spans", "[redaction]") {
  ProcessorFixture test(redaction_processor(),
                        "{allowed_keys: [a], blocked_values: [secret], summary: info}");
  const Attributes attributes = {{"a", "secret"}, {"b", 1}};
  test.send(
      make_batch({{.attributes = attributes,
                   .scopes = {{.name = "lib",
                               .attributes = attributes,
                               .spans = {{.name = "s",
                                          .attributes = attributes,
                                          .events = {{.name = "e", .attributes = attributes},
                                                     {.name = "f", .attributes = {{"a", "open"}}}},
                                          .links = {{.trace_id = make_id(1, 16),
                                                     .span_id = make_id(2, 8),
                                                     .attributes = attributes}}}}}}}}));
  const std::string sent = test.next.batches.at(0).encode().to_string();
  const SpanBatch result = parse_batch(sent);
  const Strings expected = {"a=****", "redaction.redacted.count#1", "redaction.masked.count#1"};
  const SpanEntry& span = result.spans()[0];
  CHECK(attributes_of(result.resource_bytes(span), otlp::resource::attributes) == expected);
  CHECK(attributes_of(result.scope_bytes(span), otlp::scope::attributes) == expected);
  CHECK(ScopeView(result.scope_bytes(span)).name == "lib");
  CHECK(attributes_of(result.span_bytes(span)) == expected);
  FieldRange events = SpanView(result.span_bytes(span)).events();
  const auto first = events.next();
  CHECK(EventView(first->content).name == "e");
  CHECK(attributes_of(first->content, otlp::event::attributes) == expected);
  CHECK(attributes_of(events.next()->content, otlp::event::attributes) == Strings{"a=open"});
  FieldRange links = SpanView(result.span_bytes(span)).links();
  CHECK(attributes_of(links.next()->content, otlp::link::attributes) == Strings{"a=secret", "b#1"});
}

TEST_CASE("a batch in which nothing is redacted keeps its bytes", "[redaction]") {
  ProcessorFixture test(redaction_processor(),
                        "{allow_all_keys: true, blocked_values: [secret], blocked_key_patterns: "
                        "[token], allowed_values: [a], summary: silent}");
  const SpanBatch batch = span_with({{"a", "open"}, {"b", 1}});
  test.send(batch);
  CHECK(test.next.batches.at(0).span_bytes(0).data() == batch.span_bytes(0).data());
}

TEST_CASE("an attribute that cannot be read is left out rather than let through", "[redaction]") {
  const auto left = [](const std::string& options, const std::string& key_value) {
    ProcessorFixture test(redaction_processor(),
                          "{allow_all_keys: true, blocked_values: [secret]" + options + "}");
    SpanSpec spec{.attributes = {{"a", "open"}}};
    spec.raw = length_field(otlp::span::attributes, key_value);
    test.send(make_batch({{.spans = {spec}}}));
    return attributes_of(test.next.batches.at(0).span_bytes(0)).size() - 1;
  };
  const std::string secret = length_field(2, length_field(1, "secret"));
  const std::string open = length_field(2, length_field(1, "open"));
  const std::string key = length_field(1, "k");
  CHECK(left("", key + open) == 1);
  CHECK(left("", open + key) == 1);
  CHECK(left("", key) == 1);
  CHECK(left("", key + secret + open) == 0);
  CHECK(left("", key + length_field(2, length_field(1, "secret") + length_field(1, "open"))) == 0);
  CHECK(left("", key + length_field(1, "l") + open) == 0);
  CHECK(left("", key + length_field(2, "\x0a\x7fsecret")) == 0);
  CHECK(left("", "\x0a\x7fsecret") == 0);
  CHECK(left("", key + length_field(5, "secret")) == 0);
  CHECK(left("", key + length_field(2, length_field(9, "secret"))) == 0);
  std::string deep = length_field(1, "secret");
  for (int i = 0; i < 120; ++i) deep = length_field(5, length_field(1, deep));
  CHECK(left(", redact_all_types: true", key + length_field(2, deep)) == 0);
  CHECK(left("", key + length_field(2, deep)) == 1);
  const std::string twice = length_field(1, key + secret) + length_field(1, key + open);
  CHECK(left(", redact_all_types: true", key + length_field(2, length_field(6, twice))) == 0);
  const std::string infinite = length_field(1, fixed64_field(4, 0x7ff0000000000000));
  const std::string hidden = length_field(1, length_field(1, "secret")) + infinite;
  CHECK(left(", redact_all_types: true", key + length_field(2, length_field(5, hidden))) == 0);
  const std::string broken = length_field(5, length_field(1, "\x0a\x7fsecret"));
  CHECK(left(", redact_all_types: true", key + length_field(2, broken)) == 0);
}

TEST_CASE("a resource that is cut off keeps what could be read of it", "[redaction]") {
  ProcessorFixture test(redaction_processor(), "{allow_all_keys: true, blocked_values: [secret]}");
  const std::string spans = length_field(
      2, length_field(2, span_message({.trace_id = make_id(1, 16), .span_id = make_id(1, 8)})));
  const std::string resource = length_field(1, key_value_message({"a", "open"})) + "\x0a\x7fsecret";
  ParseReport report;
  const auto batch =
      SpanBatch::parse(Buffer::copy_of(length_field(1, length_field(1, resource) + spans)), report);
  if (!batch) return;  // refused at the door
  test.send(*batch);
  const std::string sent = test.next.batches.at(0).encode().to_string();
  CHECK(sent.find("secret") == std::string::npos);
  CHECK(sent.find("open") != std::string::npos);
}

TEST_CASE("text that is no UTF-8 is masked too", "[redaction]") {
  CHECK(after(all + "blocked_values: ['^.*secret']", {{"k", "\xff secret"}, {"l", "\xff open"}}) ==
        Strings{"k=****", "l=\xff open"});
  CHECK(after(all + "blocked_key_patterns: ['^.token']", {{"\xfftoken", "secret"}}) ==
        Strings{"\xfftoken=****"});
}

TEST_CASE("of a message with absurdly many attributes the rest is left out", "[redaction]") {
  Attributes many(20'000, {"a", "open"});
  CHECK(after("allowed_keys: [a]", std::move(many)).size() == 16'384);
}

TEST_CASE("mistakes in the options of redaction are named where they stand", "[redaction]") {
  const auto mistakes = [](std::string_view yaml) {
    return processor_mistakes(redaction_processor(), yaml);
  };
  CHECK(mistakes("{blocked_values: ['(']}").size() == 1);
  CHECK(mistakes("{summary: loud}").size() == 1);
  CHECK(mistakes("{hash_function: sha2}") ==
        Strings{"test.yaml:1:17: hash_function: expected md5, sha1, sha3, hmac-sha256 or "
                "hmac-sha512, found \"sha2\""});
  CHECK(mistakes("{hash_function: hmac-sha256}") ==
        Strings{"test.yaml:1:1: this hash_function needs hmac_key"});
  CHECK(mistakes("{hash_function: hmac-sha512, hmac_key: short}") ==
        Strings{"test.yaml:1:40: hmac_key: must be at least 64 bytes long, found 5"});
  CHECK(mistakes("{url_sanitizer: {enabled: true}}") ==
        Strings{"test.yaml:1:27: url_sanitizer.enabled: sluice has no classifier of words in URLs, "
                "which is a trained model in the collector; blocked_values can mask the parts of a "
                "URL that a pattern finds"});
  CHECK(mistakes("{db_sanitizer: {redis: {enabled: true}}}").size() == 1);
  CHECK(mistakes("{db_sanitizer: {redis: {enabled: false, attributes: [a]}}}").empty());
  CHECK(mistakes("{allow_all: true}").size() == 1);
}

TEST_CASE("the README of redaction shows what is decoded", "[redaction]") {
  CHECK(readme_mistakes("processors/redaction/README.md", "processors", "redaction",
                        redaction_processor().decode) == Strings{});
}

}  // namespace
}  // namespace sluice::test
