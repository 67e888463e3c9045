// OTLP/JSON to protobuf in one pass: what is read is written at once, so a message's fields stand in the
// order of the text and a member given twice is a field given twice, of which protobuf takes the last.
// A string is copied while its end is looked for. A nested message leaves room for its length, as much
// as messages of its kind usually need; where that was wrong the content moves by a byte or two.
//
// The output is smaller than the text: every element costs at least the two bytes of its braces or
// quotes and a comma, which pay for tag and length. The one exception are negative enum numbers (eleven
// bytes for ten), hence the eighth in `Reader`.

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "pipeline/codec/base64.h"
#include "pipeline/codec/byte_sink.h"
#include "pipeline/codec/hex.h"
#include "pipeline/codec/json_scanner.h"
#include "pipeline/codec/otlp_json.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"

namespace sluice {
namespace {

/// How many bytes a message's length usually takes.
constexpr std::size_t width_small = 1, width_span = 2, width_large = 3;

/// `key` has the size of `name`: the caller has switched on it.
template <std::size_t size>
bool is(std::string_view key, const char (&name)[size]) {
  return std::memcmp(key.data(), name, size - 1) == 0;
}

/// Eight characters as one number: digits are those whose high half is 3, and stays 3 with 6 added.
bool eight_digits(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t high = 0xf0f0f0f0f0f0f0f0;
  return ((word & high) | ((word + 0x0606060606060606) & high) >> 4) == 0x3333333333333333;
}

/// Adjacent digits to pairs, pairs to fours, fours to one number.
std::uint32_t parse_eight(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  word -= 0x3030303030303030;
  word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ff;
  word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffff;
  return static_cast<std::uint32_t>(word * 10'000 + (word >> 32));
}

class Reader {
 public:
  Reader(std::string_view text, BufferWriter& out)
      : in_(text), out_(out, text.size() / 2 + 64, out.size() + text.size() + text.size() / 8 + 128) {}

  bool read() {
    const bool read_all = request() && in_.at_end();
    out_.finish();
    return read_all;
  }
  const std::string& error() const { return in_.error(); }

 private:
  using Body = bool (Reader::*)();

  // --- Messages. Each reads one object and writes its fields. ---
  bool request();
  bool resource_spans();
  bool resource();
  bool entity_ref();
  bool scope_spans();
  bool scope();
  bool span();
  bool event();
  bool link();
  bool status();
  bool key_value();
  bool any_value();
  bool array_value();
  bool kvlist_value();

  // --- What messages are made of. ---
  template <typename Member>
  bool members(Member member);
  template <typename Member>
  bool more_members(Member member);
  template <typename Value>
  bool unless_null(Value value);
  template <Body body>
  bool message(std::uint32_t number, std::size_t width);
  template <Body body>
  bool repeated(std::uint32_t number, std::size_t width);
  bool strings(std::uint32_t number);
  bool string(std::uint32_t number);
  bool identifier(std::uint32_t number);
  bool bytes(std::uint32_t number);
  bool boolean(std::uint32_t number);
  bool real(std::uint32_t number);
  bool fixed64(std::uint32_t number);
  bool fixed32(std::uint32_t number);
  bool count(std::uint32_t number);
  bool signed_integer(std::uint32_t number);
  template <std::size_t names>
  bool enumeration(std::uint32_t number, const std::string_view (&words)[names]);

  // --- Text. ---
  bool copy_string();
  const char* copy_plain(const char* at);
  bool short_string(std::string_view& text);
  template <typename Integer>
  bool integer(Integer& value, std::string_view what);
  template <typename Integer>
  bool unusual_integer(Integer& value, std::string_view what);
  bool parse_real(std::string_view token, double& value);

  // --- Output. ---
  void tag(std::uint32_t number, wire::Type type);
  void varint(std::uint64_t value) { out_.advance_to(wire::write_varint(out_.room(10), value)); }
  template <typename Integer>
  void fixed(Integer value);
  std::size_t begin(std::uint32_t number, std::size_t width);
  void end(std::size_t mark, std::size_t width);
  void end_long(std::size_t mark, std::size_t width, std::size_t size);

  json::Scanner in_;
  ByteSink out_;
};

// ---------------------------------------------------------------------------------------------------

bool Reader::request() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 13:
        if (is(key, "resourceSpans")) return repeated<&Reader::resource_spans>(otlp::request::resource_spans, width_large);
        break;
      case 14:
        if (is(key, "resource_spans")) return repeated<&Reader::resource_spans>(otlp::request::resource_spans, width_large);
        break;
    }
    return in_.skip();
  });
}

