// Attributes, the cache and lambda parameters: the paths that keys go into. All other fields are in
// the tables of fields.h.
#include "pipeline/ottl/paths.h"

#include <algorithm>
#include <string>
#include <utility>

#include "config/error.h"
#include "pipeline/ottl/fields.h"
#include "pipeline/ottl/trace_state.h"

namespace sluice::ottl {
namespace {

/// Which map a path begins in.
struct Root {
  std::string_view context;
  Draft Evaluation::*draft;
  bool shared;
};

constexpr Root attribute_roots[] = {
    {"resource", &Evaluation::resource, true},
    {"scope", &Evaluation::scope, true},
    {"span", &Evaluation::span, false},
    {"spanevent", &Evaluation::event, false},
};
constexpr Root cache_root = {"", &Evaluation::cache, false};

/// `attributes`: all of them.
class WholeMap final : public Path {
 public:
  explicit WholeMap(const Root& root) : root_(root) {}
  Value get(Evaluation& in) const override { return (in.*root_.draft).attributes.as_map(in.arena); }
  Type type() const override { return Type::map; }
  bool shared() const override { return root_.shared; }

  Value set(Evaluation& in, const Value& value) const override {
    if (value.type != Type::map && !value.is_nil()) return in.mismatch("a map", value.type);
    Draft& draft = in.*root_.draft;
    draft.attributes.clear();
    Entries entries(value);
    while (const auto entry = entries.next()) {
      if (const auto bytes = encoded(entry->value, in.arena))
        draft.attributes.set(entry->key, *bytes, draft.memory);
    }
    return {};
  }
  Value edit_map(Evaluation& in, MapEdit edit) const override {
    return edit((in.*root_.draft).attributes, (in.*root_.draft).memory);
  }

 private:
  const Root& root_;
};

/// `attributes["key"]`, `attributes["key"]["inner"][0]`.
class MapEntry final : public Path {
 public:
  MapEntry(const Root& root, Keys keys) : root_(root), keys_(std::move(keys)) {
    const Value* const key = keys_.front()->constant();
    if (key != nullptr && key->type == Type::string && keys_.size() == 1)
      attribute_ = {root.draft, key->text};
  }
  bool shared() const override { return root_.shared; }
  const Attribute* attribute() const override { return attribute_ ? &*attribute_ : nullptr; }

  Value get(Evaluation& in) const override {
    if (attribute_) return attribute_->get(in);
    const Value key = string_key(in, *keys_.front());
    return key.failed() ? key : get(in, key.text);
  }
  Value set(Evaluation& in, const Value& value) const override {
    if (attribute_) return put(in, attribute_->key, value);
    const Value key = string_key(in, *keys_.front());
    return key.failed() ? key : set(in, key.text, value);
  }

  Value edit_map(Evaluation& in, MapEdit edit) const override {
    const Value map = get(in);
    if (map.failed()) return map;
    if (map.type != Type::map) return in.mismatch("a map", map.type);
    AttributeList list;
    list.begin(map.text, map.field);
    const Value result = edit(list, in.arena);
    if (result.failed() || !list.changed()) return result;
    return set(in, list.as_map(in.arena));
  }

 private:
  Value get(Evaluation& in, std::string_view key) const {
    const auto bytes = list(in).find(key);
    return bytes ? value_at(in, decoded(*bytes), inner()) : Value();
  }
  Value set(Evaluation& in, std::string_view key, const Value& value) const {
    if (keys_.size() == 1) return put(in, key, value);
    const auto there = list(in).find(key);
    const Value whole = with_set(in, there ? decoded(*there) : Value(), inner(), value);
    return whole.failed() ? whole : put(in, key, whole);
  }
  Value put(Evaluation& in, std::string_view key, const Value& value) const {
    if (value.type == Type::string) {
      list(in).set_text(key, value.text, (in.*root_.draft).memory);
      return {};
    }
    const auto bytes = encoded(value, in.arena);
    if (!bytes) return in.fail("an attribute cannot hold ", name_of(value.type));
    list(in).set(key, *bytes, (in.*root_.draft).memory);
    return {};
  }

  AttributeList& list(Evaluation& in) const { return (in.*root_.draft).attributes; }
  KeySpan inner() const { return KeySpan(keys_).subspan(1); }

  const Root& root_;
  const Keys keys_;
  std::optional<Attribute> attribute_;
};

/// `name`, `status.code`: a line of the tables.
class FieldPath final : public Path {
 public:
  FieldPath(const Field& field, Keys keys) : field_(field), keys_(std::move(keys)) {}
  Value get(Evaluation& in) const override {
    return keys_.empty() ? field_.get(in) : value_at(in, field_.get(in), keys_);
  }
  Type type() const override { return keys_.empty() ? field_.type : Type::any; }
  bool writable() const override { return field_.set != nullptr && keys_.empty(); }
  bool shared() const override { return field_.context == "resource" || field_.context == "scope"; }
  Value set(Evaluation& in, const Value& value) const override {
    if (!value.is_nil()) return field_.set(in, value);
    const bool empties = field_.type == Type::events || field_.type == Type::links;
    return empties ? field_.set(in, Value::of(Type::list)) : in.fail("this field cannot be nil");
  }
  Value edit_map(Evaluation& in, MapEdit) const override {
    return in.mismatch("a map", field_.type);
  }

