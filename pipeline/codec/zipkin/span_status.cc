// What a span's tags say about its status.
//
// v2: `otel.status_code` with `otel.status_description`; then `error`, whose presence alone is a
// failure, unless it says "false". `error` stays an attribute where something would be lost
// without it: where it is the only sign of the failure and has a text (the way back writes it alone
// then), and where the status has another message.
//
// v1 asks more sources, the first of which counts: `census.status_code`, `otel.status_code`,
// `error`, `http.status_code`.

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "pipeline/codec/zipkin/span_builder.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::zipkin {
namespace {

/// OK, ERROR, UNSET in any case, with STATUS_CODE_ ahead or not, or their numbers.
std::optional<StatusCode> status_code(std::string_view text) {
  constexpr std::array<std::string_view, 3> words = {"UNSET", "OK", "ERROR"};
  constexpr std::string_view prefix = "STATUS_CODE_";
  const auto upper = [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  };
  const auto same = [&](std::string_view word, std::string_view other) {
    return std::ranges::equal(word, other, {}, {}, upper);
  };
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '2')
    return static_cast<StatusCode>(text[0] - '0');
  if (text.size() > prefix.size() && same(prefix, text.substr(0, prefix.size())))
    text.remove_prefix(prefix.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (same(words[i], text)) return static_cast<StatusCode>(i);
  }
  return std::nullopt;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || behind != end || error != std::errc()) return std::nullopt;
  return value;
}

bool is_http_failure(std::int64_t code) { return code < 100 || code > 399; }

}  // namespace

void SpanBuilder::write_status() {
  if (census_status()) return;
  const bool told = explicit_status();
  if (!told && has(TagRole::error)) return error_status();
  if (!told && version_ == Version::v1) http_status();
}

/// With what else there is written as attributes, since it does not count.
bool SpanBuilder::census_status() {
  if (!has(TagRole::census_code)) {
    if (has(TagRole::census_description)) write_single_as_attribute(TagRole::census_description);
    return false;
  }
  const std::optional<std::int64_t> code = number(text(TagRole::census_code));
  if (!code) {
    write_single_as_attribute(TagRole::census_code);
    if (has(TagRole::census_description)) write_single_as_attribute(TagRole::census_description);
    return false;
  }
  for (const TagRole role : {TagRole::status_code, TagRole::status_description, TagRole::error}) {
    if (has(role)) write_single_as_attribute(role);
  }
  const bool described = has(TagRole::census_description);
  status(*code == 0 ? StatusCode::ok : StatusCode::error,
         described ? slot(TagRole::census_description).value : Text());
  return true;
}

/// `otel.status_code`, and what `error` adds to it.
bool SpanBuilder::explicit_status() {
  const bool described = has(TagRole::status_description);
  const std::optional<StatusCode> code =
      has(TagRole::status_code) ? status_code(text(TagRole::status_code)) : std::nullopt;
  if (!code) {
    if (has(TagRole::status_code)) write_single_as_attribute(TagRole::status_code);
    if (described) write_single_as_attribute(TagRole::status_description);
    return false;
  }
  Text message = described ? slot(TagRole::status_description).value : Text();
  StatusCode result = *code;
  if (has(TagRole::error)) {
    const Text& value = slot(TagRole::error).value;
    const bool is_true = same(value, Text("true"));
    if (!same(value, Text("false"))) result = StatusCode::error;
    if (*code == StatusCode::error && !described && !is_true)
      message = value;
    else if (!is_true && !same(value, message))
      write_single_as_attribute(TagRole::error);
  }
  status(result, message);
  return true;
}

void SpanBuilder::error_status() {
  const Text& value = slot(TagRole::error).value;
  if (same(value, Text("true"))) return status(StatusCode::error, Text());
  write_single_as_attribute(TagRole::error);
  if (same(value, Text("false"))) return;
  // A text of that length is not written twice.
  status(StatusCode::error, value.size > role_text_max ? Text() : value);
}

/// The attributes stay what they are.
void SpanBuilder::http_status() {
  if (!has(TagRole::http_code)) return;
  const Tag& tag = slot(TagRole::http_code);
  const std::optional<std::int64_t> code = tag.type == Type::integer
                                               ? static_cast<std::int64_t>(tag.bits)
                                               : number(text(TagRole::http_code));
  if (!code || !is_http_failure(*code)) return;
  const bool described = has(TagRole::http_description);
  status(StatusCode::error, described ? slot(TagRole::http_description).value : Text());
}

void SpanBuilder::status(StatusCode code, const Text& message) {
  if (code == StatusCode::unset && message.empty()) return;
  const std::size_t mark = out_.begin(otlp::span::status);
  if (!message.empty()) append_string(out_, otlp::status::message, message);
  if (code != StatusCode::unset) out_.varint(otlp::status::code, static_cast<std::uint64_t>(code));
  out_.end(mark);
}

}  // namespace sluice::zipkin
