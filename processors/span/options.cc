#include "processors/span/options.h"

#include <re2/re2.h>

#include <map>
#include <utility>

#include "pipeline/attributes/action.h"
#include "pipeline/model/message_patch.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"

namespace sluice::span_processing {
namespace {

std::vector<std::string> group_keys(const re2::RE2& pattern) {
  std::vector<std::string> keys(static_cast<std::size_t>(pattern.NumberOfCapturingGroups()));
  for (const auto& [group, name] : pattern.CapturingGroupNames())
    keys[static_cast<std::size_t>(group) - 1] = name;
  return keys;
}

void decode_rules(const config::Node& node, Options& options) {
  std::vector<std::string> rules;
  node.optional("rules", rules);
  for (std::string& text : rules) {
    Rule rule;
    rule.pattern = decode_pattern(node, "rules", std::move(text));
    if (rule.pattern) rule.keys = group_keys(*rule.pattern);
    options.rules.push_back(std::move(rule));
  }
  node.optional("break_after_match", options.break_after_match);
  node.optional("keep_original_name", options.keep_original_name);
  node.no_other_keys();
}

std::string status_field(const Status& status) {
  std::string content;
  MessagePatch fields;
  fields.begin({});
  if (!status.description.empty())
    content += fields.string_field(otlp::status::message, status.description);
  if (status.code != StatusCode::unset) {
    content += static_cast<char>(wire::tag(otlp::status::code, wire::Type::varint));
    content += static_cast<char>(status.code);
  }
  return std::string(fields.string_field(otlp::span::status, content));
}

std::optional<Status> decode_status(const config::Node& node) {
  if (!node.present()) return std::nullopt;
  Status status;
  std::string word;
  node.required("code", word);
  node.one_of("code", status.code,
              {{"Unset", StatusCode::unset}, {"Ok", StatusCode::ok}, {"Error", StatusCode::error}});
  node.optional("description", status.description);
  node.expect(status.description.empty() || status.code == StatusCode::error, "description",
              "is for the code Error alone");
  node.no_other_keys();
  status.field = status_field(status);
  return status;
}

}  // namespace

Options Options::decode(const config::Node& node) {
  Options options;
  options.matcher = SpanMatcher::decode(node);
  const config::Node name = node.child("name");
  name.optional("from_attributes", options.from_attributes);
  name.optional("separator", options.separator);
  decode_rules(name.child("to_attributes"), options);
  name.no_other_keys();
  options.status = decode_status(node.child("status"));
  if (options.from_attributes.empty() && options.rules.empty() && !options.status)
    node.error("", "needs name.from_attributes, name.to_attributes.rules or status");
  node.no_other_keys();
  return options;
}

}  // namespace sluice::span_processing
