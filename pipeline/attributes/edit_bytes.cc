// The two halves of an edit that touch the bytes of a message: listing its attributes, and writing
// it anew around those that changed.
//
//   … other fields … | 4a LL 0a KK key 12 VV value | 4a … | … other fields …
//
// Every span pays for the listing, so the shapes that SDKs write (lengths of one byte, key before
// value) are recognised without a branch on the wire type, and an attribute that no action names is
// stepped over without being written down. Any other shape goes through the Cursor and means the
// same.
#include <cstring>

#include "pipeline/attributes/edit.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"

namespace sluice {
namespace {

unsigned byte(const char* at) { return static_cast<unsigned char>(*at); }

char tag_of(std::uint32_t number) {
  return static_cast<char>(wire::tag(number, wire::Type::length));
}

std::size_t size_between(const char* from, const char* to) {
  return static_cast<std::size_t>(to - from);
}

char* put_bytes(char* out, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

char* put_head(char* out, std::uint32_t number, std::size_t content) {
  *out++ = tag_of(number);
  return wire::write_varint(out, content);
}

/// Where the value starts in a KeyValue of `size` bytes that is `0a KK key 12 VV value` with
/// lengths of one byte; 0 for any other.
std::size_t plain_value(const char* content, std::size_t size) {
  if (size < 4 || content[0] != '\x0a') return 0;
  const std::size_t key_size = byte(content + 1);
  if (key_size >= 0x80 || key_size + 4 > size || content[2 + key_size] != '\x12') return 0;
  const std::size_t value_size = byte(content + 3 + key_size);
  return value_size < 0x80 && key_size + 4 + value_size == size ? key_size + 4 : 0;
}

/// Size of a field with a tag and a length, or a number, of one byte each; 0 for any other.
std::size_t plain_size(const char* field, std::size_t left) {
  if (left < 2 || byte(field) < 8 || byte(field) >= 0x80 || byte(field + 1) >= 0x80) return 0;
  const auto type = static_cast<wire::Type>(byte(field) & 7);
  if (type == wire::Type::varint) return 2;
  return type == wire::Type::length && byte(field + 1) <= left - 2 ? 2 + byte(field + 1) : 0;
}

}  // namespace

/// The item of an attribute, for its place and value to be put in (it is filled where it lies,
/// since a copy would wait for the stores); null when no action looks at the key, or at so many.
inline AttributeEdit::Item* AttributeEdit::list(std::string_view key) {
  const std::uint16_t number = actions_.keys.find(key);
  if (number == KeyTable::none && !actions_.looks_at_all) return nullptr;
  if (items_.size() == attributes_max) {
    cut_ = changed_ = true;
    return nullptr;
  }
  Item& item = items_.emplace_back();
  item.key = key;
  item.number = number;
  return &item;
}

/// False when the framing is broken: such a message (a resource; spans are checked at the door) is
/// passed on as it came.
bool AttributeEdit::read(std::string_view message) {
  items_.clear();
  cut_ = false;
  const char tag = tag_of(actions_.number);
  const char* at = message.data();
  const char* const end = at + message.size();
  while (at != end) {
    const std::size_t left = size_between(at, end);
    if (*at == tag && left >= 2 && byte(at + 1) < 0x80 && byte(at + 1) <= left - 2) [[likely]] {
      const std::size_t size = byte(at + 1);
      const char* const content = at + 2;
      if (const std::size_t value = plain_value(content, size)) [[likely]] {
        if (Item* const item = list({content + 2, value - 4})) {
          item->field = {at, size + 2};
          item->value = {content + value, size - value};
        }
        at = content + size;
        continue;
      }
    }
    const std::size_t skip = *at != tag ? plain_size(at, left) : 0;
    at = skip > 0 ? at + skip : step(at, end);
    if (at == nullptr) return false;
  }
  original_count_ = items_.size();
  return true;
}

/// Behind one field of any shape, listed if it is an attribute; null when it is malformed.
const char* AttributeEdit::step(const char* at, const char* end) {
  wire::Cursor cursor(std::string_view(at, size_between(at, end)));
  wire::Field field;
  if (!cursor.next(field)) return nullptr;
  if (field.is(actions_.number, wire::Type::length)) {
    const KeyValueView attribute = read_key_value({field.whole, field.content});
    if (Item* const item = list(attribute.key)) {
      item->field = field.whole;
      item->value = attribute.value_message;
    }
  }
  return cursor.at();
}

void AttributeEdit::write(BufferWriter& out) const {
  char* const begin = out.tail(size());
  char* at = begin;
  const char* from = message_.data();
  const char* const end = from + message_.size();
  for (std::size_t i = 0; i < original_count_; ++i) {
    const Item& item = items_[i];
    if (item.state == Item::State::kept) continue;
    at = put_bytes(at, {from, size_between(from, item.field.data())});
    from = item.field.data() + item.field.size();
    if (item.state == Item::State::changed) at = put(at, item);
  }
  at = cut_ ? put_without_attributes(at, from) : put_bytes(at, {from, size_between(from, end)});
  for (std::size_t i = original_count_; i < items_.size(); ++i) {
    if (items_[i].state == Item::State::changed) at = put(at, items_[i]);
  }
  out.advance(size_between(begin, at));
}

/// The rest of the message `from` there, of which no attribute behind the listed ones is taken.
char* AttributeEdit::put_without_attributes(char* out, const char* from) const {
  const std::string_view last = items_[original_count_ - 1].field;
  const char* const listed = last.data() + last.size();
  out = put_bytes(out, {from, size_between(from, listed)});
  wire::Cursor rest(
      std::string_view(listed, size_between(listed, message_.data() + message_.size())));
  wire::Field field;
  while (rest.next(field)) {
    if (!field.is(actions_.number, wire::Type::length)) out = put_bytes(out, field.whole);
  }
  return out;
}

char* AttributeEdit::put(char* out, const Item& item) const {
  if (item.ready != nullptr) return put_bytes(out, *item.ready);
  const std::size_t content = wire::field_size(otlp::key_value::key, item.key.size()) +
                              wire::field_size(otlp::key_value::value, item.value.size());
  out = put_head(out, actions_.number, content);
  out = put_head(out, otlp::key_value::key, item.key.size());
  out = put_bytes(out, item.key);
  out = put_head(out, otlp::key_value::value, item.value.size());
  return put_bytes(out, item.value);
}

}  // namespace sluice
