#include "extensions/health_check/health_check.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "pipeline/net/server.h"

namespace sluice {
namespace {

using std::chrono::nanoseconds;
using std::chrono::system_clock;

struct HealthConfig {
  net::ServerBlock server;
  std::string path = "/";
  std::optional<std::string> healthy, unhealthy;  ///< replace the JSON
};

/// A duration as Go writes it: "1h2m3.5s".
std::string go_duration(nanoseconds duration) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(duration);
  const double rest = std::chrono::duration<double>(duration - minutes).count();
  std::string text = fmt::format("{}s", rest);
  if (minutes.count() > 0) text = fmt::format("{}m", minutes.count() % 60) + text;
  if (minutes.count() >= 60) text = fmt::format("{}h", minutes.count() / 60) + text;
  return text;
}

std::string rfc3339(system_clock::time_point time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto fraction = std::chrono::duration_cast<nanoseconds>(time - whole).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", fmt::gmtime(system_clock::to_time_t(whole)),
                     fraction);
}

/// Asked on any worker; told on one.
class HealthCheck final : public Extension, public net::Service {
 public:
  HealthCheck(HealthConfig config, const ExtensionContext& context) : config_(std::move(config)) {
    route(config_.path, context);
    if (config_.path != "/ready") route("/ready", context);
  }

  bool start(std::string&) override { return true; }
  void stop() override {}
  void ready(bool now) override {
    const auto time = now ? system_clock::now().time_since_epoch() : nanoseconds(0);
    up_since_.store(std::chrono::duration_cast<nanoseconds>(time).count());
  }

  net::Admission admit(const net::RequestHead&) override { return {4096, {}}; }
  void serve(net::Request, net::Reply reply) override { reply.send(answer()); }
  net::Response transport_error(net::TransportError, const net::RequestHead&,
                                std::string_view) override {
    return answer();
  }

 private:
  void route(const std::string& path, const ExtensionContext& context) {
    std::string error;
    const bool free =
        context.listeners.route(context.id, config_.server.endpoint, config_.server.server, path,
                                config_.server.route, *this, error);
    if (!free && context.errors != nullptr) context.errors->push_back(error);
  }

  net::Response answer() const {
    const nanoseconds up_since(up_since_.load());
    const bool up = up_since.count() > 0;
    const std::optional<std::string>& body = up ? config_.healthy : config_.unhealthy;
    net::Response response;
    response.status = up ? 200 : 503;
    response.content_type = body ? "text/plain; charset=utf-8" : "application/json";
    response.body = body ? *body : up ? available(up_since) : unavailable();
    return response;
  }

  static std::string available(nanoseconds up_since) {
    const system_clock::time_point since{
        std::chrono::duration_cast<system_clock::duration>(up_since)};
    return fmt::format(R"({{"status":"Server available","upSince":"{}","uptime":"{}"}})",
                       rfc3339(since), go_duration(system_clock::now() - since));
  }
  static std::string unavailable() {
    return R"({"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""})";
  }

  const HealthConfig config_;
  std::atomic<std::int64_t> up_since_{0};  ///< nanoseconds since 1970; 0: not ready
};

Decoded<ExtensionBuilder> decode(const config::Node& node) {
  HealthConfig config;
  config.server = net::decode_http_server(node, "localhost:13133");
  node.optional("path", config.path);
  node.expect(config.path.starts_with("/"), "path", "must begin with \"/\"");
  const config::Node body = node.child("response_body");
  body.optional("healthy", config.healthy);
  body.optional("unhealthy", config.unhealthy);
  body.no_other_keys();
  node.accepted_without_effect({"check_collector_pipeline"});
  node.no_other_keys();
  return ExtensionBuilder([config](const ExtensionContext& context) -> std::unique_ptr<Extension> {
    return std::make_unique<HealthCheck>(config, context);
  });
}

}  // namespace

ExtensionType health_check_extension() { return {{"health_check", decode, {}}}; }

}  // namespace sluice