 private:
  const Field& field_;
  const Keys keys_;
};

/// `trace_state["key"]`: its key goes through the tables as a field of its own.
class TraceStateEntry final : public Path {
 public:
  explicit TraceStateEntry(ExpressionPtr key) : key_(std::move(key)) {}
  Type type() const override { return Type::any; }
  Value get(Evaluation& in) const override;
  Value set(Evaluation& in, const Value& value) const override;
  Value edit_map(Evaluation& in, MapEdit) const override {
    return in.mismatch("a map", Type::string);
  }

 private:
  const ExpressionPtr key_;
};

/// `otelcol.client.metadata["Key"]`: all values under a header's name, which is the same in any
/// case.
class MetadataEntry final : public Path {
 public:
  explicit MetadataEntry(Keys keys) : keys_(std::move(keys)) {}
  bool writable() const override { return false; }
  Value get(Evaluation& in) const override {
    const Value key = string_key(in, *keys_.front());
    if (key.failed() || in.request == nullptr) return key.failed() ? key : Value();
    const std::vector<std::string_view> texts = in.request->metadata_values(key.text);
    if (texts.empty()) return {};
    ListBuilder values;
    for (const std::string_view text : texts) values.add(Value::of_string(text));
    return value_at(in, values.finish(in.arena), KeySpan(keys_).subspan(1));
  }
  Value set(Evaluation& in, const Value&) const override {
    return in.fail("what came with a request cannot be changed");
  }
  Value edit_map(Evaluation& in, MapEdit) const override {
    return in.mismatch("a map", Type::list);
  }

 private:
  const Keys keys_;
};

class Local final : public Expression {
 public:
  Local(std::size_t index, Keys keys) : index_(index), keys_(std::move(keys)) {}
  Value get(Evaluation& in) const override { return value_at(in, in.locals[index_], keys_); }

 private:
  const std::size_t index_;
  const Keys keys_;
};

const Field* find_field(std::string_view context, std::string_view name) {
  for (const std::span<const Field> table : {span_fields(), other_fields()}) {
    const auto field = std::ranges::find_if(
        table, [&](const Field& each) { return each.context == context && each.name == name; });
    if (field != table.end()) return &*field;
  }
  return nullptr;
}

std::unique_ptr<const Path> path_in(const Root& root, Keys keys) {
  if (keys.empty()) return std::make_unique<WholeMap>(root);
  return std::make_unique<MapEntry>(root, std::move(keys));
}

bool takes_keys(const Field& field) { return field.type == Type::map || field.type == Type::list; }

}  // namespace

Value TraceStateEntry::get(Evaluation& in) const {
  const Value key = string_key(in, *key_);
  if (key.failed()) return key;
  const Value state = find_field("span", "trace_state")->get(in);
  return trace_state_entry(state.text, key.text);
}

Value TraceStateEntry::set(Evaluation& in, const Value& value) const {
  const Value text = expect(in, value, Type::string);
  if (text.failed()) return text;
  const Value key = string_key(in, *key_);
  if (key.failed()) return key;
  const Field& field = *find_field("span", "trace_state");
  const auto updated = with_trace_state_entry(field.get(in).text, key.text, text.text);
  return updated ? field.set(in, Value::of_string(in.arena.keep(*updated))) : Value();
}

std::string_view name_of(Context context) {
  switch (context) {
    case Context::resource: return "resource";
    case Context::scope: return "scope";
    case Context::span: return "span";
    case Context::spanevent: return "spanevent";
  }
  return {};
}

std::unique_ptr<const Path> make_path(std::string_view context, std::string_view name, Keys keys,
                                      std::string& mistake) {
  if (name == "cache") return path_in(cache_root, std::move(keys));
  if (name == "attributes") {
    const auto* const root = std::ranges::find(attribute_roots, context, &Root::context);
    if (root != std::end(attribute_roots)) return path_in(*root, std::move(keys));
  }
  const Field* const field = find_field(context, name);
  if (field == nullptr) {
    mistake = "unknown field " + config::in_quotes(std::string(context) + '.' + std::string(name)) +
              config::did_you_mean(name, field_names(context));
    return nullptr;
  }
  if (field->name == "trace_state" && keys.size() == 1)
    return std::make_unique<TraceStateEntry>(std::move(keys.front()));
  if (field->name == "client.metadata" && !keys.empty())
    return std::make_unique<MetadataEntry>(std::move(keys));
  if (!keys.empty() && !takes_keys(*field)) {
    mistake = config::in_quotes(name) + " is " + std::string(name_of(field->type)) +
              ", which cannot be indexed";
    return nullptr;
  }
  return std::make_unique<FieldPath>(*field, std::move(keys));
}

std::vector<std::string> field_names(std::string_view context) {
  std::vector<std::string> names = {"cache"};
  if (context != "otelcol") names.emplace_back("attributes");
  for (const std::span<const Field> table : {span_fields(), other_fields()}) {
    for (const Field& field : table) {
      if (field.context == context) names.emplace_back(field.name);
    }
  }
  return names;
}

std::unique_ptr<const Expression> make_local(std::size_t index, Keys keys) {
  return std::make_unique<Local>(index, std::move(keys));
}

}  // namespace sluice::ottl
