// Edits of wire bytes agree with the same edits of libprotobuf's objects.
#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "otlp.pb.h"
#include "pipeline/attributes/edit.h"
#include "pipeline/model/otlp_fields.h"
#include "test/support/random_otlp.h"

namespace sluice::test {
namespace {

using Attributes = google::protobuf::RepeatedPtrField<pb::KeyValue>;

struct Step {
  std::string action, key, from;
  std::string yaml() const {
    const std::string head = "{action: " + action + ", key: \"" + key + "\"";
    if (action == "delete" || action == "hash") return head + "}";
    return head + (from.empty() ? ", value: X}" : ", from_attribute: \"" + from + "\"}");
  }
};

const std::vector<std::string> keys = {"a",     "http.method", "GET",   "service",
                                       "größe", "数据",        "absent"};

std::vector<Step> random_steps(RandomOtlp& random) {
  static const char* const actions[] = {"insert", "update", "upsert", "delete", "hash"};
  std::vector<Step> steps(1 + random.below(6));
  for (Step& step : steps) {
    step = {actions[random.below(std::size(actions))], keys[random.below(keys.size())], {}};
    if (random.chance(40)) step.from = keys[random.below(keys.size())];
  }
  return steps;
}

const pb::KeyValue* last_of(const Attributes& attributes, const std::string& key) {
  const auto found = std::find_if(attributes.rbegin(), attributes.rend(),
                                  [&](const auto& kv) { return kv.key() == key; });
  return found == attributes.rend() ? nullptr : &*found;
}

pb::AnyValue hashed(const pb::AnyValue& value) {
  std::string bytes;
  std::uint64_t number = 0;
  if (value.has_int_value()) number = static_cast<std::uint64_t>(value.int_value());
  if (value.has_double_value()) number = std::bit_cast<std::uint64_t>(value.double_value());
  if (value.has_string_value()) bytes = value.string_value();
  if (value.has_bool_value()) bytes = std::string(1, value.bool_value() ? '\1' : '\0');
  if (value.has_int_value() || value.has_double_value()) {
    bytes.assign(reinterpret_cast<const char*>(&number), sizeof number);
  }
  pb::AnyValue out;
  out.set_string_value("");
  if (!value.has_string_value() && bytes.empty()) return out;
  unsigned char digest[32];
  REQUIRE(EVP_Digest(bytes.data(), bytes.size(), digest, nullptr, EVP_sha256(), nullptr) == 1);
  std::string hex;
  for (const unsigned char byte : digest) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", byte);
    hex += pair;
  }
  out.set_string_value(hex);
  return out;
}

/// Unknown fields of a KeyValue go with its old value.
void remake(pb::KeyValue& attribute, const pb::AnyValue& value) {
  if (attribute.value().SerializeAsString() == value.SerializeAsString()) return;
  pb::KeyValue fresh;
  fresh.set_key(attribute.key());
  *fresh.mutable_value() = value;
  attribute = fresh;
}

void apply(Attributes& attributes, const Step& step) {
  if (step.action == "delete") {
    const auto kept = std::remove_if(attributes.begin(), attributes.end(),
                                     [&](const auto& kv) { return kv.key() == step.key; });
    attributes.erase(kept, attributes.end());
    return;
  }
  if (step.action == "hash") {
    for (pb::KeyValue& kv : attributes) {
      if (kv.key() == step.key) remake(kv, hashed(kv.value()));
    }
    return;
  }
  pb::AnyValue value;
  value.set_string_value("X");
  if (!step.from.empty()) {
    const pb::KeyValue* const source = last_of(attributes, step.from);
    if (source == nullptr) return;
    value = source->value();
  }
  const bool there = last_of(attributes, step.key) != nullptr;
  if (step.action != "insert") {
    for (pb::KeyValue& kv : attributes) {
      if (kv.key() == step.key) remake(kv, value);
    }
  }
  if (there || step.action == "update") return;
  pb::KeyValue& added = *attributes.Add();
  added.set_key(step.key);
  *added.mutable_value() = value;
}

template <typename Message>
std::string canonical(std::string_view bytes) {
  Message message;
  REQUIRE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return message.SerializeAsString();
}

/// Whether the edit changed anything.
template <typename Message>
bool compare(const std::string& bytes, const std::vector<Step>& steps, std::uint32_t number) {
  std::string yaml = "actions: [";
  for (const Step& step : steps) yaml += (&step == &steps[0] ? "" : ", ") + step.yaml();
  INFO(yaml << ']');
  config::Problems problems;
  const auto actions = AttributeActions::decode(
      config::parse_text(yaml + "]", "test.yaml", problems), "actions", number);
  REQUIRE(problems.list().empty());

  Message expected;
  REQUIRE(expected.ParseFromString(bytes));
  for (const Step& step : steps) apply(*expected.mutable_attributes(), step);

  AttributeEdit edit(actions);
  BufferWriter out(bytes.size());
  const bool changed = edit.apply(bytes);
  if (changed) edit.write(out);
  const std::string_view result = changed ? out.bytes() : bytes;
  REQUIRE(canonical<Message>(result) == expected.SerializeAsString());
  return changed;
}

TEST_CASE("edits of random spans and resources agree with libprotobuf's", "[attributes]") {
  for (const bool wild : {false, true}) {
    int changed = 0;
    RandomOtlp random(wild ? 7 : 8, {.attributes_max = 12, .wild = wild});
    for (int round = 0; round < 1500; ++round) {
      INFO("wild " << wild << ", round " << round);
      changed += compare<pb::Span>(random.span(), random_steps(random), otlp::span::attributes);
      changed += compare<pb::Resource>(random.resource(), random_steps(random),
                                       otlp::resource::attributes);
    }
    CHECK(changed > 1000);
  }
}

}  // namespace
}  // namespace sluice::test
