#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace sluice {

enum class SpanKind : std::int32_t {
  unspecified = 0,
  internal,
  server,
  client,
  producer,
  consumer
};
enum class StatusCode : std::int32_t { unset = 0, ok, error };

/// How deep AnyValues may lie in one another; whoever walks them treats what is deeper as absent.
inline constexpr int value_depth_max = 100;

/// The content of an AnyValue, read lazily. A malformed value, or one nested deeper than 100, reads
/// as empty. Numbers that are not in the wire form of their field read as empty too.
class AnyValueView {
 public:
  enum class Type : std::uint8_t { empty, string, boolean, integer, real, array, kvlist, bytes };
  AnyValueView() = default;
  explicit AnyValueView(std::string_view message);

  Type type() const { return type_; }
  std::string_view string() const {
    return payload_;
  }  ///< string and bytes; array and kvlist: the message
  bool boolean() const { return number_ != 0; }
  std::int64_t integer() const { return number_; }
  double real() const;

 private:
  std::string_view payload_;
  std::int64_t number_ = 0;
  Type type_ = Type::empty;
};

/// A KeyValue: `field` is the whole field (tag, length, message) within its parent, so that an edit
/// can cut it out; `value_message` is the content of the AnyValue.
struct KeyValueView {
  std::string_view field;
  std::string_view key;
  std::string_view value_message;
  bool has_value = false;
  AnyValueView value() const { return AnyValueView(value_message); }
};

/// Iterates the occurrences of one length-delimited field of a message, as whole fields and
/// contents. Stops at the end or at the first malformed byte.
class FieldRange {
 public:
  FieldRange(std::string_view message, std::uint32_t field) : rest_(message), field_(field) {}
  struct Field {
    std::string_view whole;  ///< tag, length and content
    std::string_view content;
  };
  std::optional<Field> next();

 private:
  std::string_view rest_;
  std::uint32_t field_;
};

/// The attributes of a message in order of appearance; keys may repeat in bad input, the last
/// counts.
class AttributeRange {
 public:
  AttributeRange(std::string_view message, std::uint32_t field) : fields_(message, field) {}
  std::optional<KeyValueView> next();

 private:
  FieldRange fields_;
};

KeyValueView read_any_key_value(FieldRange::Field field);

/// Where the value's content starts in a KeyValue as everybody writes it: the key, then the value,
/// nothing else, lengths of one byte (the value's up to two). 0 for any other.
inline std::size_t plain_value_offset(std::string_view content) {
  constexpr char key_tag = 1 << 3 | 2;  // key_value::key and ::value, length-delimited
  constexpr char value_tag = 2 << 3 | 2;
  if (content.size() < 2 || content[0] != key_tag) return 0;
  const std::size_t key_size = static_cast<unsigned char>(content[1]);
  std::size_t at = 2 + key_size;
  if (key_size >= 0x80 || at + 2 > content.size() || content[at] != value_tag) return 0;
  std::size_t value_size = static_cast<unsigned char>(content[at + 1]);
  at += 2;
  if (value_size >= 0x80) {
    if (at == content.size() || static_cast<unsigned char>(content[at]) >= 0x80) return 0;
    value_size = (value_size & 0x7f) | static_cast<std::size_t>(content[at++]) << 7;
  }
  return value_size == content.size() - at ? at : 0;
}
/// The key of a plain KeyValue.
inline std::string_view plain_key(std::string_view content) {
  return {content.data() + 2, static_cast<unsigned char>(content[1])};
}

/// Compares from the end: keys of one length differ there more often than in their prefix.
inline bool same_key(std::string_view left, std::string_view right) {
  const auto same = [&]<typename Word>(std::size_t at, Word one, Word other) {
    std::memcpy(&one, left.data() + at, sizeof one);
    std::memcpy(&other, right.data() + at, sizeof other);
    return one == other;
  };
  const auto same_word = [&](std::size_t at) { return same(at, std::uint64_t(), std::uint64_t()); };
  const std::size_t size = left.size();
  if (size != right.size()) return false;
  if (size < 4) return left == right;
  if (size < 8)
    return same(size - 4, std::uint32_t(), std::uint32_t()) &&
           same(0, std::uint32_t(), std::uint32_t());
  if (!same_word(size - 8) || !same_word(0)) return false;
  if (size <= 16) return true;
  if (size <= 32) return same_word(8) && same_word(size - 16);
  return std::memcmp(left.data() + 8, right.data() + 8, size - 16) == 0;
}

