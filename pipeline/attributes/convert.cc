#include "pipeline/attributes/convert.h"

#include <cctype>
#include <charconv>
#include <limits>
#include <vector>

#include "pipeline/attributes/value.h"

namespace sluice {
namespace {

using Type = AnyValueView::Type;

/// Towards zero; what does not fit becomes the smallest integer, as it does in the collector on
/// x86-64.
std::int64_t truncated(double value) {
  constexpr double limit = 9223372036854775808.0;  // 2^63
  if (!(value >= -limit && value < limit)) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> read_integer(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> to_integer(const AnyValueView& value) {
  switch (value.type()) {
    case Type::real: return encoded_integer(truncated(value.real()));
    case Type::boolean: return encoded_integer(value.boolean() ? 1 : 0);
    case Type::string:
      if (const std::optional<std::int64_t> number = read_integer(value.string()))
        return encoded_integer(*number);
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::optional<std::string> to_real(const AnyValueView& value) {
  switch (value.type()) {
    case Type::integer: return encoded_real(static_cast<double>(value.integer()));
    case Type::boolean: return encoded_real(value.boolean() ? 1 : 0);
    case Type::string:
      if (const std::optional<double> number = read_real(value.string()))
        return encoded_real(*number);
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::optional<std::string> joined(const std::vector<std::pair<std::string, std::string>>& entries,
                                  std::string_view key) {
  std::optional<std::string> out;
  for (const auto& [name, value] : entries) {
    if (name != key) continue;
    out = out ? *out + ";" + value : value;
  }
  return out;
}

std::optional<std::string> metadata_of(const RequestContext& context, std::string_view key) {
  std::string name(key);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return joined(context.metadata, name);
}

}  // namespace

std::optional<double> read_real(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text[0] == '-' || text.find('(') != std::string_view::npos)
    return std::nullopt;
  auto form = std::chars_format::general;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    if (text.find_first_of("pP") == std::string_view::npos) return std::nullopt;
    text.remove_prefix(2);
    form = std::chars_format::hex;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, form);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return negative ? -value : value;
}

std::optional<std::string> converted(const AnyValueView& value, AttributeAction::Type type) {
  switch (type) {
    case AttributeAction::Type::integer: return to_integer(value);
    case AttributeAction::Type::real: return to_real(value);
    case AttributeAction::Type::string:
      if (value.type() == Type::string) return std::nullopt;
      return encoded_string(text_of(value));
  }
  return std::nullopt;
}

std::optional<std::string> context_value(const RequestContext* context, std::string_view name) {
  constexpr std::string_view metadata = "metadata.";
  constexpr std::string_view auth = "auth.";
  if (context == nullptr) return std::nullopt;
  if (name == "client.address")
    return context->peer.empty() ? std::nullopt : std::optional(context->peer);
  if (name.starts_with(auth)) return joined(context->auth, name.substr(auth.size()));
  if (name.starts_with(metadata)) name.remove_prefix(metadata.size());
  return metadata_of(*context, name);
}

}  // namespace sluice
