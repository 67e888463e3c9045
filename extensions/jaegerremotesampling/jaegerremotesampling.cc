#include "extensions/jaegerremotesampling/jaegerremotesampling.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "extensions/jaegerremotesampling/local_source.h"
#include "extensions/jaegerremotesampling/services.h"
#include "extensions/jaegerremotesampling/upstream_source.h"
#include "pipeline/net/server.h"

namespace sluice {
namespace {

using remote_sampling::LocalSource;
using remote_sampling::Remarks;
using remote_sampling::Source;
using remote_sampling::Strategies;
using remote_sampling::UpstreamSource;

struct SamplingConfig {
  net::ServerBlock http, grpc;
  LocalSource::Options local;
  std::optional<net::GrpcClientBlock> remote;
  std::chrono::nanoseconds reload_interval{0};
};

class RemoteSampling final : public Extension {
 public:
  RemoteSampling(const SamplingConfig& config, const ExtensionContext& context)
      : source_(make_source(config, context)), http_(*source_, context), grpc_(*source_, context) {
    route(config.http, "/sampling", http_, context);
    route(config.http, "/", http_, context);
    route(config.grpc, "/jaeger.api_v2.SamplingManager/GetSamplingStrategy", grpc_, context);
  }

  bool start(std::string& error) override { return source_->start(error); }
  void stop() override { source_->stop(); }

 private:
  static std::unique_ptr<Source> make_source(const SamplingConfig& config,
                                             const ExtensionContext& context) {
    if (config.remote)
      return std::make_unique<UpstreamSource>(*config.remote, config.reload_interval, context);
    LocalSource::Options local = config.local;
    local.reload_interval = config.reload_interval;
    return std::make_unique<LocalSource>(std::move(local), context);
  }

  /// On the doors of the receivers: Jaeger's gRPC shares its address with this.
  static void route(const net::ServerBlock& block, const std::string& path, net::Service& service,
                    const ExtensionContext& context) {
    std::string error;
    const bool free = context.doors.route(context.id, block.endpoint, block.server, path,
                                          block.route, service, error);
    if (!free && context.errors != nullptr) context.errors->push_back(std::move(error));
  }

  std::unique_ptr<Source> source_;
  remote_sampling::HttpStrategies http_;
  remote_sampling::GrpcStrategies grpc_;
};

void read_interval(const config::Node& node, SamplingConfig& config) {
  if (!node.has("reload_interval")) return;
  node.optional("reload_interval", config.reload_interval);
  node.expect(config.reload_interval.count() >= 0, "reload_interval", "must not be negative");
}

/// Whether there is one.
bool read_path(const config::Node& node, std::string_view key, SamplingConfig& config) {
  std::string path;
  node.optional(key, path);
  node.expect(path.find("://") == std::string::npos, key,
              "sluice reads strategies from files on this machine; have the URL fetched into one, "
              "which is read again whenever it has changed");
  if (path.empty()) return false;
  config.local.path = std::move(path);
  return true;
}

/// Whether there are any.
bool read_contents(const config::Node& node, SamplingConfig& config) {
  std::optional<std::string> contents;
  node.optional("contents", contents);
  if (!contents) return false;
  Remarks remarks;
  std::optional<Strategies> strategies =
      Strategies::parse(*contents, "contents", config.local.probability, remarks);
  for (std::string& warning : remarks.warnings) node.warning("contents", std::move(warning));
  if (strategies)
    config.local.strategies = std::move(*strategies);
  else
    node.error("contents", std::move(remarks.error));
  return true;
}

/// The collector's block. How many sources it names.
int decode_source(const config::Node& node, SamplingConfig& config) {
  read_interval(node, config);
  int sources = read_path(node, "file", config) ? 1 : 0;
  if (read_contents(node, config)) ++sources;
  if (const config::Node remote = node.child("remote"); remote.present()) {
    config.remote = net::decode_grpc_client(remote, net::Encoding::none);
    remote.no_other_keys();
    ++sources;
  }
  node.no_other_keys();
  return sources;
}

/// Jaeger's block.
int decode_file(const config::Node& node, SamplingConfig& config) {
  read_path(node, "path", config);
  double& probability = config.local.probability;
  node.optional("default_sampling_probability", probability);
  node.expect(probability >= 0 && probability <= 1, "default_sampling_probability",
              "must lie between 0 and 1");
  read_interval(node, config);
  node.no_other_keys();
  if (!node.present()) return 0;
  config.local.strategies = Strategies(probability);
  return 1;
}

SamplingConfig decode_config(const config::Node& node) {
  SamplingConfig config;
  // Jaeger has its gRPC side at another port than the collector.
  const bool jaegers = node.has("file");
  config.http = net::decode_http_server(node.child("http"), "localhost:5778");
  node.child("http").no_other_keys();
  config.grpc =
      net::decode_grpc_server(node.child("grpc"), jaegers ? "localhost:5779" : "localhost:14250");
  node.child("grpc").no_other_keys();
  const int sources =
      decode_source(node.child("source"), config) + decode_file(node.child("file"), config);
  if (node.has("adaptive")) {
    node.error("adaptive",
               "adaptive sampling needs the traces of all collectors in one storage, which sluice "
               "does not have; give the strategies in a file, or let source.remote ask the Jaeger "
               "collector that computes them");
  } else {
    node.expect(sources == 1, "source",
                "name one source of strategies: \"file\", \"contents\" or \"remote\" under "
                "\"source\", or Jaeger's block \"file\"");
  }
  node.no_other_keys();
  return config;
}

}  // namespace

ExtensionType jaegerremotesampling_extension() {
  const auto decode = [](const config::Node& node) {
    return ExtensionBuilder([config = decode_config(node)](
                                const ExtensionContext& context) -> std::unique_ptr<Extension> {
      return std::make_unique<RemoteSampling>(config, context);
    });
  };
  return {{.name = "jaegerremotesampling", .decode = decode, .aliases = {"remote_sampling"}}};
}

}  // namespace sluice
