#include "config/node.h"

#include <algorithm>

#include "config/content.h"
#include "config/scalar.h"
#include "config/scalar_place.h"

namespace sluice::config {
namespace {

using ContentPtr = std::shared_ptr<const Node::Content>;

/// "12" and "true" in quotes are text, which surprises where a number is wanted.
bool misquoted(const Value& value) {
  return !value.plain && resolve_plain(value.text).type != Node::Scalar::Type::string;
}

/// `found "fast"`, `found a map`: the end of most messages.
std::string found(const Value& value) {
  switch (value.kind) {
    case Node::Kind::map: return "found a map";
    case Node::Kind::list: return "found a list";
    case Node::Kind::scalar:
      return "found " + in_quotes(value.text) + (misquoted(value) ? " as text" : "");
    default: return "found nothing";
  }
}

ContentPtr build(const ValuePtr& value, std::string path, const Position* key, Problems& problems) {
  auto content = std::make_shared<Node::Content>();
  content->kind = value->kind;
  content->value = value;
  // A block starts at its first key, one line too late to point at; its own key is the better
  // place.
  const bool block = value->kind != Node::Kind::scalar && !value->flow;
  content->position = block && key != nullptr ? *key : value->position;
  content->key_position = key != nullptr ? *key : content->position;
  content->problems = &problems;
  for (const Entry& entry : value->entries) {
    const std::string below = path.empty() ? entry.key : path + '.' + entry.key;
    content->entries.push_back(build(entry.value, below, &entry.position, problems));
  }
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const std::string below = path + '[' + std::to_string(i) + ']';
    content->items.push_back(build(value->items[i], below, nullptr, problems));
  }
  content->path = std::move(path);
  return content;
}

void collect_known(const Node::Content& content, const std::string& prefix,
                   std::set<std::string>& known) {
  const auto collect_child = [&known](const Node::Content& child, const std::string& path) {
    const std::size_t before = known.size();
    collect_known(child, path + '.', known);
    for (const ContentPtr& item : child.items) collect_known(*item, path + "[].", known);
    if (known.size() == before) known.insert(path);
  };
  for (const std::string& key : content.asked) {
    const Node::Content* child = content.find(key);
    const auto missing = content.absent.find(key);
    if (child == nullptr && missing != content.absent.end()) child = missing->second.get();
    if (child == nullptr || child->free_keys) {
      known.insert(prefix + key);
    } else {
      collect_child(*child, prefix + key);
    }
  }
}

}  // namespace

const Entry* Value::find(std::string_view key) const {
  const auto entry = std::ranges::find(entries, key, &Entry::key);
  return entry == entries.end() ? nullptr : &*entry;
}

const Node::Content* Node::Content::find(std::string_view key) const {
  const Entry* entry = value == nullptr ? nullptr : value->find(key);
  if (entry == nullptr) return nullptr;
  return entries[static_cast<std::size_t>(entry - value->entries.data())].get();
}

std::string Node::Content::path_of(std::string_view key) const {
  if (path.empty()) return std::string(key);
  return key.empty() ? path : path + '.' + std::string(key);
}

bool Node::Content::is_map() const {
  if (kind == Kind::map) return true;
  const bool wrong = kind == Kind::scalar || kind == Kind::list;
  if (wrong && !complained && problems != nullptr) {
    complained = true;
    problems->error(position, path, "expected a map, " + found(*value));
  }
  return false;
}

Node make_node(const ValuePtr& value, std::string path, Problems& problems) {
  return Node(build(value, std::move(path), nullptr, problems));
}

Node::Node() : content_(std::make_shared<Content>()) {}
Node::~Node() = default;
Node::Node(const Node&) = default;
Node& Node::operator=(const Node&) = default;

Node::Kind Node::kind() const { return content_->kind; }
const std::string& Node::path() const { return content_->path; }
Position Node::position() const { return content_->position; }
Position Node::key_position() const { return content_->key_position; }

