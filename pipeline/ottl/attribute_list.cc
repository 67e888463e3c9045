#include "pipeline/ottl/attribute_list.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "pipeline/model/attribute_walk.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"

namespace sluice::ottl {
namespace {

using wire::write_bytes;

/// Fewer are found as fast one by one.
constexpr std::size_t indexed_min = 32;

char* put_head(char* out, std::uint32_t number, std::size_t size) {
  out = wire::write_varint(out, wire::tag(number, wire::Type::length));
  return wire::write_varint(out, size);
}

char* put_field(char* out, std::uint32_t number, std::string_view content) {
  return write_bytes(put_head(out, number, content.size()), content);
}

std::size_t key_value_size(std::size_t key, std::size_t value) {
  return wire::field_size(otlp::key_value::key, key) +
         wire::field_size(otlp::key_value::value, value);
}

char* put_attribute(char* out, std::uint32_t number, std::string_view key, std::string_view value) {
  out = put_head(out, number, key_value_size(key.size(), value.size()));
  out = put_field(out, otlp::key_value::key, key);
  return put_field(out, otlp::key_value::value, value);
}

}  // namespace

void AttributeList::begin(std::string_view message, std::uint32_t number) {
  lists_at_once_ = changed_ || questions_ > 1;
  message_ = message;
  number_ = number;
  count_ = 0;
  if (!index_.empty()) index_.clear();
  listed_ = changed_ = repeats_ = false;
  questions_ = fresh_size_ = 0;
}

void AttributeList::make_list() {
  listed_ = true;
  Item* at = room_.data();
  const Item* end = at + room_.size();
  each_attribute(message_, number_, [&](const KeyValueView& attribute) {
    if (at == end) {
      count_ = room_.size();
      room_.resize(2 * count_ + 16);
      at = room_.data() + count_;
      end = room_.data() + room_.size();
    }
    // Made in its place, piece by piece: one that is copied from the stack waits for its own
    // stores, which took as long again as the walk.
    Item& item = *at++;
    item.key = attribute.key;
    item.value = attribute.value_message;
    item.begin = attribute.field.data();
    item.size = static_cast<std::uint32_t>(attribute.field.size());
    item.fresh_size = 0;
    return true;
  });
  count_ = static_cast<std::size_t>(at - room_.data());
  if (count_ < indexed_min) return;
  for (std::size_t place = 0; place < count_; ++place) put_in_index(place);
}

std::optional<std::string_view> AttributeList::find(std::string_view key) {
  ++questions_;
  if (lists_at_once_) list();
  if (!listed_) {
    // Not by find_attribute: of its whole view only the value is wanted, which saves 6 of 46 ns.
    std::optional<std::string_view> value;
    each_attribute(message_, number_, [&](const KeyValueView& attribute) {
      if (!same_key(attribute.key, key)) return true;
      value = attribute.value_message;
      return false;
    });
    return value;
  }
  const Item* const item = first(key);
  return item != nullptr ? std::optional(item->value) : std::nullopt;
}

void AttributeList::put_in_index(std::size_t place) {
  const auto [known, fresh] = index_.emplace(room_[place].key, place);
  if (fresh) return;
  if (room_[known->second].is_erased()) {
    known->second = place;
  } else {
    repeats_ = true;
  }
}

std::size_t AttributeList::size() const {
  std::size_t count = 0;
  if (!listed_) {
    for (FieldRange range(message_, number_); range.next();) ++count;
  }
  for (const Item& item : items()) {
    if (!item.is_erased()) ++count;
  }
  return count;
}

Value AttributeList::as_map(Arena& arena) const {
  if (!changed_) return Value::of_map(message_, number_);
  std::size_t size = 0;
  for (const Item& item : items()) {
    if (!item.is_erased())
      size +=
          wire::field_size(otlp::list::values, key_value_size(item.key.size(), item.value.size()));
  }
  char* const begin = arena.take(size);
  char* out = begin;
  for (const Item& item : items()) {
    if (!item.is_erased()) out = put_attribute(out, otlp::list::values, item.key, item.value);
  }
  return Value::of_map({begin, size}, otlp::list::values);
}

AttributeList::Item* AttributeList::first(std::string_view key) {
  if (!index_.empty()) {
    const auto place = index_.find(key);
    if (place == index_.end()) return nullptr;
    Item& item = room_[place->second];
    if (!item.is_erased()) return &item;
    if (!repeats_) return nullptr;
  }
  for (Item& item : listed()) {
    if (same_key(item.key, key) && !item.is_erased()) return &item;
  }
  return nullptr;
}

AttributeList::Content AttributeList::Content::of_text(std::span<const std::string_view> pieces) {
  std::size_t text = 0;
  for (const std::string_view piece : pieces) text += piece.size();
  return {pieces, wire::field_size(otlp::any_value::string_value, text), text};
}

char* AttributeList::Content::write(char* out) const {
  if (text_size != none) out = put_head(out, otlp::any_value::string_value, text_size);
  for (const std::string_view piece : pieces) out = write_bytes(out, piece);
  return out;
}

bool AttributeList::Content::is(std::string_view bytes) const {
  if (bytes.size() != size) return false;
  if (text_size != none) {
    std::array<char, 11> head;
    const char* const end = put_head(head.data(), otlp::any_value::string_value, text_size);
    const std::string_view begin(head.data(), static_cast<std::size_t>(end - head.data()));
    if (!bytes.starts_with(begin)) return false;
    bytes.remove_prefix(begin.size());
  }
  for (const std::string_view piece : pieces) {
    if (!same_key(bytes.substr(0, piece.size()), piece)) return false;
    bytes.remove_prefix(piece.size());
  }
  return true;
}

void AttributeList::set(std::string_view key, const Content& value, Arena& memory) {
  list();
  Item* const item = first(key);
  if (item == nullptr) return add(key, value, memory);
  change(*item, value, memory);
  if (!index_.empty() && !repeats_) return;
  for (Item* other = item + 1; other != room_.data() + count_; ++other) {
    if (same_key(other->key, key) && !other->is_erased()) erase(*other);
  }
}

void AttributeList::add(std::string_view key, const Content& value, Arena& memory) {
  if (count_ == room_.size()) room_.resize(2 * count_ + 16);
  Item& item = room_[count_++] = {};
  refresh(item, key, value, memory);
  if (!index_.empty()) {
    put_in_index(count_ - 1);
  } else if (count_ == indexed_min) {
    for (std::size_t place = 0; place < indexed_min; ++place) put_in_index(place);
  }
}

void AttributeList::erase(std::string_view key) {
  if (!listed_ && !find(key)) return;
  each([&](Item& item) {
    if (same_key(item.key, key)) erase(item);
  });
}

void AttributeList::change(Item& item, const Content& value, Arena& memory) {
  if (!value.is(item.value)) refresh(item, item.key, value, memory);
}

/// The field is made as a whole, so that writing the message copies stretches and nothing else.
void AttributeList::refresh(Item& item, std::string_view key, const Content& value, Arena& memory) {
  const std::size_t content = key_value_size(key.size(), value.size);
  const std::size_t size = wire::field_size(number_, content);
  char* const begin = memory.take(size);
  char* out = put_field(put_head(begin, number_, content), otlp::key_value::key, key);
  if (item.is_new()) item.key = {out - key.size(), key.size()};
  out = put_head(out, otlp::key_value::value, value.size);
  value.write(out);
  fresh_size_ += size;
  fresh_size_ -= item.fresh().size();
  item.value = {out, value.size};
  // A span of 4 GiB is not written (Draft::size_max).
  item.fresh_size = static_cast<std::uint32_t>(std::min<std::size_t>(size, Item::gone - 1));
  changed_ = true;
}

void AttributeList::erase(Item& item) {
  fresh_size_ -= item.fresh().size();
  item.fresh_size = Item::gone;
  changed_ = true;
}

void AttributeList::clear() {
  each([this](Item& item) { erase(item); });
}

}  // namespace sluice::ottl
