#include "pipeline/codec/zipkin/packed_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "pipeline/codec/hex.h"
#include "pipeline/codec/json_scanner.h"
#include "pipeline/codec/zipkin/json_values.h"
#include "pipeline/codec/zipkin/text.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::zipkin {
namespace {

/// A name may hold what looks like the start of the attributes; so many starts are tried.
constexpr int starts_max = 8;

/// Reads one object and writes its members; the scanner bounds the depth.
class AttributeReader {
 public:
  AttributeReader(std::string_view json, SpanWriter& out) : in_(json), out_(out) {}

  bool read(std::uint32_t number) { return members(number) && in_.at_end(); }

 private:
  bool members(std::uint32_t number) {
    if (!in_.open_object()) return false;
    Text key;
    while (next_text_key(in_, key)) {
      const std::size_t mark = out_.begin(number);
      append_string(out_, otlp::key_value::key, key);
      if (!value(otlp::key_value::value)) return false;
      out_.end(mark);
    }
    return in_.ok();
  }

  bool value(std::uint32_t number) {
    const std::size_t mark = out_.begin(number);
    if (!content()) return false;
    out_.end(mark);
    return true;
  }

  bool content() {
    switch (in_.peek()) {
      case '"': {
        Text text;
        if (!read_text(in_, text)) return false;
        append_string(out_, otlp::any_value::string_value, text);
        return true;
      }
      case 't': out_.varint(otlp::any_value::bool_value, 1); return in_.literal("true");
      case 'f': out_.varint(otlp::any_value::bool_value, 0); return in_.literal("false");
      case 'n': return in_.literal("null");
      case '{': {
        const std::size_t mark = out_.begin(otlp::any_value::kvlist_value);
        if (!members(otlp::list::values)) return false;
        out_.end(mark);
        return true;
      }
      case '[': return array();
      default: return number();
    }
  }

  bool array() {
    const std::size_t mark = out_.begin(otlp::any_value::array_value);
    if (!in_.open_array()) return false;
    while (in_.next_element()) {
      if (!value(otlp::list::values)) return false;
    }
    out_.end(mark);
    return in_.ok();
  }

  bool number() {
    std::string_view token;
    if (!in_.number(token)) return false;
    const char* const end = token.data() + token.size();
    std::int64_t whole = 0;
    if (const auto [rest, error] = std::from_chars(token.data(), end, whole);
        rest == end && error == std::errc()) {
      out_.varint(otlp::any_value::int_value, static_cast<std::uint64_t>(whole));
      return true;
    }
    double real = 0;
    const auto [rest, error] = std::from_chars(token.data(), end, real);
    if (error != std::errc() || rest != end) return false;
    out_.real(otlp::any_value::double_value, real);
    return true;
  }

  json::Scanner in_;
  SpanWriter& out_;
};

std::optional<std::uint32_t> count_of(std::string_view digits) {
  std::uint32_t count = 0;
  const char* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, count);
  if (digits.empty() || rest != end || error != std::errc()) return std::nullopt;
  return count;
}

/// "name|{…}|3": the name, when it is that and packs more than a name.
bool append_packed_event(SpanWriter& out, std::string_view text) {
  const std::size_t bar = text.rfind('|');
  if (bar == std::string_view::npos) return false;
  const std::optional<std::uint32_t> dropped = count_of(text.substr(bar + 1));
  if (!dropped) return false;
  const std::string_view head = text.substr(0, bar);
  std::size_t start = head.find("|{");
  for (int i = 0; i < starts_max && start != std::string_view::npos; ++i) {
    const std::string_view json = head.substr(start + 1);
    const std::size_t before = out.size();
    if ((json != "{}" || *dropped > 0) &&
        append_json_attributes(out, otlp::event::attributes, json)) {
      out.string(otlp::event::name, text.substr(0, start));
      if (*dropped > 0) out.varint(otlp::event::dropped_attributes_count, *dropped);
      return true;
    }
    out.truncate(before);
    start = head.find("|{", start + 1);
  }
  return false;
}

/// Up to the next bar, which is cut off with it.
std::optional<std::string_view> next_part(std::string_view& text) {
  const std::size_t bar = text.find('|');
  if (bar == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, bar);
  text.remove_prefix(bar + 1);
  return part;
}

bool append_id(SpanWriter& out, std::uint32_t number, std::string_view digits, std::size_t size) {
  std::array<char, 16> bytes{};
  if (digits.size() != 2 * size || !hex::decode(digits, bytes.data())) return false;
  out.string(number, {bytes.data(), size});
  return true;
}

bool append_link_fields(SpanWriter& out, std::string_view text) {
  const auto trace_id = next_part(text);
  const auto span_id = next_part(text);
  if (!trace_id || !span_id || !append_id(out, otlp::link::trace_id, *trace_id, 16) ||
      !append_id(out, otlp::link::span_id, *span_id, 8))
    return false;
  const auto state = next_part(text);
  const std::size_t bar = text.rfind('|');
  if (!state || bar == std::string_view::npos) return false;
  if (!state->empty()) out.string(otlp::link::trace_state, *state);
  const std::optional<std::uint32_t> dropped = count_of(text.substr(bar + 1));
  if (!dropped || !append_json_attributes(out, otlp::link::attributes, text.substr(0, bar)))
    return false;
  if (*dropped > 0) out.varint(otlp::link::dropped_attributes_count, *dropped);
  return true;
}

}  // namespace

bool append_json_attributes(SpanWriter& out, std::uint32_t number, std::string_view json) {
  const std::size_t before = out.size();
  if (AttributeReader(json, out).read(number)) return true;
  out.truncate(before);
  return false;
}

void append_event_text(SpanWriter& out, std::string_view text) {
  if (!append_packed_event(out, text)) out.string(otlp::event::name, text);
}

bool append_link_text(SpanWriter& out, std::string_view text) {
  const std::size_t before = out.size();
  const std::size_t mark = out.begin(otlp::span::links);
  if (!append_link_fields(out, text)) {
    out.truncate(before);
    return false;
  }
  out.end(mark);
  return true;
}

}  // namespace sluice::zipkin
