#include "receivers/zipkin/zipkin.h"

#include <memory>
#include <string>
#include <utility>

#include "pipeline/ensure.h"
#include "pipeline/intake/gate.h"
#include "pipeline/net/server.h"
#include "receivers/zipkin/services.h"

namespace sluice {
namespace {

constexpr std::string_view default_endpoint = "localhost:9411";
constexpr std::string_view report_path = "/zipkin.proto3.SpanService/Report";

struct ZipkinConfig {
  net::ServerBlock server;
  bool parse_string_tags = false;
  bool strict = false;
};

ZipkinConfig decode(const config::Node& node) {
  ZipkinConfig config;
  config.server = net::decode_http_server(node, default_endpoint);
  // As Zipkin's own server; a section `cors`, even an empty one, replaces it.
  if (!node.has("cors")) {
    config.server.route.cors_origins = {"*"};
    config.server.route.cors_headers = {"Content-Type"};
  }
  node.optional("parse_string_tags", config.parse_string_tags);
  node.optional("strict", config.strict);
  node.no_other_keys();
  return config;
}

class ZipkinReceiver final : public Receiver {
 public:
  ZipkinReceiver(const ZipkinConfig& config, const ReceiverContext& context)
      : gate_(std::make_shared<Gate>()),
        grpc_intake_(std::make_shared<Intake>(context, "grpc", gate_)),
        http_intake_(std::make_shared<Intake>(context, "http", gate_)),
        grpc_(grpc_intake_, take_options(config, context), config.server.body_bytes_max),
        http_(http_intake_, take_options(config, context), config.server.body_bytes_max) {
    route(config.server, "*", http_, context);
    net::ServerBlock grpc = config.server;
    grpc.route.encodings = {"", "gzip", "zstd", "snappy"};
    route(grpc, std::string(report_path), grpc_, context);
  }

  bool start(std::string&) override {
    return true;
  }  // the listeners are opened together, by their owner
  void stop(Task done) override { gate_->close(std::move(done)); }

 private:
  static zipkin_door::TakeOptions take_options(const ZipkinConfig& config,
                                               const ReceiverContext& context) {
    return {context.id, config.parse_string_tags, config.strict};
  }
  static void route(const net::ServerBlock& block, std::string path, net::Service& service,
                    const ReceiverContext& context);

  std::shared_ptr<Gate> gate_;
  std::shared_ptr<Intake> grpc_intake_;
  std::shared_ptr<Intake> http_intake_;
  zipkin_door::GrpcSpans grpc_;
  zipkin_door::HttpSpans http_;
};

void ZipkinReceiver::route(const net::ServerBlock& block, std::string path, net::Service& service,
                           const ReceiverContext& context) {
  net::RouteOptions options = block.route;
  options.include_metadata |= context.wants_context;
  std::string error;
  if (context.listeners.route(context.id, block.endpoint, block.server, std::move(path), options,
                              service, error))
    return;
  ensure(context.errors != nullptr, "a receiver is told where its mistakes go");
  context.errors->push_back(std::move(error));
}

}  // namespace

ReceiverType zipkin_receiver() {
  return {{"zipkin", [](const config::Node& node) {
             return [config = decode(node)](
                        const ReceiverContext& context) -> std::unique_ptr<Receiver> {
               return std::make_unique<ZipkinReceiver>(config, context);
             };
           }}};
}

}  // namespace sluice
