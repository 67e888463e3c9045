#include "pipeline/ottl/attribute_list.h"

#include <cstring>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"

namespace sluice::ottl {
namespace {

using State = AttributeList::Item::State;

/// Fewer are found as fast one by one.
constexpr std::size_t indexed_min = 32;

char* put_field(char* out, std::uint32_t number, std::string_view content) {
  out = wire::write_varint(out, wire::tag(number, wire::Type::length));
  out = wire::write_varint(out, content.size());
  if (!content.empty()) std::memcpy(out, content.data(), content.size());
  return out + content.size();
}

std::size_t key_value_size(const AttributeList::Item& item) {
  return wire::field_size(otlp::key_value::key, item.key.size()) +
         wire::field_size(otlp::key_value::value, item.value.size());
}

}  // namespace

void AttributeList::begin(std::string_view message, std::uint32_t number) {
  message_ = message;
  number_ = number;
  if (listed_) items_.clear();
  if (!index_.empty()) index_.clear();
  listed_ = changed_ = repeats_ = false;
}

/// Every edited span pays for this, so fields are walked here and the attributes that everybody
/// writes are read where they lie: through AttributeRange it took twice as long.
void AttributeList::list() {
  if (listed_) return;
  listed_ = true;
  wire::Cursor cursor(message_);
  wire::Field field;
  while (cursor.next(field)) {
    if (!field.is(number_, wire::Type::length)) continue;
    const std::size_t value = plain_value_offset(field.content);
    if (value > 0) {
      append({plain_key(field.content), field.content.substr(value), field.whole});
      continue;
    }
    const KeyValueView attribute = read_any_key_value({field.whole, field.content});
    append({attribute.key, attribute.value_message, attribute.field});
  }
}

std::optional<std::string_view> AttributeList::find(std::string_view key) const {
  if (!listed_) {
    const auto attribute = find_attribute(message_, number_, key);
    return attribute ? std::optional(attribute->value_message) : std::nullopt;
  }
  const Item* const item = first(key);
  return item != nullptr ? std::optional(item->value) : std::nullopt;
}

void AttributeList::append(const Item& item) {
  items_.push_back(item);
  if (items_.size() < indexed_min) return;
  if (index_.empty()) {
    for (std::size_t i = 0; i + 1 < items_.size(); ++i) {
      if (!index_.emplace(items_[i].key, i).second) repeats_ = true;
    }
  }
  const auto [place, fresh] = index_.emplace(item.key, items_.size() - 1);
  if (fresh) return;
  if (items_[place->second].state == State::erased) {
    place->second = items_.size() - 1;
  } else {
    repeats_ = true;
  }
}

std::size_t AttributeList::size() const {
  std::size_t count = 0;
  if (!listed_) {
    for (FieldRange range(message_, number_); range.next();) ++count;
  }
  for (const Item& item : items_) {
    if (item.state != State::erased) ++count;
  }
  return count;
}

Value AttributeList::as_map(Arena& arena) const {
  if (!changed_) return Value::of_map(message_, number_);
  std::size_t size = 0;
  for (const Item& item : items_) {
    if (item.state != State::erased) size += attribute_size(item, otlp::list::values);
  }
  char* const begin = arena.take(size);
  char* out = begin;
  for (const Item& item : items_) {
    if (item.state != State::erased) out = put_attribute(out, item, otlp::list::values);
  }
  return Value::of_map({begin, size}, otlp::list::values);
}

const AttributeList::Item* AttributeList::first(std::string_view key) const {
  if (!index_.empty()) {
    const auto place = index_.find(key);
    if (place == index_.end()) return nullptr;
    const Item& item = items_[place->second];
    if (item.state != State::erased) return &item;
    if (!repeats_) return nullptr;
  }
  for (const Item& item : items_) {
    if (item.key == key && item.state != State::erased) return &item;
  }
  return nullptr;
}

void AttributeList::set(std::string_view key, std::string_view value, Arena& memory) {
  list();
  const Item* const there = first(key);
  if (there == nullptr) {
    append({memory.keep(key), memory.keep(value), {}, State::changed});
    changed_ = true;
    return;
  }
  Item* const item = items_.data() + (there - items_.data());
  change(*item, value, memory);
  if (!index_.empty() && !repeats_) return;
  for (Item* other = item + 1; other != items_.data() + items_.size(); ++other) {
    if (other->key == key && other->state != State::erased) erase(*other);
  }
}

void AttributeList::erase(std::string_view key) {
  if (!listed_ && !find(key)) return;
  each([&](Item& item) {
    if (item.key == key) erase(item);
  });
}

void AttributeList::change(Item& item, std::string_view value, Arena& memory) {
  if (item.value == value) return;
  item.value = memory.keep(value);
  item.state = State::changed;
  changed_ = true;
}

void AttributeList::erase(Item& item) {
  item.state = State::erased;
  changed_ = true;
}

void AttributeList::clear() {
  each([this](Item& item) { erase(item); });
}

std::size_t attribute_size(const AttributeList::Item& item, std::uint32_t number) {
  return wire::field_size(number, key_value_size(item));
}

char* put_attribute(char* out, const AttributeList::Item& item, std::uint32_t number) {
  out = wire::write_varint(out, wire::tag(number, wire::Type::length));
  out = wire::write_varint(out, key_value_size(item));
  out = put_field(out, otlp::key_value::key, item.key);
  return put_field(out, otlp::key_value::value, item.value);
}

}  // namespace sluice::ottl
