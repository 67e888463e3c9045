#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "pipeline/model/span_view.h"

/// Attribute values outside of a span: made from configuration, turned into text, compared. An
/// encoded value is the content of an AnyValue message.
namespace sluice {

std::string encoded_string(std::string_view value);
std::string encoded_boolean(bool value);
std::string encoded_integer(std::int64_t value);
std::string encoded_real(double value);
std::string encoded_list(const std::vector<std::string>& texts);

/// A YAML value with the type that YAML gives it; lists and maps become arrays and key-value lists.
std::string encoded_value(const config::Node& node);

/// A KeyValue as the field `number` of its parent: tag, length, message.
std::string encoded_attribute(std::uint32_t number, std::string_view key, std::string_view value);

/// The collector's text of a value: numbers as ECMAScript prints them, bytes in base64, arrays and
/// key-value lists as JSON with sorted keys; nothing for an empty value.
std::string text_of(const AnyValueView& value);
/// The shortest text that reads back as the same number, without an exponent.
std::string fixed_text_of(double value);

/// Same type and same content; the order of a key-value list does not matter.
bool same_value(const AnyValueView& left, const AnyValueView& right);

}  // namespace sluice
