/// Edits in place of the attributes of one message.
///
///   … other fields … | 4a LL 0a KK key 12 VV value | 4a … | … other fields …
///
/// One pass lists the attributes with their places; the actions run over that list in order, each on
/// what the one before left; writing copies the runs between changed attributes. Keys are compared by
/// length, then bytes: with the ten or twenty attributes that spans have, that beats any table.
#define OPENSSL_SUPPRESS_DEPRECATED  // see sha256
#include "pipeline/attributes/edit.h"

#include <openssl/sha.h>
#include <re2/re2.h>

#include <bit>
#include <cstring>

#include "pipeline/attributes/convert.h"
#include "pipeline/attributes/value.h"
#include "pipeline/ensure.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"

namespace sluice {
namespace {

constexpr char tag_of(std::uint32_t number) { return static_cast<char>(wire::tag(number, wire::Type::length)); }

constexpr std::size_t field_size(std::size_t content) { return 1 + wire::varint_size(content) + content; }

char* put_bytes(char* out, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

char* put_head(char* out, std::uint32_t number, std::size_t content) {
  *out++ = tag_of(number);
  return wire::write_varint(out, content);
}

/// The low-level interface: 70 ns for a short value, where a reused EVP context takes 150 and the
/// one-shot function 600, most of it in OpenSSL's look-up of the algorithm.
void sha256(std::string_view bytes, unsigned char* out) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(out, &context);
}

/// What the collector hashes: text as it is, numbers as 8 bytes (little-endian), booleans as one.
/// Other values have no hash and become an empty text.
std::optional<std::string_view> bytes_to_hash(const AnyValueView& value, std::array<char, 8>& number) {
  std::uint64_t bits = 0;
  switch (value.type()) {
    case AnyValueView::Type::string: return value.string();
    case AnyValueView::Type::boolean: number[0] = value.boolean() ? 1 : 0; return std::string_view(number.data(), 1);
    case AnyValueView::Type::integer: bits = static_cast<std::uint64_t>(value.integer()); break;
    case AnyValueView::Type::real: bits = std::bit_cast<std::uint64_t>(value.real()); break;
    default: return std::nullopt;
  }
  for (char& byte : number) {
    byte = static_cast<char>(bits & 0xff);
    bits >>= 8;
  }
  return std::string_view(number.data(), number.size());
}

}  // namespace

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
  memory_.release();
  if (!read(message)) return false;
  for (std::size_t i = 0; i < actions_.list.size(); ++i) run(actions_.list[i], i);
  return changed_;
}

/// False when the framing is broken: such a message (a resource, spans are checked at the door) is
/// passed on as it came.
bool AttributeEdit::read(std::string_view message) {
  items_.clear();
  cut_ = false;
  wire::Cursor cursor(message);
  wire::Field field;
  while (cursor.next(field)) {
    if (field.number != actions_.number || field.type != wire::Type::length) continue;
    if (items_.size() == attributes_max) {
      cut_ = changed_ = true;
      continue;
    }
    const KeyValueView attribute = read_key_value({field.whole, field.content});
    Item& item = items_.emplace_back();  // filled in place: a temporary costs 5 ns of reloads an attribute
    item.key = attribute.key;
    item.original = field.whole;
    item.value = attribute.value_message;
  }
  original_count_ = items_.size();
  return cursor.ok();
}

void AttributeEdit::run(const AttributeAction& action, std::size_t index) {
  const auto each = [&](auto edit) {
    for (Item& item : items_) {
      if (item.state != Item::State::erased && item.key == action.key) edit(item);
    }
  };
  const auto each_by_pattern = [&](auto edit) {
    if (!action.pattern) return;
    for (Item& item : items_) {
      if (item.state == Item::State::erased) continue;
      if (re2::RE2::PartialMatch(re2::StringPiece(item.key.data(), item.key.size()), *action.pattern)) edit(item);
    }
  };
  using Kind = AttributeAction::Kind;
  switch (action.kind) {
    case Kind::insert:
      if (const auto from = source(action, index); from && find(action.key) == nullptr) append(action.key, *from);
      return;
    case Kind::update:
      if (const auto from = source(action, index)) replace(action.key, *from);
      return;
    case Kind::upsert:
      if (const auto from = source(action, index); from && !replace(action.key, *from)) append(action.key, *from);
      return;
    case Kind::erase:
      if (!action.key.empty()) each([this](Item& item) { erase(item); });
      return each_by_pattern([this](Item& item) { erase(item); });
    case Kind::hash:
      if (!action.key.empty()) each([this](Item& item) { hash(item); });
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
    if (const Item* const item = find(action.from_attribute)) return Source{item->value};
  }
  if (action.default_value) return Source{action.default_value->value, &action.default_value->field};
  return std::nullopt;
}

const AttributeEdit::Item* AttributeEdit::find(std::string_view key) const {
  for (std::size_t i = items_.size(); i > 0; --i) {
    const Item& item = items_[i - 1];
    if (item.key == key && item.state != Item::State::erased) return &item;
  }
  return nullptr;
}