/// The plain ones are read here, inline: attributes are most of what is read. All others take the
/// general way, through a variable of their own, so that the result of the short way need not be in
/// memory.
inline KeyValueView read_key_value(FieldRange::Field field) {
  const std::size_t value = plain_value_offset(field.content);
  if (value == 0) {
    const KeyValueView read = read_any_key_value(field);
    return KeyValueView{read.field, read.key, read.value_message, read.has_value};
  }
  return {field.whole, plain_key(field.content), field.content.substr(value), true};
}
/// Its key alone, for those who look for one: a view of every attribute on the way, most of them of
/// another key, cost three times as much.
inline std::string_view attribute_key(FieldRange::Field field) {
  return plain_value_offset(field.content) > 0 ? plain_key(field.content)
                                               : read_any_key_value(field).key;
}
/// The first attribute of that key, if any, as in the collector: OTLP leaves open which one of a
/// repeated key counts.
std::optional<KeyValueView> find_attribute(std::string_view message, std::uint32_t number,
                                           std::string_view key);

/// Reads one span from the wire: one pass finds the singular fields, no allocation; attributes,
/// events and links are iterated. The bytes were validated when they came in; what is below a
/// span's own fields is checked here, as it is read.
class SpanView {
 public:
  explicit SpanView(std::string_view message);
  /// With the `tail` of its SpanEntry.
  SpanView(std::string_view message, std::uint8_t tail);

  std::string_view message() const { return message_; }
  std::string_view trace_id() const { return trace_id_; }  ///< 16 bytes
  std::string_view span_id() const { return span_id_; }    ///< 8 bytes
  std::string_view parent_span_id() const {
    return parent_span_id_;
  }  ///< 8 bytes, or empty for a root (zeros too)
  std::string_view trace_state() const { return trace_state_; }
  std::string_view name() const { return name_; }
  SpanKind kind() const { return static_cast<SpanKind>(kind_); }
  std::uint64_t start_time_unix_nano() const { return start_; }
  std::uint64_t end_time_unix_nano() const { return end_; }
  std::uint32_t flags() const { return flags_; }
  std::uint32_t dropped_attributes_count() const { return dropped_attributes_; }
  std::uint32_t dropped_events_count() const { return dropped_events_; }
  std::uint32_t dropped_links_count() const { return dropped_links_; }
  bool has_status() const { return has_status_; }
  StatusCode status_code() const { return static_cast<StatusCode>(status_code_); }
  std::string_view status_message() const { return status_message_; }

  AttributeRange attributes() const;
  FieldRange events() const;  ///< contents are Span.Event messages: read them with EventView
  FieldRange links() const;
  std::optional<KeyValueView> attribute(std::string_view key) const;

 private:
  std::string_view message_, trace_id_, span_id_, parent_span_id_, trace_state_, name_,
      status_message_;
  std::uint64_t start_ = 0, end_ = 0;
  std::uint32_t flags_ = 0, dropped_attributes_ = 0, dropped_events_ = 0, dropped_links_ = 0;
  std::int32_t kind_ = 0, status_code_ = 0;
  bool has_status_ = false;
};

struct EventView {
  explicit EventView(std::string_view message);
  std::string_view message, name;
  std::uint64_t time_unix_nano = 0;
  std::uint32_t dropped_attributes_count = 0;
  AttributeRange attributes() const;
};

struct LinkView {
  explicit LinkView(std::string_view message);
  std::string_view message, trace_id, span_id, trace_state;
  std::uint32_t dropped_attributes_count = 0, flags = 0;
  AttributeRange attributes() const;
};

struct ScopeView {
  explicit ScopeView(std::string_view message);
  std::string_view message, name, version;
  std::uint32_t dropped_attributes_count = 0;
  AttributeRange attributes() const;
};

struct ResourceView {
  explicit ResourceView(std::string_view content) : message(content) {}
  std::string_view message;
  std::uint32_t dropped_attributes_count() const;
  AttributeRange attributes() const;
  std::optional<KeyValueView> attribute(std::string_view key) const;
};

}  // namespace sluice
