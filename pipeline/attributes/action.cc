#include "pipeline/attributes/action.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <map>
#include <utility>

#include "pipeline/attributes/value.h"

namespace sluice {
namespace {

using Kind = AttributeAction::Kind;

const std::initializer_list<std::pair<std::string_view, Kind>> kinds = {
    {"insert", Kind::insert},  {"update", Kind::update}, {"upsert", Kind::upsert},
    {"delete", Kind::erase},   {"hash", Kind::hash},     {"extract", Kind::extract},
    {"convert", Kind::convert}};

bool sets_a_value(Kind kind) {
  return kind == Kind::insert || kind == Kind::update || kind == Kind::upsert;
}

/// The words are taken in any case, as the collector does.
std::optional<Kind> decode_kind(const config::Node& node, std::string& word) {
  Kind kind = Kind::insert;
  node.required("action", word);
  if (word.empty()) return std::nullopt;
  std::string lower = word;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto* const found = std::find_if(kinds.begin(), kinds.end(),
                                         [&](const auto& known) { return known.first == lower; });
  if (found != kinds.end()) return found->second;
  node.one_of("action", kind, kinds);  // says what is known, and which comes nearest
  return std::nullopt;
}

bool given(const config::Node& node, std::string_view key) {
  const config::Node value = node.child(key);
  return value.present() && value.kind() != config::Node::Kind::null;
}

void refuse_unused(const config::Node& node, const std::string& word,
                   std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (given(node, key)) node.error(key, "is not used by the action \"" + word + "\"");
  }
}

std::optional<ConstantAttribute> decode_constant(const config::Node& node, std::string_view key,
                                                 const std::string& attribute,
                                                 std::uint32_t number) {
  if (!given(node, key)) return std::nullopt;
  std::string value = encoded_value(node.child(key));
  std::string field = encoded_attribute(number, attribute, value);
  return ConstantAttribute{std::move(value), std::move(field)};
}

void decode_source(const config::Node& node, AttributeAction& action, const std::string& word,
                   std::uint32_t number) {
  action.value = decode_constant(node, "value", action.key, number);
  action.default_value = decode_constant(node, "default_value", action.key, number);
  node.optional("from_attribute", action.from_attribute);
  node.optional("from_context", action.from_context);
  const int sources = (action.value ? 1 : 0) + (action.from_attribute.empty() ? 0 : 1) +
                      (action.from_context.empty() ? 0 : 1);
  if (sources > 1) {
    node.error("", "takes only one of value, from_attribute and from_context");
  } else if (sources == 0 && !action.default_value) {
    node.error("", "the action \"" + word +
                       "\" needs one of value, from_attribute, from_context and default_value");
  }
  refuse_unused(node, word, {"pattern", "converted_type"});
}

void decode_groups(const config::Node& node, AttributeAction& action) {
  const std::map<int, std::string>& names = action.pattern->CapturingGroupNames();
  const int count = action.pattern->NumberOfCapturingGroups();
  node.expect(count > 0, "pattern",
              "needs a named group such as (?P<key>.*): it names the attribute to write");
  for (int group = 1; group <= count; ++group) {
    const auto name = names.find(group);
    if (name == names.end())
      return node.error("pattern", "every group needs a name, such as (?P<key>.*)");
    action.groups.push_back(name->second);
  }
}

AttributeAction decode_action(const config::Node& node, std::uint32_t number) {
  AttributeAction action;
  std::string word;
  std::string pattern;
  node.optional("key", action.key);
  node.optional("pattern", pattern);
  const std::optional<Kind> kind = decode_kind(node, word);
  if (!pattern.empty()) action.pattern = decode_pattern(node, "pattern", pattern);
  const bool by_pattern = kind == Kind::erase || kind == Kind::hash;
  if (!by_pattern && action.key.empty()) node.error("key", "required, but missing");
  if (by_pattern && action.key.empty() && pattern.empty()) {
    node.error("", "the action \"" + word + "\" needs key or pattern");
  }
  const std::initializer_list<std::string_view> sources = {"value", "from_attribute",
                                                           "from_context", "default_value"};
  for (const std::string_view key : sources) (void)node.child(key);  // known, whatever the action
  (void)node.child("converted_type");
  if (kind) action.kind = *kind;
  if (kind && sets_a_value(*kind)) {
    decode_source(node, action, word, number);
  } else if (kind) {
    refuse_unused(node, word, sources);
    if (kind != Kind::convert) refuse_unused(node, word, {"converted_type"});
  }
  if (kind == Kind::extract) {
    node.expect(!pattern.empty(), "pattern", "required, but missing");
    if (action.pattern) decode_groups(node, action);
  } else if (kind == Kind::convert) {
    refuse_unused(node, word, {"pattern"});
    using Type = AttributeAction::Type;
    if (!given(node, "converted_type")) node.error("converted_type", "required, but missing");
    node.one_of("converted_type", action.converted_type,
                {{"string", Type::string}, {"int", Type::integer}, {"double", Type::real}});
  }
  node.no_other_keys();
  return action;
}

/// RE2 of this age reads named groups only as `(?P<name>`.
std::string with_old_group_names(const std::string& text) {
  std::string out;
  bool in_class = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    out += text[at];
    if (text[at] == '\\' && at + 1 < text.size()) {
      out += text[++at];
    } else if (text[at] == '[') {
      in_class = true;
    } else if (text[at] == ']') {
      in_class = false;
    } else if (!in_class && text.compare(at, 3, "(?<") == 0) {
      out += "?P";
      ++at;
    }
  }
  return out;
}

