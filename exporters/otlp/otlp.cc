#include "exporters/otlp/otlp.h"

#include <algorithm>

#include "exporters/otlp/otlp_sender.h"
#include "pipeline/codec/base64.h"

namespace sluice {

namespace {

using std::chrono::seconds;

bool is_reserved(std::string_view name) {
  return name.starts_with("grpc-") || name == "te" || name == "content-type" ||
         name == "user-agent" || name == "connection" || name == "transfer-encoding" ||
         name == "host" || name == "content-length";
}

/// As the collector decides it: `insecure` counts where no CA says that TLS is meant, and https://
/// always is.
bool is_plain(const OtlpOptions& options) {
  const bool has_authority = !options.tls.ca_file.empty() || !options.tls.ca_pem.empty();
  return options.tls.insecure && !has_authority && !options.client.target.https;
}

void decode_target(const config::Node& node, OtlpOptions& options) {
  std::string endpoint;
  node.required("endpoint", endpoint);
  if (!node.has("endpoint")) return;
  const std::optional<net::GrpcTarget> target = net::parse_grpc_target(endpoint);
  if (target) {
    options.client.target = *target;
  } else {
    node.unexpected(
        "endpoint",
        "an address such as \"gateway:4317\", \"dns:///gateway:4317\" or \"unix:///run/x.sock\"");
  }
}

void decode_keepalive(const config::Node& node, net::GrpcClientOptions& client) {
  if (!node.present()) return;
  client.keepalive_time = seconds(10);
  node.optional("time", client.keepalive_time);
  node.optional("timeout", client.keepalive_timeout);
  node.optional("permit_without_stream", client.keepalive_without_stream);
  node.expect(client.keepalive_time.count() >= 0, "time", "must not be negative");
  node.expect(client.keepalive_timeout.count() > 0, "timeout", "must be more than 0");
  // Servers take more frequent questions for an attack; gRPC's own clients raise the value as well.
  if (client.keepalive_time.count() > 0) {
    client.keepalive_time = std::max<std::chrono::nanoseconds>(client.keepalive_time, seconds(10));
  }
  node.no_other_keys();
}

void decode_headers(const config::Node& node, OtlpOptions& options) {
  options.headers = net::decode_client_headers(node, is_reserved);
  for (auto& [name, value] : options.headers) {
    if (name.ends_with("-bin")) value = base64::encoded(value);
  }
}

OtlpOptions decode_options(const config::Node& node) {
  OtlpOptions options;
  decode_target(node, options);
  options.tls = net::decode_tls_client(node.child("tls"));
  options.plain = is_plain(options);
  node.one_of("compression", options.encoding,
              {{"gzip", net::Encoding::gzip},
               {"zstd", net::Encoding::zstd},
               {"snappy", net::Encoding::snappy_framed},
               {"none", net::Encoding::none},
               {"", net::Encoding::none}});
  node.one_of("balancer_name", options.client.round_robin,
              {{"round_robin", true}, {"pick_first", false}});
  node.optional("authority", options.client.authority);
  if (options.client.authority.empty()) options.client.authority = options.tls.server_name_override;
  options.client.user_agent = "sluice/" SLUICE_VERSION;
  node.optional("user_agent", options.client.user_agent);
  node.optional("wait_for_ready", options.client.wait_for_ready);
  decode_keepalive(node.child("keepalive"), options.client);
  decode_headers(node, options);
  node.accepted_without_effect({"read_buffer_size", "write_buffer_size"});
  net::refuse_client_extensions(node);
  decode_export(node, options.exporting);
  node.no_other_keys();
  return options;
}

ExporterBuilder decode(const config::Node& node) {
  return [options = decode_options(node)](const ExporterContext& context) {
    return make_exporter(context, options.exporting,
                         std::make_unique<OtlpSender>(options, context));
  };
}

}  // namespace

ExporterType otlp_exporter() {
  return {{.name = "otlp", .decode = decode, .aliases = {"otlp_grpc"}}};
}

}  // namespace sluice
