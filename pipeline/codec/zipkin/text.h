#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/model/span_writer.h"

namespace sluice::zipkin {

/// Text where it lies in a request, not yet in the form in which it leaves. It is unescaped on its
/// way into the output, so that nothing is copied in between; most texts have no escapes.
struct Text {
  enum class Form : std::uint8_t {
    plain,
    json,   ///< the inside of a JSON string with escapes, which are known to be right
    bytes,  ///< leaves as their base64
  };

  Text() = default;
  Text(std::string_view text, Form how = Form::plain)
      : data(text.data()), size(static_cast<std::uint32_t>(text.size())), form(how) {}
  std::string_view raw() const { return {data, size}; }
  bool empty() const { return size == 0; }
  bool is_plain() const { return form == Form::plain; }

  const char* data = "";
  std::uint32_t size = 0;  ///< requests are smaller than 4 GiB
  Form form = Form::plain;
};

/// The text as it leaves: itself where it is plain, else put into `scratch`.
std::string_view plain(const Text& text, std::string& scratch);
bool same(const Text& a, const Text& b);

/// Field `number` of the open message.
void append_string(SpanWriter& out, std::uint32_t number, const Text& text);
/// A KeyValue with a string under field `number`.
void append_attribute(SpanWriter& out, std::uint32_t number, const Text& key, const Text& value);

}  // namespace sluice::zipkin