/// Gives every key that the actions name its number.
void number_keys(AttributeActions& actions) {
  std::vector<std::string> keys;
  for (const AttributeAction& action : actions.list) {
    if (!action.key.empty()) keys.push_back(action.key);
    if (!action.from_attribute.empty()) keys.push_back(action.from_attribute);
    keys.insert(keys.end(), action.groups.begin(), action.groups.end());
  }
  actions.keys = KeyTable(std::move(keys));
  for (AttributeAction& action : actions.list) {
    action.key_number = actions.keys.find(action.key);
    action.from_number = actions.keys.find(action.from_attribute);
    for (const std::string& group : action.groups)
      action.group_numbers.push_back(actions.keys.find(group));
    if (action.pattern && action.kind != Kind::extract) actions.looks_at_all = true;
  }
}

}  // namespace

std::shared_ptr<const re2::RE2> compiled_pattern(const std::string& text) {
  return std::make_shared<re2::RE2>(with_old_group_names(text), re2::RE2::Quiet);
}

std::shared_ptr<const re2::RE2> decode_pattern(const config::Node& node, std::string_view key,
                                               std::string text) {
  auto pattern = compiled_pattern(text);
  if (pattern->ok()) return pattern;
  node.error(key,
             "expected a regular expression (RE2), found \"" + text + "\": " + pattern->error());
  return nullptr;
}

AttributeActions AttributeActions::decode(const config::Node& node, std::string_view key,
                                          std::uint32_t number) {
  AttributeActions actions;
  actions.number = number;
  const config::Node child = node.child(key);
  for (const config::Node& item : child.list()) actions.list.push_back(decode_action(item, number));
  if (child.kind() == config::Node::Kind::absent || child.kind() == config::Node::Kind::null) {
    node.error(key, "required, but missing");
  } else if (child.kind() == config::Node::Kind::list && actions.list.empty()) {
    node.error(key, "must not be empty");
  }
  number_keys(actions);
  return actions;
}

AttributeActions AttributeActions::setting(
    const std::vector<std::pair<std::string, std::string>>& attributes, bool overrides,
    std::uint32_t number) {
  AttributeActions actions;
  actions.number = number;
  for (const auto& [key, value] : attributes) {
    AttributeAction& action = actions.list.emplace_back();
    action.kind = overrides ? Kind::upsert : Kind::insert;
    action.key = key;
    action.value = ConstantAttribute{value, encoded_attribute(number, key, value)};
  }
  number_keys(actions);
  return actions;
}

bool AttributeActions::reads_context() const {
  return std::any_of(list.begin(), list.end(),
                     [](const AttributeAction& action) { return !action.from_context.empty(); });
}

}  // namespace sluice