bool Reader::resource_spans() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 8:
        if (is(key, "resource")) return message<&Reader::resource>(otlp::resource_spans::resource, width_small);
        break;
      case 9:
        if (is(key, "schemaUrl")) return string(otlp::resource_spans::schema_url);
        break;
      case 10:
        if (is(key, "scopeSpans")) return repeated<&Reader::scope_spans>(otlp::resource_spans::scope_spans, width_large);
        if (is(key, "schema_url")) return string(otlp::resource_spans::schema_url);
        break;
      case 11:
        if (is(key, "scope_spans")) return repeated<&Reader::scope_spans>(otlp::resource_spans::scope_spans, width_large);
        break;
    }
    return in_.skip();
  });
}

bool Reader::resource() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 10:
        if (is(key, "attributes")) return repeated<&Reader::key_value>(otlp::resource::attributes, width_small);
        if (is(key, "entityRefs")) return repeated<&Reader::entity_ref>(otlp::resource::entity_refs, width_small);
        break;
      case 11:
        if (is(key, "entity_refs")) return repeated<&Reader::entity_ref>(otlp::resource::entity_refs, width_small);
        break;
      case 22:
        if (is(key, "droppedAttributesCount")) return count(otlp::resource::dropped_attributes_count);
        break;
      case 24:
        if (is(key, "dropped_attributes_count")) return count(otlp::resource::dropped_attributes_count);
        break;
    }
    return in_.skip();
  });
}

bool Reader::entity_ref() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 4:
        if (is(key, "type")) return string(otlp::entity_ref::type);
        break;
      case 6:
        if (is(key, "idKeys")) return strings(otlp::entity_ref::id_keys);
        break;
      case 7:
        if (is(key, "id_keys")) return strings(otlp::entity_ref::id_keys);
        break;
      case 9:
        if (is(key, "schemaUrl")) return string(otlp::entity_ref::schema_url);
        break;
      case 10:
        if (is(key, "schema_url")) return string(otlp::entity_ref::schema_url);
        break;
      case 15:
        if (is(key, "descriptionKeys")) return strings(otlp::entity_ref::description_keys);
        break;
      case 16:
        if (is(key, "description_keys")) return strings(otlp::entity_ref::description_keys);
        break;
    }
    return in_.skip();
  });
}

bool Reader::scope_spans() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 5:
        if (is(key, "spans")) return repeated<&Reader::span>(otlp::scope_spans::spans, width_span);
        if (is(key, "scope")) return message<&Reader::scope>(otlp::scope_spans::scope, width_small);
        break;
      case 9:
        if (is(key, "schemaUrl")) return string(otlp::scope_spans::schema_url);
        break;
      case 10:
        if (is(key, "schema_url")) return string(otlp::scope_spans::schema_url);
        break;
    }
    return in_.skip();
  });
}

bool Reader::scope() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 4:
        if (is(key, "name")) return string(otlp::scope::name);
        break;
      case 7:
        if (is(key, "version")) return string(otlp::scope::version);
        break;
      case 10:
        if (is(key, "attributes")) return repeated<&Reader::key_value>(otlp::scope::attributes, width_small);
        break;
      case 22:
        if (is(key, "droppedAttributesCount")) return count(otlp::scope::dropped_attributes_count);
        break;
      case 24:
        if (is(key, "dropped_attributes_count")) return count(otlp::scope::dropped_attributes_count);
        break;
    }
    return in_.skip();
  });
}

