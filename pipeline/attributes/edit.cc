// What each action does to the list of attributes. `edit_bytes.cc` makes that list and writes the
// message anew.
#include "pipeline/attributes/edit.h"

#include <re2/re2.h>

#include <cstring>

#include "pipeline/attributes/convert.h"
#include "pipeline/attributes/hash.h"
#include "pipeline/attributes/value.h"
#include "pipeline/ensure.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"

namespace sluice {

AttributeEdit::AttributeEdit(const AttributeActions& actions)
    : actions_(actions), memory_(scratch_.data(), scratch_.size()) {
  ensure(actions.number < 16, "the tag of an attribute is one byte");
  from_context_.resize(actions.list.size());
}

void AttributeEdit::set_context(const RequestContext* context) {
  for (std::size_t i = 0; i < actions_.list.size(); ++i) {
    const std::string& name = actions_.list[i].from_context;
    if (name.empty()) continue;
    const std::optional<std::string> value = context_value(context, name);
    from_context_[i] = value ? std::optional(encoded_string(*value)) : std::nullopt;
  }
}

bool AttributeEdit::apply(std::string_view message) {
  message_ = message;
  changed_ = false;
  growth_ = 0;
  memory_.release();
  if (!read(message)) return false;
  for (std::size_t i = 0; i < actions_.list.size(); ++i) run(actions_.list[i], i);
  return changed_;
}

void AttributeEdit::run(const AttributeAction& action, std::size_t index) {
  const auto each = [&](auto edit) {
    if (action.key.empty()) return;
    for (Item& item : items_) {
      if (item.number == action.key_number && item.state != Item::State::erased) edit(item);
    }
  };
  const auto each_by_pattern = [&](auto edit) {
    if (!action.pattern) return;
    for (Item& item : items_) {
      if (item.state == Item::State::erased) continue;
      if (re2::RE2::PartialMatch(re2::StringPiece(item.key.data(), item.key.size()),
                                 *action.pattern))
        edit(item);
    }
  };
  const std::uint16_t number = action.key_number;
  using Kind = AttributeAction::Kind;
  switch (action.kind) {
    case Kind::insert:
      if (find(number) != nullptr) return;
      if (const auto from = source(action, index)) append(number, action.key, *from);
      return;
    case Kind::update:
      if (const auto from = source(action, index)) replace(number, *from);
      return;
    case Kind::upsert:
      if (const auto from = source(action, index); from && !replace(number, *from))
        append(number, action.key, *from);
      return;
    case Kind::erase:
      each([this](Item& item) { erase(item); });
      return each_by_pattern([this](Item& item) { erase(item); });
    case Kind::hash:
      each([this](Item& item) { hash(item); });
      return each_by_pattern([this](Item& item) { hash(item); });
    case Kind::extract: return extract(action);
    case Kind::convert: return each([&](Item& item) { convert(item, action.converted_type); });
  }
}

std::optional<AttributeEdit::Source> AttributeEdit::source(const AttributeAction& action,
                                                           std::size_t index) const {
  if (action.value) return Source{action.value->value, &action.value->field};
  if (from_context_[index]) return Source{*from_context_[index]};
  if (!action.from_attribute.empty()) {
    if (const Item* const item = find(action.from_number)) return Source{item->value};
  }
  if (action.default_value)
    return Source{action.default_value->value, &action.default_value->field};
  return std::nullopt;
}

const AttributeEdit::Item* AttributeEdit::find(std::uint16_t number) const {
  for (std::size_t i = items_.size(); i > 0; --i) {
    const Item& item = items_[i - 1];
    if (item.number == number && item.state != Item::State::erased) return &item;
  }
  return nullptr;
}

bool AttributeEdit::replace(std::uint16_t number, const Source& source) {
  bool found = false;
  for (Item& item : items_) {
    if (item.number != number || item.state == Item::State::erased) continue;
    set(item, source);
    found = true;
  }
  return found;
}

void AttributeEdit::append(std::uint16_t number, std::string_view key, const Source& source) {
  Item& item = items_.emplace_back();
  item.key = key;
  item.number = number;
  set(item, source);
}

void AttributeEdit::set(Item& item, const Source& source) {
  if (item.value == source.value && !item.field.empty()) return;
  constexpr std::size_t heads = 4 * 11;  // tags and lengths around a key and a value
  item.value = source.value;
  item.ready = source.ready;
  item.state = Item::State::changed;
  changed_ = true;
  growth_ += heads + item.key.size() + item.value.size();
}

void AttributeEdit::erase(Item& item) {
  item.state = Item::State::erased;
  changed_ = true;
}

void AttributeEdit::hash(Item& item) {
  static const std::string nothing = encoded_string({});
  constexpr std::size_t size = 2 + hash_text_size;
  char* const out = static_cast<char*>(memory_.allocate(size, 1));
  out[0] = static_cast<char>(wire::tag(otlp::any_value::string_value, wire::Type::length));
  out[1] = hash_text_size;
  const bool hashed = put_hash(AnyValueView(item.value), out + 2);
  set(item, {hashed ? std::string_view(out, size) : std::string_view(nothing)});
}

void AttributeEdit::convert(Item& item, AttributeAction::Type type) {
  const std::optional<std::string> value = converted(AnyValueView(item.value), type);
  if (value) set(item, {keep(*value)});
}

/// The key's text against the pattern; every group becomes an attribute, empty if it took no part.
void AttributeEdit::extract(const AttributeAction& action) {
  const Item* const item = find(action.key_number);
  if (item == nullptr || AnyValueView(item->value).type() != AnyValueView::Type::string) return;
  const std::string_view text = AnyValueView(item->value).string();
  std::vector<re2::StringPiece> found(action.groups.size() + 1);
  if (!action.pattern->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                             re2::RE2::UNANCHORED, found.data(), static_cast<int>(found.size()))) {
    return;
  }
  for (std::size_t i = 0; i < action.groups.size(); ++i) {
    const Source value{keep(encoded_string({found[i + 1].data(), found[i + 1].size()}))};
    const std::uint16_t number = action.group_numbers[i];
    if (!replace(number, value)) append(number, action.groups[i], value);
  }
}

/// A copy that lives until the next message.
std::string_view AttributeEdit::keep(std::string_view bytes) {
  char* const copy = static_cast<char*>(memory_.allocate(bytes.size() + 1, 1));
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  return {copy, bytes.size()};
}

}  // namespace sluice
