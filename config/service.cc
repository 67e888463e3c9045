#include "config/service.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "config/component_id.h"

namespace sluice::config {
namespace {

constexpr std::uint64_t in_flight_min = 1 << 20;

/// A word of a closed set, in any case, as the collector takes the levels of logs and metrics.
void optional_word(const Node& node, std::string_view key, std::string& out,
                   const std::vector<std::string>& words) {
  const Node value = node.child(key);
  if (value.kind() != Node::Kind::scalar) {
    std::string ignored;
    node.optional(key, ignored);
    return;
  }
  std::string word = value.as_string();
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (std::ranges::find(words, word) != words.end()) {
    out = word;
    return;
  }
  std::string expected = "one of ";
  for (const std::string& known : words)
    expected += (&known == &words[0] ? "" : ", ") + in_quotes(known);
  node.error(key, "expected " + expected + ", found " + in_quotes(value.as_string()) +
                      did_you_mean(word, words));
}

/// Logs go to standard error; a file that names another place would wait there in vain.
void expect_standard_streams(const Node& logs, std::string_view key) {
  std::vector<std::string> paths;
  logs.optional(key, paths);
  for (const std::string& path : paths) {
    if (path != "stderr" && path != "stdout") {
      logs.error(key, "logs go to standard error only, found " + in_quotes(path));
    }
  }
}

void decode_logs(const Node& logs, ServiceSection& service) {
  optional_word(logs, "level", service.logs_level, {"debug", "info", "warn", "error"});
  optional_word(logs, "encoding", service.logs_encoding, {"console", "json"});
  expect_standard_streams(logs, "output_paths");
  expect_standard_streams(logs, "error_output_paths");
  logs.accepted_without_effect({"development", "sampling", "initial_fields", "disable_caller",
                                "disable_stacktrace", "disable_zap_resource", "processors"});
  logs.no_other_keys();
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

void warn_if_open(const Node& node, std::string_view key, const PrometheusReader& reader) {
  if (is_loopback(reader.host)) return;
  node.warning(key, "metrics are served beyond this host without TLS and authentication");
}

PrometheusReader decode_prometheus(const Node& prometheus) {
  PrometheusReader reader;
  prometheus.optional("host", reader.host);
  std::uint32_t port = reader.port;
  prometheus.optional("port", port);
  prometheus.expect(port <= 65535, "port", "expected a port from 0 to 65535");
  reader.port = static_cast<std::uint16_t>(port);
  prometheus.accepted_without_effect({"without_scope_info", "without_units", "without_type_suffix",
                                      "with_resource_constant_labels", "translation_strategy"});
  prometheus.no_other_keys();
  warn_if_open(prometheus, "host", reader);
  return reader;
}

std::vector<PrometheusReader> decode_readers(const Node& readers) {
  std::vector<PrometheusReader> out;
  for (const Node& reader : readers.list()) {
    if (reader.has("periodic")) {
      reader.error("periodic",
                   "sluice serves its metrics to Prometheus; it does not push them yet");
      continue;
    }
    const Node exporter = reader.child("pull").child("exporter");
    const Node prometheus = exporter.child("prometheus");
    if (!prometheus.present()) reader.error("", "expected pull.exporter.prometheus");
    out.push_back(decode_prometheus(prometheus));
    exporter.no_other_keys();
    reader.child("pull").accepted_without_effect({"producers", "cardinality_limits"});
    reader.child("pull").no_other_keys();
    reader.no_other_keys();
  }
  return out;
}

/// "host:port", "[::1]:port" or ":port": how readers were written before there were readers.
std::optional<PrometheusReader> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  PrometheusReader reader;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  reader.host = host.empty() ? "0.0.0.0" : std::string(host);
  const std::string_view port = text.substr(colon + 1);
  const auto result = std::from_chars(port.data(), port.data() + port.size(), reader.port);
  if (port.empty() || result.ec != std::errc() || result.ptr != port.data() + port.size())
    return {};
  return reader;
}

void decode_metrics(const Node& metrics, ServiceSection& service) {
  optional_word(metrics, "level", service.metrics_level, {"none", "basic", "normal", "detailed"});
  const Node readers = metrics.child("readers");
  if (readers.present() && readers.kind() != Node::Kind::null) {
    service.prometheus = decode_readers(readers);
  }
  std::string address;
  metrics.optional("address", address);
  if (!address.empty()) {
    if (const auto reader = parse_address(address)) {
      service.prometheus = {*reader};
      warn_if_open(metrics, "address", *reader);
    } else {
      metrics.unexpected("address", "an address such as \"localhost:8888\"");
    }
  }
  metrics.accepted_without_effect({"views"});
  metrics.no_other_keys();
}

/// A map of attributes, or the newer list of {name, value} under `attributes`.
void decode_resource(const Node& resource, ServiceSection& service) {
  const Node attributes = resource.child("attributes");
  if (attributes.kind() != Node::Kind::list) {
    for (const auto& [key, value] : resource.entries()) {
      service.resource.emplace_back(key, value.as_string());
    }
    return;
  }
  for (const Node& attribute : attributes.list()) {
    std::string name, value;
    attribute.required("name", name);
    attribute.optional("value", value);
    attribute.accepted_without_effect({"type"});
    attribute.no_other_keys();
    service.resource.emplace_back(std::move(name), std::move(value));
  }
  resource.accepted_without_effect({"schema_url", "detectors"});
  resource.no_other_keys();
}

void decode_telemetry(const Node& telemetry, ServiceSection& service) {
  decode_logs(telemetry.child("logs"), service);
  decode_metrics(telemetry.child("metrics"), service);
  decode_resource(telemetry.child("resource"), service);
  telemetry.accepted_without_effect({"traces"});
  telemetry.no_other_keys();
}

void decode_limits(const Node& limits, ServiceSection& service) {
  const Node in_flight = limits.child("in_flight");
  if (in_flight.present() && in_flight.kind() != Node::Kind::null) {
    const bool scalar = in_flight.kind() == Node::Kind::scalar;
    const auto bytes = scalar ? parse_bytes(in_flight.as_string()) : std::nullopt;
    if (!bytes || *bytes < in_flight_min) {
      limits.unexpected("in_flight", "at least 1 MiB, such as \"128MiB\"");
    } else {
      service.in_flight_bytes = *bytes;
    }
  }
  limits.no_other_keys();
}

/// `admin: {}` is enough to have it.
void decode_admin(const Node& admin, ServiceSection& service) {
  if (!admin.present()) return;
  service.admin_endpoint = "localhost:13134";
  admin.optional("endpoint", service.admin_endpoint);
  admin.no_other_keys();
}

}  // namespace

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  static constexpr std::array<Unit, 8> units = {{{"", 1},
                                                 {"B", 1},
                                                 {"KB", 1'000},
                                                 {"MB", 1'000'000},
                                                 {"GB", 1'000'000'000},
                                                 {"KiB", 1ULL << 10},
                                                 {"MiB", 1ULL << 20},
                                                 {"GiB", 1ULL << 30}}};
  std::uint64_t count = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (code != std::errc() || end == text.data()) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  const auto unit = std::ranges::find(units, text, &Unit::name);
  if (unit == units.end() || count > std::numeric_limits<std::uint64_t>::max() / unit->bytes)
    return {};
  return count * unit->bytes;
}

ServiceSection decode_service(const Node& node) {
  ServiceSection service;
  for (const Node& extension : node.child("extensions").list()) {
    const std::string text = extension.as_string();
    if (const auto id = parse_component_id(text)) {
      service.extensions.push_back({*id, extension.position()});
    } else if (extension.kind() == Node::Kind::scalar) {
      extension.unexpected("", "an id such as \"health_check\"");
    }
  }
  decode_telemetry(node.child("telemetry"), service);
  decode_limits(node.child("limits"), service);
  decode_admin(node.child("admin"), service);
  node.optional("drain_timeout", service.drain_timeout);
  node.expect(service.drain_timeout.count() >= 0, "drain_timeout", "must not be negative");
  node.child("pipelines");
  node.no_other_keys();
  return service;
}

}  // namespace sluice::config
