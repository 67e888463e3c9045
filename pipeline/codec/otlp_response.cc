#include "pipeline/codec/otlp_response.h"

#include <simdjson.h>

#include <algorithm>
#include <limits>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"

namespace sluice {

namespace {

using std::chrono::milliseconds;

// google/rpc/status.proto, google/protobuf/any.proto, google/rpc/error_details.proto and
// duration.proto.
namespace status_field {
constexpr std::uint32_t message = 2, details = 3;
}
namespace any_field {
constexpr std::uint32_t type_url = 1, value = 2;
}
namespace retry_info_field {
constexpr std::uint32_t retry_delay = 1;
}
namespace duration_field {
constexpr std::uint32_t seconds = 1, nanos = 2;
}

constexpr std::int64_t delay_seconds_max = 24 * 60 * 60;
constexpr std::size_t json_depth_max = 64;

/// A negative count of rejected spans means nothing.
std::uint64_t not_negative(std::int64_t count) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
}

milliseconds read_duration(std::string_view message) {
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;
  wire::Cursor cursor(message);
  for (wire::Field field; cursor.next(field);) {
    if (field.type != wire::Type::varint) continue;
    if (field.number == duration_field::seconds) seconds = static_cast<std::int64_t>(field.value);
    if (field.number == duration_field::nanos) nanos = static_cast<std::int64_t>(field.value);
  }
  seconds = std::clamp<std::int64_t>(seconds, 0, delay_seconds_max);
  return milliseconds(seconds * 1000 + std::clamp<std::int64_t>(nanos, 0, 999'999'999) / 1'000'000);
}

/// The content of the last field `number`, as protobuf has it for a single message.
std::string_view last(std::string_view message, std::uint32_t number) {
  std::string_view content;
  wire::Cursor cursor(message);
  for (wire::Field field; cursor.next(field);) {
    if (field.number == number && field.type == wire::Type::length) content = field.content;
  }
  return content;
}

/// The object that `text` is; it lives as long as `parser`.
std::optional<simdjson::dom::object> parse(simdjson::dom::parser& parser, std::string_view text) {
  simdjson::dom::object object;
  if (text.empty() || parser.allocate(text.size(), json_depth_max) != simdjson::SUCCESS)
    return std::nullopt;
  if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) return std::nullopt;
  return object;
}

std::string text_at(const simdjson::dom::object& object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::uint64_t integer_at(const simdjson::dom::object& object, std::string_view key) {
  std::int64_t number = 0;
  if (object[key].get(number) == simdjson::SUCCESS) return not_negative(number);
  const std::string text = text_at(object, key);  // 64 bits are a string in protobuf's JSON
  std::uint64_t count = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9' || count > std::numeric_limits<std::uint64_t>::max() / 20)
      return 0;
    count = count * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return count;
}

}  // namespace

PartialSuccess read_partial_success(std::string_view response) {
  PartialSuccess result;
  wire::Cursor cursor(last(response, otlp::response::partial_success));
  for (wire::Field field; cursor.next(field);) {
    if (field.number == otlp::partial_success::rejected_spans && field.type == wire::Type::varint) {
      result.rejected_spans = not_negative(static_cast<std::int64_t>(field.value));
    }
    if (field.number == otlp::partial_success::error_message && field.type == wire::Type::length) {
      result.message = field.content;
    }
  }
  return result;
}

PartialSuccess read_partial_success_json(std::string_view response) {
  simdjson::dom::parser parser;
  const std::optional<simdjson::dom::object> object = parse(parser, response);
  simdjson::dom::object partial;
  if (!object || (*object)["partialSuccess"].get(partial) != simdjson::SUCCESS) return {};
  return {integer_at(partial, "rejectedSpans"), text_at(partial, "errorMessage")};
}

RpcStatus read_rpc_status(std::string_view status) {
  RpcStatus result;
  wire::Cursor cursor(status);
  for (wire::Field field; cursor.next(field);) {
    if (field.type != wire::Type::length) continue;
    if (field.number == status_field::message) result.message = field.content;
    if (field.number != status_field::details) continue;
    if (!last(field.content, any_field::type_url).ends_with("/google.rpc.RetryInfo")) continue;
    result.retry_delay =
        read_duration(last(last(field.content, any_field::value), retry_info_field::retry_delay));
  }
  return result;
}

RpcStatus read_rpc_status_json(std::string_view status) {
  simdjson::dom::parser parser;
  const std::optional<simdjson::dom::object> object = parse(parser, status);
  if (!object) return {};
  return {text_at(*object, "message"), std::nullopt};
}

}  // namespace sluice
