#include "extensions/jaegerremotesampling/strategy_json.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "extensions/jaegerremotesampling/sampling_fields.h"
#include "pipeline/model/wire.h"

namespace sluice::remote_sampling {
namespace {

using nlohmann::ordered_json;

/// Puts the double of `field` into `object`.
bool put_real(const wire::Field& field, const char* key, ordered_json& object) {
  const double value = std::bit_cast<double>(field.value);
  object[key] = value;
  return std::isfinite(value);
}

bool put_probabilistic(std::string_view message, ordered_json& parent) {
  ordered_json& object = parent["probabilisticSampling"];
  if (object.is_null()) object = {{"samplingRate", 0.0}};
  wire::Cursor cursor(message);
  for (wire::Field field; cursor.next(field);) {
    if (field.is(probabilistic_field::sampling_rate, wire::Type::fixed64) &&
        !put_real(field, "samplingRate", object)) {
      return false;
    }
  }
  return cursor.ok();
}

bool put_rate_limiting(std::string_view message, ordered_json& parent) {
  ordered_json& object = parent["rateLimitingSampling"];
  if (object.is_null()) object = {{"maxTracesPerSecond", 0}};
  wire::Cursor cursor(message);
  for (wire::Field field; cursor.next(field);) {
    if (field.is(rate_limiting_field::traces_per_second_max, wire::Type::varint))
      object["maxTracesPerSecond"] = static_cast<std::int32_t>(field.value);
  }
  return cursor.ok();
}

bool put_operation(std::string_view message, ordered_json& list) {
  ordered_json& object = list.emplace_back(ordered_json{{"operation", ""}});
  wire::Cursor cursor(message);
  for (wire::Field field; cursor.next(field);) {
    if (field.is(operation_field::operation, wire::Type::length))
      object["operation"] = field.content;
    if (field.is(operation_field::probabilistic, wire::Type::length) &&
        !put_probabilistic(field.content, object)) {
      return false;
    }
  }
  return cursor.ok();
}

bool put_operations(std::string_view message, ordered_json& parent) {
  ordered_json& object = parent["operationSampling"];
  if (object.is_null()) {
    object = {{"defaultSamplingProbability", 0.0},
              {"defaultLowerBoundTracesPerSecond", 0.0},
              {"perOperationStrategies", ordered_json::array()},
              {"defaultUpperBoundTracesPerSecond", 0.0}};
  }
  wire::Cursor cursor(message);
  for (wire::Field field; cursor.next(field);) {
    bool valid = true;
    if (field.type == wire::Type::fixed64) {
      if (field.number == operations_field::default_probability)
        valid = put_real(field, "defaultSamplingProbability", object);
      if (field.number == operations_field::default_lower_bound)
        valid = put_real(field, "defaultLowerBoundTracesPerSecond", object);
      if (field.number == operations_field::default_upper_bound)
        valid = put_real(field, "defaultUpperBoundTracesPerSecond", object);
    } else if (field.is(operations_field::strategies, wire::Type::length)) {
      valid = put_operation(field.content, object["perOperationStrategies"]);
    }
    if (!valid) return false;
  }
  return cursor.ok();
}

ordered_json type_name(std::uint64_t type) {
  if (type == probabilistic_type) return "PROBABILISTIC";
  if (type == rate_limiting_type) return "RATE_LIMITING";
  return static_cast<std::int32_t>(type);  // as the JSON of protobuf has what it does not know
}

}  // namespace

std::optional<std::string> strategy_json(std::string_view response) {
  ordered_json object = {{"strategyType", type_name(probabilistic_type)}};
  wire::Cursor cursor(response);
  for (wire::Field field; cursor.next(field);) {
    bool valid = true;
    if (field.is(response_field::strategy_type, wire::Type::varint))
      object["strategyType"] = type_name(field.value);
    if (field.is(response_field::probabilistic, wire::Type::length))
      valid = put_probabilistic(field.content, object);
    if (field.is(response_field::rate_limiting, wire::Type::length))
      valid = put_rate_limiting(field.content, object);
    if (field.is(response_field::operations, wire::Type::length))
      valid = put_operations(field.content, object);
    if (!valid) return std::nullopt;
  }
  if (!cursor.ok()) return std::nullopt;
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace sluice::remote_sampling
