#include "pipeline/codec/zipkin/packed_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "pipeline/codec/base64.h"
#include "pipeline/codec/hex.h"
#include "pipeline/codec/json_scanner.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::zipkin {
namespace {

using Type = AnyValueView::Type;

/// What reads it back takes no more.
constexpr int depth_max = json::Scanner::depth_max - 1;

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void object(AttributeRange range, int depth) {
    std::vector<KeyValueView> members;
    while (const auto each = range.next()) {
      const auto known = std::ranges::find(members, each->key, &KeyValueView::key);
      known == members.end() ? members.push_back(*each) : void(*known = *each);
    }
    out_ += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out_ += ',';
      quoted(members[i].key);
      out_ += ':';
      value(members[i].value(), depth);
    }
    out_ += '}';
  }

 private:
  void value(const AnyValueView& view, int depth) {
    switch (depth == depth_max ? Type::empty : view.type()) {
      case Type::empty: out_ += "null"; return;
      case Type::string: return quoted(view.string());
      case Type::boolean: out_ += view.boolean() ? "true" : "false"; return;
      case Type::integer: out_ += std::to_string(view.integer()); return;
      case Type::real: return real(view.real());
      case Type::bytes: return quoted(base64::encoded(view.string()));
      case Type::kvlist: return object({view.string(), otlp::list::values}, depth + 1);
      case Type::array: return array(view.string(), depth + 1);
    }
  }

  void array(std::string_view message, int depth) {
    FieldRange values(message, otlp::list::values);
    out_ += '[';
    for (bool first = true; const auto each = values.next(); first = false) {
      if (!first) out_ += ',';
      value(AnyValueView(each->content), depth);
    }
    out_ += ']';
  }

  void real(double number) {
    if (std::isnan(number)) return quoted("NaN");
    if (std::isinf(number)) return quoted(number > 0 ? "Infinity" : "-Infinity");
    char text[32];
    const std::string_view digits(
        text, static_cast<std::size_t>(std::to_chars(text, text + sizeof text, number).ptr - text));
    out_ += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) out_ += ".0";
  }

  void quoted(std::string_view text) {
    out_ += '"';
    const char* at = text.data();
    const char* const end = at + text.size();
    for (;;) {
      const char* const stop = json::find_string_stop(at, end);
      out_.append(at, stop);
      if (stop == end) break;
      escape(*stop);
      at = stop + 1;
    }
    out_ += '"';
  }

  void escape(char byte) {
    switch (byte) {
      case '"': out_ += "\\\""; return;
      case '\\': out_ += "\\\\"; return;
      case '\b': out_ += "\\b"; return;
      case '\f': out_ += "\\f"; return;
      case '\n': out_ += "\\n"; return;
      case '\r': out_ += "\\r"; return;
      case '\t': out_ += "\\t"; return;
      default: break;
    }
    char code[6] = {'\\', 'u', '0', '0'};
    hex::encode({&byte, 1}, code + 4);
    out_.append(code, sizeof code);
  }

  std::string& out_;
};

}  // namespace

void append_json_object(AttributeRange attributes, std::string& out) {
  Writer(out).object(attributes, 0);
}

}  // namespace sluice::zipkin
