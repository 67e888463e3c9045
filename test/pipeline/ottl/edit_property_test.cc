// Statements on wire bytes agree with the same edits of libprotobuf's objects.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "otlp.pb.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/ottl/ottl.h"
#include "test/support/random_otlp.h"

namespace sluice::test {
namespace {

using Attributes = google::protobuf::RepeatedPtrField<pb::KeyValue>;

const std::vector<std::string> keys = {"a",     "http.method", "GET",   "service",
                                       "größe", "数据",        "absent"};

bool is_one_of(const pb::KeyValue& attribute, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), attribute.key()) != names.end();
}

pb::KeyValue* first_of(Attributes& attributes, const std::string& key) {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const auto& each) { return each.key() == key; });
  return found == attributes.end() ? nullptr : &*found;
}

template <typename Predicate>
void erase_if(Attributes& attributes, Predicate goes) {
  attributes.erase(std::remove_if(attributes.begin(), attributes.end(), goes), attributes.end());
}

/// The first of the key takes the value, its duplicates go. Unknown fields of a KeyValue go with
/// its old value.
void set(Attributes& attributes, const std::string& key, const pb::AnyValue& value) {
  pb::KeyValue fresh;
  fresh.set_key(key);
  *fresh.mutable_value() = value;
  pb::KeyValue* const there = first_of(attributes, key);
  if (there == nullptr) {
    *attributes.Add() = fresh;
    return;
  }
  if (there->value().SerializeAsString() != value.SerializeAsString()) *there = fresh;
  bool first = true;
  erase_if(attributes, [&](const pb::KeyValue& each) {
    return each.key() == key && !std::exchange(first, false);
  });
}

/// One statement with what it does to an object.
struct Step {
  std::string statement;
  std::function<void(pb::Span&)> apply;
};

Step random_attribute_step(RandomOtlp& random, bool wild) {
  const std::string key = keys[random.below(keys.size())];
  const std::string other = keys[random.below(keys.size())];
  switch (random.below(wild ? 4 : 5)) {
    case 0:
      return {"delete_key(attributes, \"" + key + "\")", [=](pb::Span& span) {
                erase_if(*span.mutable_attributes(),
                         [&](const auto& each) { return each.key() == key; });
              }};
    case 1:
      return {"keep_keys(attributes, [\"" + key + "\", \"" + other + "\", \"a\"])",
              [=](pb::Span& span) {
                erase_if(*span.mutable_attributes(), [&](const auto& each) {
                  return !is_one_of(each, {key, other, "a"});
                });
              }};
    case 2:
      return {"set(attributes[\"" + key + "\"], \"X\")", [=](pb::Span& span) {
                pb::AnyValue value;
                value.set_string_value("X");
                set(*span.mutable_attributes(), key, value);
              }};
    case 3:
      return {"set(attributes[\"" + key + "\"], -7)", [=](pb::Span& span) {
                pb::AnyValue value;
                value.set_int_value(-7);
                set(*span.mutable_attributes(), key, value);
              }};
    default:
      return {"set(attributes[\"" + key + "\"], attributes[\"" + other + "\"])",
              [=](pb::Span& span) {
                // What is not there is nil, which empties.
                const pb::KeyValue* const source = first_of(*span.mutable_attributes(), other);
                const pb::AnyValue value = source == nullptr ? pb::AnyValue() : source->value();
                set(*span.mutable_attributes(), key, value);
              }};
  }
}

Step random_field_step(RandomOtlp& random, bool wild) {
  switch (random.below(wild ? 6 : 8)) {
    case 0: return {"set(name, \"n\")", [](pb::Span& span) { span.set_name("n"); }};
    case 1: return {"set(name, \"\")", [](pb::Span& span) { span.set_name(""); }};
    case 2: return {"set(kind, SPAN_KIND_CLIENT)", [](pb::Span& span) { span.set_kind(3); }};
    case 3:
      return {"set(end_time_unix_nano, 77)",
              [](pb::Span& span) { span.set_end_time_unix_nano(77); }};
    case 4: return {"set(flags, 5)", [](pb::Span& span) { span.set_flags(5); }};
    case 5:
      return {"set(dropped_links_count, 300)",
              [](pb::Span& span) { span.set_dropped_links_count(300); }};
    case 6:
      return {"set(status.code, STATUS_CODE_ERROR)",
              [](pb::Span& span) { span.mutable_status()->set_code(2); }};
    default:
      return {"set(status.message, \"m\")",
              [](pb::Span& span) { span.mutable_status()->set_message("m"); }};
  }
}

/// Whether the edit changed anything.
bool compare(const std::string& bytes, const std::vector<Step>& steps) {
  std::string text;
  for (const Step& step : steps) text += step.statement + "; ";
  INFO(text);
  pb::Span expected;
  REQUIRE(expected.ParseFromString(bytes));
  ottl::Evaluation in;
  in.begin_span(bytes);
  for (const Step& step : steps) {
    std::vector<ottl::Mistake> mistakes;
    const auto statement = ottl::compile_statement(step.statement, ottl::Context::span,
                                                   ottl::PathStyle::short_form, mistakes);
    REQUIRE(mistakes.empty());
    REQUIRE(statement->run(in));
    step.apply(expected);
  }
  const bool changed = in.span.changed();
  BufferWriter out(bytes.size());
  if (changed) in.span.write(out);
  pb::Span result;
  const std::string_view written = changed ? out.bytes() : std::string_view(bytes);
  REQUIRE(result.ParseFromArray(written.data(), static_cast<int>(written.size())));
  REQUIRE(result.SerializeAsString() == expected.SerializeAsString());
  return changed;
}

TEST_CASE("statements on random spans agree with edits of libprotobuf's objects", "[ottl]") {
  for (const bool wild : {false, true}) {
    int changed = 0;
    RandomOtlp random(wild ? 17 : 18, {.attributes_max = 40, .wild = wild});
    for (int round = 0; round < 1000; ++round) {
      INFO("wild " << wild << ", round " << round);
      std::vector<Step> steps;
      for (std::uint64_t i = 0; i <= random.below(6); ++i)
        steps.push_back(random.chance(60) ? random_attribute_step(random, wild)
                                          : random_field_step(random, wild));
      changed += compare(random.span(), steps);
    }
    CHECK(changed > 500);
  }
}

}  // namespace
}  // namespace sluice::test