constexpr std::string_view span_kinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
                                           "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
constexpr std::string_view status_codes[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};

bool Reader::span() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 4:
        if (is(key, "name")) return string(otlp::span::name);
        if (is(key, "kind")) return enumeration(otlp::span::kind, span_kinds);
        break;
      case 5:
        if (is(key, "links")) return repeated<&Reader::link>(otlp::span::links, width_small);
        if (is(key, "flags")) return fixed32(otlp::span::flags);
        break;
      case 6:
        if (is(key, "spanId")) return identifier(otlp::span::span_id);
        if (is(key, "status")) return message<&Reader::status>(otlp::span::status, width_small);
        if (is(key, "events")) return repeated<&Reader::event>(otlp::span::events, width_small);
        break;
      case 7:
        if (is(key, "traceId")) return identifier(otlp::span::trace_id);
        if (is(key, "span_id")) return identifier(otlp::span::span_id);
        break;
      case 8:
        if (is(key, "trace_id")) return identifier(otlp::span::trace_id);
        break;
      case 10:
        if (is(key, "attributes")) return repeated<&Reader::key_value>(otlp::span::attributes, width_small);
        if (is(key, "traceState")) return string(otlp::span::trace_state);
        break;
      case 11:
        if (is(key, "trace_state")) return string(otlp::span::trace_state);
        break;
      case 12:
        if (is(key, "parentSpanId")) return identifier(otlp::span::parent_span_id);
        break;
      case 14:
        if (is(key, "parent_span_id")) return identifier(otlp::span::parent_span_id);
        break;
      case 15:
        if (is(key, "endTimeUnixNano")) return fixed64(otlp::span::end_time);
        break;
      case 17:
        if (is(key, "startTimeUnixNano")) return fixed64(otlp::span::start_time);
        if (is(key, "droppedLinksCount")) return count(otlp::span::dropped_links_count);
        break;
      case 18:
        if (is(key, "droppedEventsCount")) return count(otlp::span::dropped_events_count);
        if (is(key, "end_time_unix_nano")) return fixed64(otlp::span::end_time);
        break;
      case 19:
        if (is(key, "dropped_links_count")) return count(otlp::span::dropped_links_count);
        break;
      case 20:
        if (is(key, "start_time_unix_nano")) return fixed64(otlp::span::start_time);
        if (is(key, "dropped_events_count")) return count(otlp::span::dropped_events_count);
        break;
      case 22:
        if (is(key, "droppedAttributesCount")) return count(otlp::span::dropped_attributes_count);
        break;
      case 24:
        if (is(key, "dropped_attributes_count")) return count(otlp::span::dropped_attributes_count);
        break;
    }
    return in_.skip();
  });
}

bool Reader::event() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 4:
        if (is(key, "name")) return string(otlp::event::name);
        break;
      case 10:
        if (is(key, "attributes")) return repeated<&Reader::key_value>(otlp::event::attributes, width_small);
        break;
      case 12:
        if (is(key, "timeUnixNano")) return fixed64(otlp::event::time);
        break;
      case 14:
        if (is(key, "time_unix_nano")) return fixed64(otlp::event::time);
        break;
      case 22:
        if (is(key, "droppedAttributesCount")) return count(otlp::event::dropped_attributes_count);
        break;
      case 24:
        if (is(key, "dropped_attributes_count")) return count(otlp::event::dropped_attributes_count);
        break;
    }
    return in_.skip();
  });
}

bool Reader::link() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 5:
        if (is(key, "flags")) return fixed32(otlp::link::flags);
        break;
      case 6:
        if (is(key, "spanId")) return identifier(otlp::link::span_id);
        break;
      case 7:
        if (is(key, "traceId")) return identifier(otlp::link::trace_id);
        if (is(key, "span_id")) return identifier(otlp::link::span_id);
        break;
      case 8:
        if (is(key, "trace_id")) return identifier(otlp::link::trace_id);
        break;
      case 10:
        if (is(key, "attributes")) return repeated<&Reader::key_value>(otlp::link::attributes, width_small);
        if (is(key, "traceState")) return string(otlp::link::trace_state);
        break;
      case 11:
        if (is(key, "trace_state")) return string(otlp::link::trace_state);
        break;
      case 22:
        if (is(key, "droppedAttributesCount")) return count(otlp::link::dropped_attributes_count);
        break;
      case 24:
        if (is(key, "dropped_attributes_count")) return count(otlp::link::dropped_attributes_count);
        break;
    }
    return in_.skip();
  });
}

