#include "pipeline/foreign_types.h"

#include <algorithm>
#include <array>
#include <span>

#include "config/error.h"

namespace sluice {
namespace {

// Types of the collector and its contrib distribution that people have in files with trace
// pipelines. Whether sluice has one by now is looked up first, so an entry too many does no harm.
constexpr auto receivers = std::to_array<std::string_view>({
    "awsfirehose",
    "awss3",
    "awsxray",
    "azureeventhub",
    "cloudfoundry",
    "datadog",
    "envoyals",
    "faro",
    "filelog",
    "fluentforward",
    "github",
    "gitlab",
    "googlecloudpubsub",
    "hostmetrics",
    "httpcheck",
    "influxdb",
    "jaeger",
    "k8s_cluster",
    "k8s_events",
    "k8sobjects",
    "kafka",
    "kubeletstats",
    "libhoney",
    "loki",
    "nop",
    "opencensus",
    "otelarrow",
    "otlpjsonfile",
    "prometheus",
    "pulsar",
    "receiver_creator",
    "redis",
    "sapm",
    "signalfx",
    "skywalking",
    "solace",
    "splunk_hec",
    "statsd",
    "stef",
    "syslog",
    "tcplog",
    "udplog",
    "webhookevent",
});
constexpr auto processors = std::to_array<std::string_view>({
    "attributes",
    "batch",
    "coralogix",
    "cumulativetodelta",
    "deltatorate",
    "dns_lookup",
    "filter",
    "geoip",
    "groupbyattrs",
    "groupbytrace",
    "interval",
    "isolationforest",
    "k8s_attributes",
    "k8sattributes",
    "logdedup",
    "memory_limiter",
    "metricstransform",
    "probabilistic_sampler",
    "redaction",
    "remotetap",
    "resource",
    "resourcedetection",
    "routing",
    "schema",
    "span",
    "sumologic",
    "tail_sampling",
    "transform",
    "unroll",
});
constexpr auto exporters = std::to_array<std::string_view>({
    "alertmanager",
    "alibabacloud_logservice",
    "awss3",
    "awsxray",
    "azureblob",
    "azuredataexplorer",
    "azuremonitor",
    "bmchelix",
    "cassandra",
    "clickhouse",
    "coralogix",
    "datadog",
    "dataset",
    "doris",
    "elasticsearch",
    "faro",
    "googlecloud",
    "googlecloudpubsub",
    "honeycombmarker",
    "influxdb",
    "jaeger",
    "kafka",
    "load_balancing",
    "loadbalancing",
    "logging",
    "logicmonitor",
    "logzio",
    "mezmo",
    "opensearch",
    "otelarrow",
    "prometheus",
    "prometheusremotewrite",
    "pulsar",
    "rabbitmq",
    "sapm",
    "sentry",
    "signalfx",
    "splunk_hec",
    "stef",
    "sumologic",
    "syslog",
    "tencentcloud_logservice",
    "tinybird",
});
constexpr auto connectors = std::to_array<std::string_view>({
    "count",           "datadog",       "exceptions",      "failover",
    "forward",         "grafanacloud",  "metrics_as_logs", "metricsaslogs",
    "otlp_json",       "otlpjson",      "round_robin",     "roundrobin",
    "routing",         "service_graph", "servicegraph",    "signal_to_metrics",
    "signaltometrics", "slow_sql",      "slowsql",         "span_metrics",
    "spanmetrics",     "sum",
});
constexpr auto extensions = std::to_array<std::string_view>({
    "ack",
    "asapclient",
    "awsproxy",
    "basicauth",
    "bearertokenauth",
    "cgroupruntime",
    "db_storage",
    "docker_observer",
    "file_storage",
    "googleclientauth",
    "headers_setter",
    "health_check",
    "healthcheckv2",
    "host_observer",
    "http_forwarder",
    "jaegerremotesampling",
    "k8s_leader_elector",
    "k8s_observer",
    "memory_ballast",
    "memory_limiter",
    "oauth2client",
    "oidc",
    "opamp",
    "pprof",
    "sigv4auth",
    "zpages",
});

std::span<const std::string_view> foreign(std::string_view kind) {
  if (kind == "receiver") return receivers;
  if (kind == "processor") return processors;
  if (kind == "exporter") return exporters;
  if (kind == "connector") return connectors;
  return extensions;
}

std::string listed(const std::vector<std::string>& known) {
  std::string out;
  for (const std::string& type : known) (out += out.empty() ? "" : ", ") += type;
  return out;
}

}  // namespace

std::string unknown_type(std::string_view kind, std::string_view type,
                         const std::vector<std::string>& known) {
  const auto theirs = foreign(kind);
  const std::string quoted = "\"" + std::string(type) + "\"";
  if (std::find(theirs.begin(), theirs.end(), type) != theirs.end()) {
    return "the collector's " + std::string(kind) + " " + quoted +
           " is not part of sluice; it has " + listed(known);
  }
  const std::string_view near = config::nearest(type, known);
  const std::string start = "unknown " + std::string(kind) + " type " + quoted + "; ";
  if (!near.empty()) return start + "did you mean \"" + std::string(near) + "\"?";
  return start + "there are " + listed(known);
}

}  // namespace sluice
