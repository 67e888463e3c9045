#include <algorithm>
#include <cctype>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "pipeline/net/compression.h"
#include "pipeline/net/server.h"

namespace sluice::net {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20;
constexpr std::uint64_t buffer_max = 1024 * mebibyte;  // what a Buffer can hold

/// "tcp" is a host and port, "unix" the path of a socket; the endpoint "unix://…" says the same by
/// itself.
Endpoint decode_endpoint(const config::Node& node, std::string_view default_endpoint) {
  std::string text(default_endpoint);
  node.optional("endpoint", text);
  bool is_path = false;
  node.one_of("transport", is_path, {{"tcp", false}, {"unix", true}});
  if (is_path && !text.starts_with("unix:")) text = "unix://" + text;
  const std::optional<Endpoint> endpoint = Endpoint::parse(text);
  if (!endpoint)
    node.unexpected("endpoint",
                    "an address such as \"localhost:4317\" or \"unix:///run/sluice.sock\"");
  return endpoint.value_or(Endpoint{});
}

void refuse_until_later(const config::Node& node, std::string_view key, std::string_view sentence) {
  const config::Node::Kind kind = node.child(key).kind();
  const bool empty_list = kind == config::Node::Kind::list && node.child(key).list().empty();
  if (kind == config::Node::Kind::absent || kind == config::Node::Kind::null || empty_list) return;
  node.error(key, std::string(sentence));
}

void refuse_what_comes_later(const config::Node& node) {
  refuse_until_later(node, "tls",
                     "TLS on the receiving side comes with a later release of sluice; "
                     "terminate TLS in front of it until then");
  refuse_until_later(node, "auth",
                     "authentication on the receiving side comes with a later release of sluice; "
                     "authenticate in front of it until then");
  refuse_until_later(node, "middlewares", "sluice has no middleware extensions");
}

void duration(const config::Node& node, std::string_view key, std::chrono::nanoseconds& out) {
  node.optional(key, out);
  node.expect(out.count() >= 0, key, "must not be negative");
}

void decode_keepalive(const config::Node& node, ServerOptions& options) {
  const config::Node parameters = node.child("server_parameters");
  duration(parameters, "max_connection_idle", options.idle_timeout);
  duration(parameters, "max_connection_age", options.connection_age_max);
  duration(parameters, "max_connection_age_grace", options.connection_age_grace);
  duration(parameters, "time", options.keepalive_time);
  duration(parameters, "timeout", options.keepalive_timeout);
  parameters.no_other_keys();
  const config::Node policy = node.child("enforcement_policy");
  duration(policy, "min_time", options.ping_interval_min);
  policy.optional("permit_without_stream", options.ping_without_stream);
  policy.no_other_keys();
  node.no_other_keys();
}

/// The keys of release 0.160 and later; the older ones beside `idle_timeout` mean the same.
void decode_http_keepalive(const config::Node& node, ServerOptions& options) {
  node.optional("keep_alives_enabled", options.http1_keep_alive);
  duration(node, "idle_timeout", options.idle_timeout);
  const config::Node block = node.child("keepalive");
  if (!block.present()) return;
  for (const std::string_view older : {"keep_alives_enabled", "idle_timeout"}) {
    if (node.has(older)) node.error(older, "cannot stand beside keepalive, which replaces it");
  }
  block.optional("enabled", options.http1_keep_alive);
  duration(block, "idle_timeout", options.idle_timeout);
  block.no_other_keys();
}

void decode_cors(const config::Node& node, RouteOptions& route) {
  node.optional("allowed_origins", route.cors_origins);
  node.optional("allowed_headers", route.cors_headers);
  node.optional("exposed_headers", route.cors_exposed_headers);
  std::uint32_t seconds = 0;
  node.optional("max_age", seconds);
  route.cors_max_age = std::chrono::seconds(seconds);
  for (const std::string& origin : route.cors_origins) {
    node.expect(std::count(origin.begin(), origin.end(), '*') <= 1, "allowed_origins",
                "an origin may hold one \"*\"");
  }
  node.no_other_keys();
}

/// Names go out in lower case, which HTTP/2 demands and HTTP/1.1 does not mind.
void decode_response_headers(const config::Node& node, RouteOptions& route) {
  node.optional("response_headers", route.response_headers);
  constexpr std::string_view token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
  for (auto& [name, value] : route.response_headers) {
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    const bool valid = !name.empty() && name.find_first_not_of(token) == std::string::npos;
    node.expect(valid, "response_headers", "\"" + name + "\" is no header name");
    const bool printable = std::none_of(value.begin(), value.end(), [](char c) {
      return std::iscntrl(static_cast<unsigned char>(c));
    });
    node.expect(printable, "response_headers",
                "the value of \"" + name + "\" holds a control character");
  }
}

void decode_encodings(const config::Node& node, RouteOptions& route) {
  node.optional("compression_algorithms", route.encodings);
  for (const std::string& name : route.encodings) {
    node.expect(parse_encoding(name).has_value(), "compression_algorithms",
                "\"" + name + "\" is not known");
  }
}

}  // namespace

ServerBlock decode_grpc_server(const config::Node& node, std::string_view default_endpoint) {
  ServerBlock block;
  block.endpoint = decode_endpoint(node, default_endpoint);
  refuse_what_comes_later(node);
  std::uint32_t mebibytes = 0;
  node.optional("max_recv_msg_size_mib", mebibytes);
  node.expect(mebibytes <= buffer_max / mebibyte, "max_recv_msg_size_mib", "must be at most 1024");
  if (mebibytes != 0) block.body_bytes_max = std::min(mebibytes * mebibyte, buffer_max);
  std::uint32_t streams = 0;
  node.optional("max_concurrent_streams", streams);
  if (streams != 0) block.server.streams_max = streams;
  decode_keepalive(node.child("keepalive"), block.server);
  node.optional("include_metadata", block.route.include_metadata);
  node.accepted_without_effect({"read_buffer_size", "write_buffer_size"});
  block.route.encodings = {"", "gzip", "zstd", "snappy"};
  return block;
}

ServerBlock decode_http_server(const config::Node& node, std::string_view default_endpoint) {
  ServerBlock block;
  block.endpoint = decode_endpoint(node, default_endpoint);
  refuse_what_comes_later(node);
  std::uint64_t bytes = 0;
  node.optional("max_request_body_size", bytes);
  node.expect(bytes <= buffer_max, "max_request_body_size", "must be at most 1073741824");
  if (bytes != 0) block.body_bytes_max = std::min(bytes, buffer_max);
  duration(node, "read_timeout", block.server.read_timeout);
  duration(node, "read_header_timeout", block.server.header_timeout);
  duration(node, "write_timeout", block.server.write_timeout);
  decode_http_keepalive(node, block.server);
  node.optional("include_metadata", block.route.include_metadata);
  decode_cors(node.child("cors"), block.route);
  decode_response_headers(node, block.route);
  decode_encodings(node, block.route);
  return block;
}

}  // namespace sluice::net