bool Reader::status() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 4:
        if (is(key, "code")) return enumeration(otlp::status::code, status_codes);
        break;
      case 7:
        if (is(key, "message")) return string(otlp::status::message);
        break;
    }
    return in_.skip();
  });
}

bool Reader::key_value() {
  const auto value = [this] { return message<&Reader::any_value>(otlp::key_value::value, width_small); };
  if (in_.take_first("{\"key\":")) {
    if (!unless_null([this] { return string(otlp::key_value::key); })) return false;
    if (in_.take(",\"value\":") && !unless_null(value)) return false;
  } else if (!in_.open_object()) {
    return false;
  }
  return more_members([&](std::string_view key) {
    switch (key.size()) {
      case 3:
        if (is(key, "key")) return string(otlp::key_value::key);
        break;
      case 5:
        if (is(key, "value")) return value();
        break;
    }
    return in_.skip();
  });
}

bool Reader::any_value() {
  if (in_.take_first("{\"stringValue\":")) {
    if (!unless_null([this] { return string(otlp::any_value::string_value); })) return false;
  } else if (!in_.open_object()) {
    return false;
  }
  return more_members([this](std::string_view key) {
    switch (key.size()) {
      case 8:
        if (is(key, "intValue")) return signed_integer(otlp::any_value::int_value);
        break;
      case 9:
        if (is(key, "boolValue")) return boolean(otlp::any_value::bool_value);
        if (is(key, "int_value")) return signed_integer(otlp::any_value::int_value);
        break;
      case 10:
        if (is(key, "arrayValue")) return message<&Reader::array_value>(otlp::any_value::array_value, width_small);
        if (is(key, "bytesValue")) return bytes(otlp::any_value::bytes_value);
        if (is(key, "bool_value")) return boolean(otlp::any_value::bool_value);
        break;
      case 11:
        if (is(key, "stringValue")) return string(otlp::any_value::string_value);
        if (is(key, "doubleValue")) return real(otlp::any_value::double_value);
        if (is(key, "kvlistValue")) return message<&Reader::kvlist_value>(otlp::any_value::kvlist_value, width_small);
        if (is(key, "array_value")) return message<&Reader::array_value>(otlp::any_value::array_value, width_small);
        if (is(key, "bytes_value")) return bytes(otlp::any_value::bytes_value);
        break;
      case 12:
        if (is(key, "string_value")) return string(otlp::any_value::string_value);
        if (is(key, "double_value")) return real(otlp::any_value::double_value);
        if (is(key, "kvlist_value")) return message<&Reader::kvlist_value>(otlp::any_value::kvlist_value, width_small);
        break;
    }
    return in_.skip();
  });
}

bool Reader::array_value() {
  return members([this](std::string_view key) {
    if (key == "values") return repeated<&Reader::any_value>(otlp::list::values, width_small);
    return in_.skip();
  });
}

bool Reader::kvlist_value() {
  return members([this](std::string_view key) {
    if (key == "values") return repeated<&Reader::key_value>(otlp::list::values, width_small);
    return in_.skip();
  });
}

// ---------------------------------------------------------------------------------------------------

/// Calls `member` with each key of an object; it reads the value. One that is null is as good as absent.
template <typename Member>
bool Reader::members(Member member) {
  return in_.open_object() && more_members(member);
}

template <typename Member>
bool Reader::more_members(Member member) {
  std::string_view key;
  while (in_.next_key(key)) {
    if (!unless_null([&] { return member(key); })) return false;
  }
  return in_.ok();
}

