#include "pipeline/net/grpc_client_block.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipeline/codec/base64.h"

namespace sluice::net {
namespace {

using std::chrono::seconds;

bool is_reserved(std::string_view name) {
  return name.starts_with("grpc-") || name == "te" || name == "content-type" ||
         name == "user-agent" || name == "connection" || name == "transfer-encoding" ||
         name == "host" || name == "content-length";
}

void decode_target(const config::Node& node, GrpcClientOptions& client) {
  std::string endpoint;
  node.required("endpoint", endpoint);
  if (!node.has("endpoint")) return;
  const std::optional<GrpcTarget> target = parse_grpc_target(endpoint);
  if (target) {
    client.target = *target;
  } else {
    node.unexpected(
        "endpoint",
        "an address such as \"gateway:4317\", \"dns:///gateway:4317\" or \"unix:///run/x.sock\"");
  }
}

void decode_keepalive(const config::Node& node, GrpcClientOptions& client) {
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

HeaderList decode_headers(const config::Node& node) {
  HeaderList headers = decode_client_headers(node, is_reserved);
  for (auto& [name, value] : headers) {
    if (name.ends_with("-bin")) value = base64::encoded(value);
  }
  return headers;
}

}  // namespace

GrpcClientBlock decode_grpc_client(const config::Node& node, Encoding compression) {
  GrpcClientBlock block = decode_grpc_client_without_endpoint(node, compression);
  decode_target(node, block.client);
  return block;
}

GrpcClientBlock decode_grpc_client_without_endpoint(const config::Node& node,
                                                    Encoding compression) {
  GrpcClientBlock block;
  block.tls = decode_tls_client(node.child("tls"));
  block.encoding = compression;
  node.one_of("compression", block.encoding,
              {{"gzip", Encoding::gzip},
               {"zstd", Encoding::zstd},
               {"snappy", Encoding::snappy_framed},
               {"none", Encoding::none},
               {"", Encoding::none}});
  node.one_of("balancer_name", block.client.round_robin,
              {{"round_robin", true}, {"pick_first", false}});
  node.optional("authority", block.client.authority);
  if (block.client.authority.empty()) block.client.authority = block.tls.server_name_override;
  block.client.user_agent = "sluice/" SLUICE_VERSION;
  node.optional("user_agent", block.client.user_agent);
  node.optional("wait_for_ready", block.client.wait_for_ready);
  decode_keepalive(node.child("keepalive"), block.client);
  block.headers = decode_headers(node);
  node.accepted_without_effect({"read_buffer_size", "write_buffer_size"});
  refuse_client_extensions(node);
  return block;
}

bool is_plain(const GrpcClientBlock& block) {
  const bool has_authority = !block.tls.ca_file.empty() || !block.tls.ca_pem.empty();
  return block.tls.insecure && !has_authority && !block.client.target.https;
}

std::unique_ptr<GrpcClient> make_grpc_client(const GrpcClientBlock& block, EventLoop& loop,
                                             std::string& error) {
  std::shared_ptr<TlsClient> tls;
  if (!is_plain(block)) {
    tls = TlsClient::create(block.tls, error);
    if (tls == nullptr) return nullptr;
  }
  return std::make_unique<GrpcClient>(loop, block.client, std::move(tls));
}

std::string_view code_name(GrpcCode code) {
  constexpr std::array<std::string_view, 17> names = {"OK",
                                                      "CANCELLED",
                                                      "UNKNOWN",
                                                      "INVALID_ARGUMENT",
                                                      "DEADLINE_EXCEEDED",
                                                      "NOT_FOUND",
                                                      "ALREADY_EXISTS",
                                                      "PERMISSION_DENIED",
                                                      "RESOURCE_EXHAUSTED",
                                                      "FAILED_PRECONDITION",
                                                      "ABORTED",
                                                      "OUT_OF_RANGE",
                                                      "UNIMPLEMENTED",
                                                      "INTERNAL",
                                                      "UNAVAILABLE",
                                                      "DATA_LOSS",
                                                      "UNAUTHENTICATED"};
  return names[static_cast<std::size_t>(code)];
}

}  // namespace sluice::net
