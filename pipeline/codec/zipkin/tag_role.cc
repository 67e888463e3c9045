#include "pipeline/codec/zipkin/tag_role.h"

#include <algorithm>
#include <array>

namespace sluice::zipkin {
namespace {

constexpr unsigned links_max = 128;
constexpr std::string_view link_prefix = "otlp.link.";

/// A key, or with a dot at the end all keys that start so.
struct Rule {
  std::string_view key;
  TagRole role;
};

/// By first letter; within one letter the first that fits counts. Prefixes are the namespaces of
/// the semantic conventions for resources ("faas." has names of both).
constexpr std::array rules = {
    Rule{"aws.ecs.", TagRole::resource},
    Rule{"aws.eks.", TagRole::resource},
    Rule{"aws.log.", TagRole::resource},
    Rule{"census.status_code", TagRole::census_code},
    Rule{"census.status_description", TagRole::census_description},
    Rule{"cloud.", TagRole::resource},
    Rule{"container.", TagRole::resource},
    Rule{"deployment.", TagRole::resource},
    Rule{"device.", TagRole::resource},
    Rule{"error", TagRole::error},
    Rule{"faas.name", TagRole::resource},
    Rule{"faas.version", TagRole::resource},
    Rule{"faas.instance", TagRole::resource},
    Rule{"faas.max_memory", TagRole::resource},
    Rule{"faas.id", TagRole::resource},
    Rule{"host.", TagRole::resource},
    Rule{"http.status_code", TagRole::http_code},
    Rule{"http.status_message", TagRole::http_description},
    Rule{"k8s.", TagRole::resource},
    Rule{"network.local.address", TagRole::local_address},
    Rule{"network.local.port", TagRole::local_port},
    Rule{"network.peer.address", TagRole::peer_address},
    Rule{"network.peer.port", TagRole::peer_port},
    Rule{"opencensus.status_description", TagRole::census_description},
    Rule{"os.", TagRole::resource},
    Rule{"otel.status_code", TagRole::status_code},
    Rule{"otel.status_description", TagRole::status_description},
    Rule{"otel.scope.name", TagRole::scope_name},
    Rule{"otel.library.name", TagRole::scope_name},
    Rule{"otel.scope.version", TagRole::scope_version},
    Rule{"otel.library.version", TagRole::scope_version},
    Rule{"otel.dropped_attributes_count", TagRole::dropped_attributes},
    Rule{"otel.dropped_events_count", TagRole::dropped_events},
    Rule{"otel.dropped_links_count", TagRole::dropped_links},
    Rule{"otlp.service.name.source", TagRole::service_name_source},
    Rule{"peer.service", TagRole::peer_service},
    Rule{"process.", TagRole::resource},
    Rule{"service.name", TagRole::service_name},
    Rule{"service.peer.name", TagRole::peer_service},
    Rule{"service.peer.", TagRole::attribute},
    Rule{"service.", TagRole::resource},
    Rule{"span.kind", TagRole::span_kind},
    Rule{"telemetry.", TagRole::resource},
    Rule{"w3c.tracestate", TagRole::trace_state},
    Rule{"webengine.", TagRole::resource},
};

/// rules[first[c - 'a'] .. first[c - 'a' + 1]) start with the letter c.
constexpr std::array<std::uint8_t, 27> first = [] {
  std::array<std::uint8_t, 27> table{};
  for (const Rule& rule : rules) {
    for (std::size_t i = static_cast<std::size_t>(rule.key[0] - 'a') + 1; i < table.size(); ++i)
      ++table[i];
  }
  return table;
}();

bool fits(const Rule& rule, std::string_view key) {
  const std::size_t size = rule.key.size();
  // The last letters first: those of different keys usually differ.
  if (key.size() < size || key[size - 1] != rule.key[size - 1]) return false;
  const bool is_prefix = rule.key.back() == '.';
  return is_prefix == (key.size() > size) && key.starts_with(rule.key);
}

}  // namespace

TagRole role_of(std::string_view key) {
  const auto letter = static_cast<std::size_t>(key.empty() ? 255 : key[0] - 'a');
  if (letter >= first.size() - 1) return TagRole::attribute;
  const char second = key.size() > 1 ? key[1] : '\0';
  for (std::size_t i = first[letter]; i < first[letter + 1]; ++i) {
    if (rules[i].key[1] == second && fits(rules[i], key)) return rules[i].role;
  }
  const bool is_link = key[0] == 'o' && link_number(key) < links_max;
  return is_link ? TagRole::link : TagRole::attribute;
}

unsigned link_number(std::string_view key) {
  if (!key.starts_with(link_prefix)) return links_max;
  const std::string_view digits = key.substr(link_prefix.size());
  if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0'))
    return links_max;
  unsigned number = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return links_max;
    number = number * 10 + static_cast<unsigned>(digit - '0');
  }
  return std::min(number, links_max);
}

}  // namespace sluice::zipkin