template <typename Value>
bool Reader::unless_null(Value value) {
  return in_.peek() == 'n' ? in_.literal("null") : value();
}

template <Reader::Body body>
bool Reader::message(std::uint32_t number, std::size_t width) {
  const std::size_t mark = begin(number, width);
  if (!(this->*body)()) return false;
  end(mark, width);
  return true;
}

/// An element that is null is an empty message.
template <Reader::Body body>
bool Reader::repeated(std::uint32_t number, std::size_t width) {
  if (!in_.open_array()) return false;
  while (in_.next_element()) {
    if (in_.peek() == 'n') {
      if (!in_.literal("null")) return false;
      end(begin(number, width_small), width_small);
    } else if (!message<body>(number, width)) {
      return false;
    }
  }
  return in_.ok();
}

bool Reader::strings(std::uint32_t number) {
  if (!in_.open_array()) return false;
  while (in_.next_element()) {
    if (!string(number)) return false;
  }
  return in_.ok();
}

bool Reader::string(std::uint32_t number) {
  if (in_.peek() != '"') return in_.expected("a string");
  const std::size_t mark = begin(number, width_small);
  if (!copy_string()) return false;
  end(mark, width_small);
  return true;
}

/// The content of a string, unescaped, to the output.
bool Reader::copy_string() {
  const char* at = in_.at() + 1;
  const char* const end = in_.end();
  for (;;) {
    const char* const stop = copy_plain(at);
    if (stop == end) return in_.fail_at(stop, "a string without an end");
    if (*stop == '"') [[likely]] {
      in_.seek(stop + 1);
      return true;
    }
    if (*stop != '\\') return in_.fail_at(stop, "a control character in a string");
    const json::Escape escape = json::read_escape(stop, end);
    if (escape.next == nullptr) return in_.fail_at(stop, "an unknown escape sequence");
    out_.put({escape.bytes.data(), escape.size});
    at = escape.next;
  }
}

/// Copies up to the first byte that a string cannot hold as it is, and returns where that stands. Whole
/// blocks are stored, and those bytes of the last one that are too many are written over by what follows.
const char* Reader::copy_plain(const char* at) {
  const char* const end = in_.end();
#ifdef __SSE2__
  while (end - at >= 16) {
    char* const out = out_.room(16);
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), block);
    const unsigned stops = json::string_stops(block);
    const int plain = stops == 0 ? 16 : std::countr_zero(stops);
    at += plain;
    out_.advance_to(out + plain);
    if (stops != 0) return at;
  }
#endif
  const char* const stop = json::find_string_stop(at, end);
  out_.put({at, static_cast<std::size_t>(stop - at)});
  return stop;
}

/// A string in which escapes make no sense: a number, an id, a name of an enum.
bool Reader::short_string(std::string_view& text) {
  if (in_.peek() != '"') return false;
  const char* const start = in_.at() + 1;
  const char* const stop = json::find_string_stop(start, in_.end());
  if (stop == in_.end() || *stop != '"') return false;
  text = {start, static_cast<std::size_t>(stop - start)};
  in_.seek(stop + 1);
  return true;
}

/// Trace and span ids. One of the wrong length is passed on so (an odd number of digits as one byte,
/// which is the length of no id), and found invalid where all ids are looked at: that costs its span
/// alone. One that is not hex at all (base64, say) is a sender that speaks another format, and refuses
/// the request. The collector refuses the request for both.
bool Reader::identifier(std::uint32_t number) {
  std::string_view text;
  in_.peek();
  const char* const start = in_.at();
  if (!short_string(text)) return in_.expected("hexadecimal digits");
  const std::size_t mark = begin(number, width_small);
  char* const out = out_.room(hex::decoded_size(text.size()));
  if (!hex::decode(text, out)) {
    in_.seek(start);
    return in_.expected("hexadecimal digits");
  }
  out_.advance_to(out + (text.size() % 2 == 0 ? text.size() / 2 : 1));
  end(mark, width_small);
  return true;
}

