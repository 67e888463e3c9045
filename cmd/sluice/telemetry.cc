#include "cmd/sluice/telemetry.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>

#include "pipeline/log.h"

namespace sluice {
namespace {

log::Level log_level(const std::string& word) {
  if (word == "debug") return log::Level::debug;
  if (word == "info") return log::Level::info;
  return word == "warn" ? log::Level::warn : log::Level::error;
}

/// A version 4 UUID.
std::string instance_id() {
  std::random_device random;
  std::string id;
  constexpr std::string_view digits = "0123456789abcdef";
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) id += '-';
    const unsigned bits = random() & 15;
    id += i == 12 ? '4' : digits[i == 16 ? 8 | (bits & 3) : bits];
  }
  return id;
}

/// What the collector says about itself, under our name, unless the configuration says otherwise;
/// an empty value there removes one.
Labels resource_labels(const config::ServiceSection& service) {
  Labels labels = {{"service.instance.id", instance_id()},
                   {"service.name", "sluice"},
                   {"service.version", SLUICE_VERSION}};
  for (const auto& [key, value] : service.resource) {
    std::erase_if(labels, [&](const auto& label) { return label.first == key; });
    if (!value.empty()) labels.emplace_back(key, value);
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

net::Response plain(int status, std::string text) {
  net::Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

}  // namespace

Telemetry::Telemetry(const config::ServiceSection& service, const Metrics& metrics,
                     net::Listeners& listeners, config::Problems& problems)
    : metrics_(metrics), resource_(resource_labels(service)) {
  log::configure(log_level(service.logs_level),
                 service.logs_encoding == "json" ? log::Encoding::json : log::Encoding::console);
  if (service.metrics_level == "none") return;
  for (const config::PrometheusReader& reader : service.prometheus) {
    net::Endpoint endpoint;
    endpoint.host = reader.host;
    endpoint.port = reader.port;
    std::string error;
    if (!listeners.route("service.telemetry.metrics", endpoint, {}, "/metrics", {}, *this, error)) {
      problems.error({}, "service.telemetry.metrics.readers", error);
    }
  }
}

net::Admission Telemetry::admit(const net::RequestHead& head) {
  if (head.method == "GET" || head.method == "HEAD") return {4096, {}};
  return {0, plain(405, "GET alone\n")};
}

void Telemetry::serve(net::Request, net::Reply reply) {
  net::Response response = plain(200, metrics_.prometheus(resource_));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
  reply.send(std::move(response));
}

net::Response Telemetry::transport_error(net::TransportError error, const net::RequestHead&,
                                         std::string_view detail) {
  return plain(error == net::TransportError::busy ? 503 : 400, std::string(detail) + "\n");
}

}  // namespace sluice