Node Node::child(std::string_view key) const {
  content_->asked.emplace(key);
  if (content_->is_map()) {
    if (const Entry* entry = content_->value->find(key)) {
      const auto index = static_cast<std::size_t>(entry - content_->value->entries.data());
      return Node(content_->entries[index]);
    }
  }
  ContentPtr& absent = content_->absent[std::string(key)];
  if (absent == nullptr) {
    auto content = std::make_shared<Content>();
    content->path = content_->path_of(key);
    content->position = content_->position;
    content->key_position = content_->key_position;
    content->problems = content_->problems;
    absent = std::move(content);
  }
  return Node(absent);
}

bool Node::has(std::string_view key) const { return child(key).present(); }

std::vector<std::pair<std::string, Node>> Node::entries() const {
  std::vector<std::pair<std::string, Node>> out;
  content_->free_keys = true;
  if (!content_->is_map()) return out;
  for (std::size_t i = 0; i < content_->entries.size(); ++i) {
    const std::string& key = content_->value->entries[i].key;
    content_->asked.insert(key);
    out.emplace_back(key, Node(content_->entries[i]));
  }
  return out;
}

std::vector<Node> Node::list() const {
  std::vector<Node> out;
  for (const ContentPtr& item : content_->items) out.emplace_back(item);
  if (kind() == Kind::scalar || kind() == Kind::map) unexpected("", "a list");
  return out;
}

void Node::accepted_without_effect(std::initializer_list<std::string_view> keys) const {
  for (const std::string_view key : keys) {
    content_->ignored.emplace(key);
    const bool there = content_->find(key) != nullptr;
    if (there && content_->problems != nullptr) {
      content_->problems->without_effect(content_->path_of(key));
    }
  }
}

void Node::no_other_keys() const {
  if (!content_->is_map() || content_->problems == nullptr) return;
  std::vector<std::string> known(content_->asked.begin(), content_->asked.end());
  known.insert(known.end(), content_->ignored.begin(), content_->ignored.end());
  for (const Entry& entry : content_->value->entries) {
    if (content_->asked.contains(entry.key) || content_->ignored.contains(entry.key)) continue;
    content_->problems->error(entry.position, content_->path_of(entry.key),
                              "unknown key" + did_you_mean(entry.key, known));
  }
}

void Node::error(std::string_view key, std::string message) const {
  if (content_->problems == nullptr) return;
  const Content* place = content_->find(key);
  content_->problems->error((place == nullptr ? content_.get() : place)->position,
                            content_->path_of(key), std::move(message));
}

void Node::error_within(std::size_t offset, std::size_t size, std::string message) const {
  if (content_->problems == nullptr || content_->value == nullptr) return;
  const std::string_view source = content_->problems->source_of(content_->position.file);
  content_->problems->error(position_within(*content_->value, source, offset, size), content_->path,
                            std::move(message));
}

void Node::warning(std::string_view key, std::string message) const {
  if (content_->problems == nullptr) return;
  const Content* place = content_->find(key);
  content_->problems->warning((place == nullptr ? content_.get() : place)->position,
                              content_->path_of(key), std::move(message));
}

void Node::expect(bool condition, std::string_view key, std::string_view message) const {
  if (!condition) error(key, std::string(message));
}

void Node::unexpected(std::string_view key, std::string_view expected) const {
  const Content* place = key.empty() ? content_.get() : content_->find(key);
  std::string end = "found nothing";
  if (place != nullptr && place->value != nullptr) end = found(*place->value);
  if (content_->secrets.contains(key)) end = "found \"****\"";
  error(key, "expected " + std::string(expected) + ", " + end);
}

void Node::missing(std::string_view key) const {
  if (kind() != Kind::scalar && kind() != Kind::list) error(key, "required, but missing");
}

bool Node::has_errors() const {
  return content_->problems != nullptr && content_->problems->any_errors();
}

std::vector<std::string> Node::known_keys() const {
  std::set<std::string> known;
  collect_known(*content_, "", known);
  return {known.begin(), known.end()};
}

}  // namespace sluice::config