/// Decoded where it was copied to: the bytes are fewer than the characters.
bool Reader::bytes(std::uint32_t number) {
  if (in_.peek() != '"') return in_.expected("base64");
  const char* const start = in_.at();
  const std::size_t mark = begin(number, width_small);
  if (!copy_string()) return false;
  char* const content = out_.at(mark);
  const std::optional<std::size_t> size = base64::decode({content, out_.position() - mark}, content);
  if (!size) {
    in_.seek(start);
    return in_.expected("base64");
  }
  out_.advance_to(content + *size);
  end(mark, width_small);
  return true;
}

bool Reader::boolean(std::uint32_t number) {
  const char c = in_.peek();
  if (c != 't' && c != 'f') return in_.expected("true or false");
  if (!in_.literal(c == 't' ? "true" : "false")) return false;
  tag(number, wire::Type::varint);
  out_.put(c == 't' ? '\1' : '\0');
  return true;
}

bool Reader::fixed64(std::uint32_t number) {
  std::uint64_t value = 0;
  if (!integer(value, "an unsigned 64-bit integer")) return false;
  tag(number, wire::Type::fixed64);
  fixed(value);
  return true;
}

bool Reader::fixed32(std::uint32_t number) {
  std::uint32_t value = 0;
  if (!integer(value, "an unsigned 32-bit integer")) return false;
  tag(number, wire::Type::fixed32);
  fixed(value);
  return true;
}

bool Reader::count(std::uint32_t number) {
  std::uint32_t value = 0;
  if (!integer(value, "an unsigned 32-bit integer")) return false;
  tag(number, wire::Type::varint);
  varint(value);
  return true;
}

bool Reader::signed_integer(std::uint32_t number) {
  std::int64_t value = 0;
  if (!integer(value, "a 64-bit integer")) return false;
  tag(number, wire::Type::varint);
  varint(static_cast<std::uint64_t>(value));
  return true;
}

template <std::size_t names>
bool Reader::enumeration(std::uint32_t number, const std::string_view (&words)[names]) {
  std::int32_t value = 0;
  const char first = in_.peek();
  if (first == '"' && in_.end() - in_.at() > 1 && in_.at()[1] == 'S') {
    const char* const start = in_.at();
    std::string_view text;
    const auto* const found =
        short_string(text) ? std::find(std::begin(words), std::end(words), text) : std::end(words);
    if (found == std::end(words)) {
      in_.seek(start);
      return in_.expected("a number or name of the enum");
    }
    value = static_cast<std::int32_t>(found - std::begin(words));
  } else if (!integer(value, "a number or name of the enum")) {
    return false;
  }
  tag(number, wire::Type::varint);
  varint(static_cast<std::uint64_t>(std::int64_t{value}));
  return true;
}

