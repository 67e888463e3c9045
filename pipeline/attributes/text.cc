/// Values as text, letter for letter what the collector makes of them when it converts an attribute
/// to a string: Go's encoding/json without HTML escapes, for arrays and key-value lists.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

#include "pipeline/attributes/value.h"
#include "pipeline/codec/base64.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/utf8.h"

namespace sluice {
namespace {

using Type = AnyValueView::Type;

constexpr int depth_max = 100;

/// ECMAScript's form: an exponent below 1e-6 and from 1e21 on, without a leading zero.
std::string number_text(double value) {
  const double size = std::abs(value);
  const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  char text[400];
  const auto form = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  std::string out(text, std::to_chars(text, text + sizeof text, value, form).ptr);
  const std::size_t mark = out.find("e-0");
  if (mark != std::string::npos) out.erase(mark + 2, 1);
  return out;
}

class Json {
 public:
  /// Nothing where a number is not finite, as Go's encoder has it.
  static std::string of(const AnyValueView& value) {
    Json json;
    json.append(value, 0);
    return json.finite_ ? std::move(json.out_) : std::string();
  }

 private:
  void append(const AnyValueView& value, int depth) {
    switch (value.type()) {
      case Type::empty: out_ += "null"; break;
      case Type::string: append_string(value.string()); break;
      case Type::bytes:  // without a byte it is Go's nil
        value.string().empty() ? void(out_ += "null")
                               : append_string(base64::encoded(value.string()));
        break;
      case Type::boolean: out_ += value.boolean() ? "true" : "false"; break;
      case Type::integer: out_ += std::to_string(value.integer()); break;
      case Type::real:
        finite_ = finite_ && std::isfinite(value.real());
        out_ += number_text(value.real());
        break;
      case Type::array:
        depth < depth_max ? append_array(value.string(), depth) : void(out_ += "null");
        break;
      case Type::kvlist:
        depth < depth_max ? append_object(value.string(), depth) : void(out_ += "null");
        break;
    }
  }

  void append_array(std::string_view list, int depth) {
    out_ += '[';
    const char* separator = "";
    FieldRange values(list, otlp::list::values);
    while (const std::optional<FieldRange::Field> value = values.next()) {
      out_ += separator;
      append(AnyValueView(value->content), depth + 1);
      separator = ",";
    }
    out_ += ']';
  }

  void append_object(std::string_view list, int depth) {
    std::vector<KeyValueView> entries;
    AttributeRange range(list, otlp::list::values);
    while (const std::optional<KeyValueView> entry = range.next()) entries.push_back(*entry);
    std::stable_sort(entries.begin(), entries.end(),
                     [](const KeyValueView& a, const KeyValueView& b) { return a.key < b.key; });
    out_ += '{';
    const char* separator = "";
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i + 1 < entries.size() && entries[i].key == entries[i + 1].key)
        continue;  // the last one counts
      out_ += separator;
      append_string(entries[i].key);
      out_ += ':';
      append(entries[i].value(), depth + 1);
      separator = ",";
    }
    out_ += '}';
  }

  void append_string(std::string_view text) {
    out_ += '"';
    if (valid_utf8(text)) {
      append_escaped(text);
    } else {
      append_escaped(repair_utf8(text));
    }
    out_ += '"';
  }

  void append_escaped(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      const std::string_view separator = text.substr(at, 3);
      if (separator == "\u2028" || separator == "\u2029") {
        out_ += separator == "\u2028" ? "\\u2028" : "\\u2029";
        at += 2;
      } else {
        append_character(text[at]);
      }
    }
  }

  void append_character(char c) {
    static constexpr char hex[] = "0123456789abcdef";
    switch (c) {
      case '"': out_ += "\\\""; return;
      case '\\': out_ += "\\\\"; return;
      case '\b': out_ += "\\b"; return;
      case '\f': out_ += "\\f"; return;
      case '\n': out_ += "\\n"; return;
      case '\r': out_ += "\\r"; return;
      case '\t': out_ += "\\t"; return;
      default: break;
    }
    if (static_cast<unsigned char>(c) >= 0x20) return void(out_ += c);
    out_ += "\\u00";
    out_ += hex[c >> 4];
    out_ += hex[c & 0xf];
  }

  std::string out_;
  bool finite_ = true;
};

}  // namespace

std::string text_of(const AnyValueView& value) {
  switch (value.type()) {
    case Type::empty: return {};
    case Type::string: return std::string(value.string());
    case Type::bytes: return base64::encoded(value.string());
    case Type::boolean: return value.boolean() ? "true" : "false";
    case Type::integer: return std::to_string(value.integer());
    case Type::real:
      if (std::isnan(value.real())) return "NaN";
      if (std::isinf(value.real())) return value.real() > 0 ? "Infinity" : "-Infinity";
      return number_text(value.real());
    case Type::array:
    case Type::kvlist: return Json::of(value);
  }
  return {};
}

std::string fixed_text_of(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[400];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr};
}

}  // namespace sluice
