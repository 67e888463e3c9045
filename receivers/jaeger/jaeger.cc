#include "receivers/jaeger/jaeger.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/ensure.h"
#include "pipeline/intake/gate.h"
#include "pipeline/net/server.h"
#include "receivers/jaeger/agent.h"
#include "receivers/jaeger/services.h"

namespace sluice {
namespace {

constexpr std::string_view grpc_method = "/jaeger.api_v2.CollectorService/PostSpans";
constexpr std::string_view http_path = "/api/traces";

/// The kernel's buffer when nobody says how large: enough for what the queue would hold, but no
/// more than this, which is outside of what sluice counts.
constexpr std::size_t buffer_size_max = 16 << 20;

struct AgentConfig {
  net::Endpoint endpoint;
  net::DatagramOptions datagrams;
};

struct JaegerConfig {
  std::optional<net::ServerBlock> grpc;
  std::optional<net::ServerBlock> thrift_http;
  std::optional<AgentConfig> thrift_compact;
  std::optional<AgentConfig> thrift_binary;
  bool strict = false;
};

AgentConfig decode_agent(const config::Node& node, std::string_view default_endpoint) {
  AgentConfig config;
  std::string text(default_endpoint);
  node.optional("endpoint", text);
  const std::optional<net::Endpoint> endpoint = net::Endpoint::parse(text);
  if (!endpoint || !endpoint->unix_path.empty())
    node.unexpected("endpoint", "an address such as \"" + std::string(default_endpoint) + '"');
  config.endpoint = endpoint.value_or(net::Endpoint{});

  std::uint64_t queue_size = 1000, size_max = config.datagrams.size_max, workers = 10, buffer = 0;
  node.optional("queue_size", queue_size);
  node.expect(queue_size >= 1 && queue_size <= 1'000'000, "queue_size",
              "must be between 1 and 1000000");
  node.optional("max_packet_size", size_max);
  node.expect(size_max >= 1 && size_max <= 65535, "max_packet_size",
              "must be between 1 and 65535: no datagram is larger");
  node.optional("workers", workers);
  node.expect(workers >= 1, "workers", "must be at least 1");
  node.optional("socket_buffer_size", buffer);
  node.expect(buffer <= std::uint64_t{1} << 30, "socket_buffer_size", "must be at most 1 GiB");
  node.no_other_keys();
  config.datagrams.size_max = size_max;
  config.datagrams.workers_max = workers;
  config.datagrams.buffer_size =
      buffer > 0 ? buffer : std::min<std::uint64_t>(queue_size * size_max, buffer_size_max);
  return config;
}

void decode_protocols(const config::Node& protocols, JaegerConfig& config) {
  if (protocols.has("grpc")) {
    const config::Node block = protocols.child("grpc");
    config.grpc = net::decode_grpc_server(block, "localhost:14250");
    block.no_other_keys();
  }
  if (protocols.has("thrift_http")) {
    const config::Node block = protocols.child("thrift_http");
    config.thrift_http = net::decode_http_server(block, "localhost:14268");
    block.no_other_keys();
  }
  if (protocols.has("thrift_compact"))
    config.thrift_compact = decode_agent(protocols.child("thrift_compact"), "localhost:6831");
  if (protocols.has("thrift_binary"))
    config.thrift_binary = decode_agent(protocols.child("thrift_binary"), "localhost:6832");
  protocols.no_other_keys();
}

JaegerConfig decode(const config::Node& node) {
  JaegerConfig config;
  const config::Node protocols = node.child("protocols");
  decode_protocols(protocols, config);
  node.optional("strict", config.strict);
  if (node.has("remote_sampling"))
    node.error("remote_sampling",
               "a receiver does not serve sampling strategies: name the extension "
               "jaegerremotesampling, which may share this receiver's gRPC address");
  node.no_other_keys();
  const bool any =
      config.grpc || config.thrift_http || config.thrift_compact || config.thrift_binary;
  node.expect(any, "protocols",
              "name at least one protocol: \"grpc:\", \"thrift_http:\", \"thrift_compact:\" or "
              "\"thrift_binary:\" (a name alone has all defaults)");
  return config;
}

// The transports' names are the collector's, so that dashboards keep working.
class JaegerReceiver final : public Receiver {
 public:
  JaegerReceiver(const JaegerConfig& config, const ReceiverContext& context)
      : gate_(std::make_shared<Gate>()), strict_(config.strict) {
    if (config.grpc) {
      grpc_.emplace(intake(context, "grpc"), options(context, *config.grpc));
      route(*config.grpc, std::string(grpc_method), *grpc_, context);
    }
    if (config.thrift_http) {
      http_.emplace(intake(context, "collector_http"), options(context, *config.thrift_http));
      route(*config.thrift_http, std::string(http_path), *http_, context);
    }
    if (config.thrift_compact)
      listen(compact_, *config.thrift_compact, "udp_thrift_compact", context);
    if (config.thrift_binary) listen(binary_, *config.thrift_binary, "udp_thrift_binary", context);
  }

  bool start(std::string&) override {
    return true;
  }  // the listeners are opened together, by their owner
  void stop(Task done) override { gate_->close(std::move(done)); }

 private:
  std::shared_ptr<Intake> intake(const ReceiverContext& context, const std::string& transport) {
    return std::make_shared<Intake>(context, transport, gate_);
  }
  jaeger_door::ServiceOptions options(const ReceiverContext& context,
                                      const net::ServerBlock& block) const {
    return {context.id, block.body_bytes_max, strict_};
  }
  static void report(const ReceiverContext& context, std::string error) {
    ensure(context.errors != nullptr, "a receiver is told where its mistakes go");
    context.errors->push_back(std::move(error));
  }

  static void route(const net::ServerBlock& block, const std::string& path, net::Service& service,
                    const ReceiverContext& context) {
    net::RouteOptions options = block.route;
    options.include_metadata |= context.wants_context;
    std::string error;
    if (!context.listeners.route(context.id, block.endpoint, block.server, path, options, service,
                                 error))
      report(context, std::move(error));
  }

  template <typename Reader>
  void listen(std::optional<jaeger_door::ThriftAgent<Reader>>& agent, const AgentConfig& config,
              const std::string& transport, const ReceiverContext& context) {
    agent.emplace(context, transport, intake(context, transport), strict_);
    std::string error;
    if (!context.listeners.datagrams(context.id, config.endpoint, config.datagrams, *agent, error))
      report(context, std::move(error));
  }

  std::shared_ptr<Gate> gate_;
  const bool strict_;
  std::optional<jaeger_door::GrpcBatches> grpc_;
  std::optional<jaeger_door::HttpBatches> http_;
  std::optional<jaeger_door::ThriftAgent<thrift::CompactReader>> compact_;
  std::optional<jaeger_door::ThriftAgent<thrift::BinaryReader>> binary_;
};

}  // namespace

ReceiverType jaeger_receiver() {
  return {{"jaeger", [](const config::Node& node) {
             return [config = decode(node)](
                        const ReceiverContext& context) -> std::unique_ptr<Receiver> {
               return std::make_unique<JaegerReceiver>(config, context);
             };
           }}};
}

}  // namespace sluice
