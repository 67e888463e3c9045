#include "receivers/otlp/otlp.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/ensure.h"
#include "pipeline/intake/gate.h"
#include "pipeline/net/server.h"
#include "receivers/otlp/intake.h"
#include "receivers/otlp/services.h"

namespace sluice {
namespace {

constexpr std::string_view grpc_endpoint = "localhost:4317", http_endpoint = "localhost:4318";

struct Paths {
  std::string traces = "/v1/traces", metrics = "/v1/metrics", logs = "/v1/logs";
};

struct OtlpConfig {
  std::optional<net::ServerBlock> grpc;
  std::optional<net::ServerBlock> http;
  Paths paths;
};

std::string grpc_path(std::string_view signal, std::string_view service) {
  return "/opentelemetry.proto.collector." + std::string(signal) + '.' + std::string(service) +
         "/Export";
}

/// As the collector has it: a path without its slash is meant to have one.
void read_path(const config::Node& node, std::string_view key, std::string& path) {
  node.optional(key, path);
  if (!path.starts_with('/')) path.insert(0, 1, '/');
}

void decode_http(const config::Node& node, OtlpConfig& config) {
  config.http = net::decode_http_server(node, http_endpoint);
  read_path(node, "traces_url_path", config.paths.traces);
  read_path(node, "metrics_url_path", config.paths.metrics);
  read_path(node, "logs_url_path", config.paths.logs);
  node.expect(config.paths.metrics != config.paths.traces, "metrics_url_path",
              "is the path of traces too");
  node.expect(config.paths.logs != config.paths.traces, "logs_url_path",
              "is the path of traces too");
  node.no_other_keys();
}

OtlpConfig decode(const config::Node& node) {
  OtlpConfig config;
  const config::Node protocols = node.child("protocols");
  const bool grpc = protocols.has("grpc");
  const bool http = protocols.has("http");
  protocols.no_other_keys();
  node.no_other_keys();
  if (grpc) {
    const config::Node block = protocols.child("grpc");
    config.grpc = net::decode_grpc_server(block, grpc_endpoint);
    block.no_other_keys();
  }
  if (http) decode_http(protocols.child("http"), config);
  node.expect(grpc || http, "protocols",
              "name at least one protocol: \"grpc:\" or \"http:\" (a name alone has all defaults)");
  return config;
}

class OtlpReceiver final : public Receiver {
 public:
  OtlpReceiver(const OtlpConfig& config, const ReceiverContext& context)
      : gate_(std::make_shared<Gate>()),
        grpc_intake_(std::make_shared<Intake>(context, "grpc", gate_)),
        http_intake_(std::make_shared<Intake>(context, "http", gate_)),
        grpc_traces_(grpc_intake_, (config.grpc ? config.grpc : config.http)->body_bytes_max),
        http_traces_(http_intake_, (config.http ? config.http : config.grpc)->body_bytes_max) {
    // Its own block first: where both name one address, HTTP has the options of HTTP (CORS) there.
    if (config.grpc) offer_grpc(*config.grpc, context);
    if (config.http) offer_http(*config.http, config.paths, context);
    if (config.http) offer_grpc(*config.http, context);
    if (config.grpc) offer_http(*config.grpc, config.paths, context);
  }

  bool start(std::string&) override {
    return true;
  }  // the listeners are opened together, by their owner
  void stop(Task done) override { gate_->close(std::move(done)); }

 private:
  /// Both on each address: the first bytes of a connection tell gRPC from HTTP.
  void offer_grpc(const net::ServerBlock& block, const ReceiverContext& context);
  void offer_http(const net::ServerBlock& block, const Paths& paths,
                  const ReceiverContext& context);
  void route(const net::ServerBlock& block, const std::string& path, net::Service& service,
             const ReceiverContext& context);

  std::shared_ptr<Gate> gate_;
  std::shared_ptr<Intake> grpc_intake_;
  std::shared_ptr<Intake> http_intake_;
  otlp_door::GrpcTraces grpc_traces_;
  otlp_door::HttpTraces http_traces_;
  otlp_door::OtherSignal grpc_metrics_{grpc_intake_, "metrics"};
  otlp_door::OtherSignal grpc_logs_{grpc_intake_, "logs"};
  otlp_door::OtherSignal grpc_profiles_{grpc_intake_, "profiles"};
  otlp_door::OtherSignal http_metrics_{http_intake_, "metrics"};
  otlp_door::OtherSignal http_logs_{http_intake_, "logs"};
  otlp_door::OtherSignal http_profiles_{http_intake_, "profiles"};
  std::set<std::pair<std::string, std::string>> offered_;  ///< address and path
};

void OtlpReceiver::offer_grpc(const net::ServerBlock& block, const ReceiverContext& context) {
  route(block, grpc_path("trace.v1", "TraceService"), grpc_traces_, context);
  route(block, grpc_path("metrics.v1", "MetricsService"), grpc_metrics_, context);
  route(block, grpc_path("logs.v1", "LogsService"), grpc_logs_, context);
  route(block, grpc_path("profiles.v1development", "ProfilesService"), grpc_profiles_, context);
}

void OtlpReceiver::offer_http(const net::ServerBlock& block, const Paths& paths,
                              const ReceiverContext& context) {
  route(block, paths.traces, http_traces_, context);
  route(block, paths.metrics, http_metrics_, context);
  route(block, paths.logs, http_logs_, context);
  route(block, "/v1development/profiles", http_profiles_, context);
}

/// Both protocols may name one address, and metrics and logs one path.
void OtlpReceiver::route(const net::ServerBlock& block, const std::string& path,
                         net::Service& service, const ReceiverContext& context) {
  if (!offered_.emplace(block.endpoint.to_string(), path).second) return;
  net::RouteOptions options = block.route;
  options.include_metadata |= context.wants_context;
  std::string error;
  if (context.listeners.route(context.id, block.endpoint, block.server, path, options, service,
                              error))
    return;
  ensure(context.errors != nullptr, "a receiver is told where its mistakes go");
  context.errors->push_back(std::move(error));
}

}  // namespace

ReceiverType otlp_receiver() {
  return {{"otlp", [](const config::Node& node) {
             return [config = decode(node)](
                        const ReceiverContext& context) -> std::unique_ptr<Receiver> {
               return std::make_unique<OtlpReceiver>(config, context);
             };
           }}};
}

}  // namespace sluice