bool Reader::real(std::uint32_t number) {
  in_.peek();
  const char* const start = in_.at();
  double value = 0;
  std::string_view token;
  if (in_.peek() != '"') {
    if (!in_.number(token)) return false;
  } else if (!short_string(token)) {
    return in_.expected("a number");
  }
  if (token == "NaN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (token == "Infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (token == "-Infinity") {
    value = -std::numeric_limits<double>::infinity();
  } else if (!parse_real(token, value)) {
    in_.seek(start);
    return in_.expected("a double");
  }
  tag(number, wire::Type::fixed64);
  fixed(std::bit_cast<std::uint64_t>(value));
  return true;
}

/// Too small for a double is zero, too large is a mistake.
bool Reader::parse_real(std::string_view token, double& value) {
  if (token.empty() || !((token.back() >= '0' && token.back() <= '9') || token.back() == '.')) return false;
  const auto [rest, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (rest != token.data() + token.size()) return false;
  if (error != std::errc::result_out_of_range) return error == std::errc();
  value = std::strtod(std::string(token).c_str(), nullptr);
  return std::isfinite(value);
}

/// A number, or a string that holds one: up to 19 plain digits here, everything else in `unusual_integer`.
template <typename Integer>
bool Reader::integer(Integer& value, std::string_view what) {
  const bool quoted = in_.peek() == '"';
  const char* const start = in_.at() + (quoted ? 1 : 0);
  const char* const end = in_.end();
  const char* at = start;
  std::uint64_t sum = 0;
  while (end - at >= 8 && at - start < 16 && eight_digits(at)) {
    sum = sum * 100'000'000 + parse_eight(at);
    at += 8;
  }
  while (at != end && at - start < 19 && static_cast<unsigned>(*at - '0') <= 9) {
    sum = sum * 10 + static_cast<unsigned>(*at++ - '0');
  }
  const bool leading_zero = at - start > 1 && *start == '0';
  const bool ended = at != end && (quoted ? *at == '"' : *at == ',' || *at == '}' || *at == ']');
  if (at == start || !ended || leading_zero || !std::in_range<Integer>(sum)) return unusual_integer(value, what);
  value = static_cast<Integer>(sum);
  in_.seek(at + (quoted ? 1 : 0));
  return true;
}

/// Signs, white space, twenty digits; also 1.0 and 1e3, which the JSON mapping allows where they are whole.
template <typename Integer>
bool Reader::unusual_integer(Integer& value, std::string_view what) {
  const char* const start = in_.at();
  std::string_view token;
  if (in_.peek() != '"' ? !in_.number(token) : !short_string(token)) return in_.expected(what);
  const char* const last = token.data() + token.size();
  const auto [rest, error] = std::from_chars(token.data(), last, value);
  if (rest == last && error == std::errc()) return true;
  double whole = 0;
  // 2^63 and 2^64 are doubles, one less than them is not: hence `<`.
  const double above = std::ldexp(1.0, std::numeric_limits<Integer>::digits);
  if (rest != last && parse_real(token, whole) && whole == std::trunc(whole) && whole < above &&
      whole >= (std::is_signed_v<Integer> ? -above : 0)) {
    value = static_cast<Integer>(whole);
    return true;
  }
  in_.seek(start);
  return in_.expected(what);
}

// ---------------------------------------------------------------------------------------------------

/// One byte for every field but `flags`.
inline void Reader::tag(std::uint32_t number, wire::Type type) {
  const std::uint32_t value = wire::tag(number, type);
  char* const out = out_.room(2);
  if (value < 0x80) {
    out[0] = static_cast<char>(value);
    return out_.advance_to(out + 1);
  }
  out[0] = static_cast<char>(value | 0x80);
  out[1] = static_cast<char>(value >> 7);
  out_.advance_to(out + 2);
}

template <typename Integer>
void Reader::fixed(Integer value) {
  static_assert(std::endian::native == std::endian::little);
  char* const out = out_.room(sizeof value);
  std::memcpy(out, &value, sizeof value);
  out_.advance_to(out + sizeof value);
}

/// A nested field's number is under 16, so its tag is one byte.
inline std::size_t Reader::begin(std::uint32_t number, std::size_t width) {
  char* const out = out_.room(1 + width_large);
  *out = static_cast<char>(wire::tag(number, wire::Type::length));
  out_.advance_to(out + 1 + width);
  return out_.position();
}

inline void Reader::end(std::size_t mark, std::size_t width) {
  const std::size_t size = out_.position() - mark;
  if (width == 1 && size < 0x80) [[likely]] {
    out_.at(mark)[-1] = static_cast<char>(size);
    return;
  }
  end_long(mark, width, size);
}

void Reader::end_long(std::size_t mark, std::size_t width, std::size_t size) {
  const std::size_t needed = wire::varint_size(size);
  if (needed != width) {
    out_.room(needed);
    std::memmove(out_.at(mark - width + needed), out_.at(mark), size);
  }
  wire::write_varint(out_.at(mark - width), size);
  out_.advance_to(out_.at(mark - width + needed + size));
}

}  // namespace

bool otlp_json_to_proto(std::string_view json, BufferWriter& out, JsonReport& report) {
  const std::size_t before = out.size();
  Reader reader(json, out);
  if (reader.read()) return true;
  out.truncate(before);
  report.error = reader.error();
  return false;
}

}  // namespace sluice