bool AttributeEdit::replace(std::string_view key, const Source& source) {
  bool found = false;
  for (Item& item : items_) {
    if (item.key != key || item.state == Item::State::erased) continue;
    set(item, source);
    found = true;
  }
  return found;
}

void AttributeEdit::append(std::string_view key, const Source& source) {
  items_.push_back({key, {}, source.value, source.ready, Item::State::changed});
  changed_ = true;
}

void AttributeEdit::set(Item& item, const Source& source) {
  if (item.value == source.value) return;
  item.value = source.value;
  item.ready = source.ready;
  item.state = Item::State::changed;
  changed_ = true;
}

void AttributeEdit::erase(Item& item) {
  item.state = Item::State::erased;
  changed_ = true;
}

/// Lower-case hex of SHA-256.
void AttributeEdit::hash(Item& item) {
  static constexpr char digits[] = "0123456789abcdef";
  constexpr std::size_t text_size = 2 * SHA256_DIGEST_LENGTH;
  static const std::string nothing = encoded_string({});
  std::array<char, 8> number;
  const std::optional<std::string_view> bytes = bytes_to_hash(AnyValueView(item.value), number);
  if (!bytes) return set(item, {nothing});
  unsigned char digest[SHA256_DIGEST_LENGTH];
  sha256(*bytes, digest);
  char* const out = static_cast<char*>(memory_.allocate(2 + text_size, 1));
  char* at = put_head(out, otlp::any_value::string_value, text_size);
  for (const unsigned char byte : digest) {
    *at++ = digits[byte >> 4];
    *at++ = digits[byte & 0xf];
  }
  set(item, {std::string_view(out, 2 + text_size)});
}

void AttributeEdit::convert(Item& item, AttributeAction::Type type) {
  const std::optional<std::string> value = converted(AnyValueView(item.value), type);
  if (value) set(item, {keep(*value)});
}

/// The key's text against the pattern; every group becomes an attribute, empty if it took no part.
void AttributeEdit::extract(const AttributeAction& action) {
  const Item* const item = find(action.key);
  if (item == nullptr || AnyValueView(item->value).type() != AnyValueView::Type::string) return;
  const std::string_view text = AnyValueView(item->value).string();
  std::vector<re2::StringPiece> found(action.groups.size() + 1);
  if (!action.pattern->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), re2::RE2::UNANCHORED,
                             found.data(), static_cast<int>(found.size()))) {
    return;
  }
  for (std::size_t i = 0; i < action.groups.size(); ++i) {
    const Source value{keep(encoded_string({found[i + 1].data(), found[i + 1].size()}))};
    if (!replace(action.groups[i], value)) append(action.groups[i], value);
  }
}

/// A copy that lives until the next message.
std::string_view AttributeEdit::keep(std::string_view bytes) {
  char* const copy = static_cast<char*>(memory_.allocate(bytes.size() + 1, 1));
  put_bytes(copy, bytes);
  return {copy, bytes.size()};
}

void AttributeEdit::write(BufferWriter& out) const {
  char* const begin = out.tail(size_max());
  char* at = begin;
  const char* from = message_.data();
  const char* const end = message_.data() + message_.size();
  for (std::size_t i = 0; i < original_count_; ++i) {
    const Item& item = items_[i];
    if (item.state == Item::State::kept) continue;
    at = put_bytes(at, {from, static_cast<std::size_t>(item.original.data() - from)});
    from = item.original.data() + item.original.size();
    if (item.state == Item::State::changed) at = put(at, item);
  }
  if (cut_) {
    const char* const last = items_[original_count_ - 1].original.data() + items_[original_count_ - 1].original.size();
    at = put_bytes(at, {from, static_cast<std::size_t>(last - from)});
    wire::Cursor rest(std::string_view(last, static_cast<std::size_t>(end - last)));
    wire::Field field;
    while (rest.next(field)) {
      if (field.number != actions_.number) at = put_bytes(at, field.whole);
    }
  } else {
    at = put_bytes(at, {from, static_cast<std::size_t>(end - from)});
  }
  for (std::size_t i = original_count_; i < items_.size(); ++i) {
    if (items_[i].state == Item::State::changed) at = put(at, items_[i]);
  }
  out.advance(static_cast<std::size_t>(at - begin));
}

std::size_t AttributeEdit::size_max() const {
  constexpr std::size_t heads = 4 * 11;  // tags and lengths around a key and a value
  std::size_t size = message_.size();
  for (const Item& item : items_) {
    if (item.state == Item::State::changed) size += heads + item.key.size() + item.value.size();
  }
  return size;
}

char* AttributeEdit::put(char* out, const Item& item) const {
  if (item.ready != nullptr) return put_bytes(out, *item.ready);
  out = put_head(out, actions_.number, field_size(item.key.size()) + field_size(item.value.size()));
  out = put_head(out, otlp::key_value::key, item.key.size());
  out = put_bytes(out, item.key);
  out = put_head(out, otlp::key_value::value, item.value.size());
  return put_bytes(out, item.value);
}

}  // namespace sluice
