#include "pipeline/export/http_client_block.h"

#include <algorithm>
#include <array>
#include <string>

#include "pipeline/codec/base64.h"

namespace sluice {

namespace {

using net::Encoding;

bool is_reserved(std::string_view name) {
  constexpr std::array<std::string_view, 7> names = {
      "content-length", "transfer-encoding", "connection",
      "content-type",   "content-encoding",  "host",
      "expect"};
  return std::ranges::find(names, name) != names.end();
}

void decode_compression(const config::Node& node, HttpClientBlock& block) {
  node.one_of("compression", block.encoding,
              {{"gzip", Encoding::gzip},
               {"zstd", Encoding::zstd},
               {"zlib", Encoding::zlib},
               {"deflate", Encoding::deflate},
               {"snappy", Encoding::snappy},
               {"x-snappy-framed", Encoding::snappy_framed},
               {"lz4", Encoding::lz4},
               {"none", Encoding::none},
               {"", Encoding::none}});
  const config::Node parameters = node.child("compression_params");
  std::int32_t level = 0;
  parameters.optional("level", level);
  const Encoding encoding = block.encoding;
  const bool is_zlib =
      encoding == Encoding::gzip || encoding == Encoding::zlib || encoding == Encoding::deflate;
  const std::int32_t level_max = is_zlib ? 9 : encoding == Encoding::zstd ? 22 : 0;
  parameters.expect(level >= (is_zlib ? -1 : 0) && level <= level_max, "level",
                    level_max == 0 ? "this compression has no levels"
                                   : "must be between 1 and " + std::to_string(level_max) +
                                         ", or 0 for the default");
  block.compression_level = std::max(level, 0);
  parameters.no_other_keys();
}

void decode_idle(const config::Node& node, net::HttpClientOptions& client) {
  std::uint32_t idle_max = static_cast<std::uint32_t>(client.idle_connections_max);
  std::uint32_t idle_per_host = 0;
  node.optional("max_idle_conns", idle_max);
  node.optional("max_idle_conns_per_host", idle_per_host);
  node.optional("idle_conn_timeout", client.idle_timeout);
  node.expect(client.idle_timeout.count() >= 0, "idle_conn_timeout", "must not be negative");
  if (idle_max == 0) idle_max = UINT32_MAX;                              // no limit
  if (idle_per_host != 0) idle_max = std::min(idle_max, idle_per_host);  // there is one host
  client.idle_connections_max = idle_max;
}

/// Both spellings: the section, and the flat keys of older files.
void decode_connections(const config::Node& node, net::HttpClientOptions& client) {
  decode_idle(node, client);
  bool disabled = false;
  node.optional("disable_keep_alives", disabled);
  const config::Node section = node.child("keepalive");
  bool enabled = true;
  section.optional("enabled", enabled);
  if (section.present()) decode_idle(section, client);
  section.no_other_keys();
  client.keep_alive = enabled && !disabled;
  std::uint32_t connections_max = 0;
  node.optional("max_conns_per_host", connections_max);
  client.connections_max = connections_max;
}

void decode_proxy(const config::Node& node, net::HttpClientOptions& client) {
  const std::optional<net::Url> proxy = decode_url(node, "proxy_url");
  if (!proxy) return;
  node.optional("proxy_url", client.proxy_url);
  node.expect(proxy->scheme == "http", "proxy_url",
              "the proxy itself is spoken to without TLS: expected http://");
}

void decode_headers(const config::Node& node, const std::optional<net::Url>& url,
                    std::string_view content_type, HttpClientBlock& block) {
  net::HeaderList list = net::decode_client_headers(node, is_reserved);
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(list, [&](const auto& header) { return header.first == name; });
  };
  if (!has("user-agent")) list.emplace_back("user-agent", "sluice/" SLUICE_VERSION);
  if (url && !url->user.empty() && !has("authorization")) {
    list.emplace_back("authorization", "Basic " + base64::encoded(url->user));
  }
  list.emplace_back("content-type", content_type);
  block.headers = std::move(list);
}

void refuse_cookies(const config::Node& node) {
  if (node.child("cookies").present())
    node.error("cookies", "cookies are not kept; remove the block");
}

}  // namespace

std::optional<net::Url> decode_url(const config::Node& node, std::string_view key) {
  std::string text;
  node.optional(key, text);
  if (text.empty()) return std::nullopt;
  std::optional<net::Url> url = net::parse_url(text);
  if (!url) node.unexpected(key, "a URL such as \"https://gateway:4318\"");
  return url;
}

void decode_http_client(const config::Node& node, const std::optional<net::Url>& url,
                        std::string_view content_type, HttpClientBlock& block) {
  if (url) {
    block.client.scheme = url->scheme;
    block.client.host = url->host;
    block.client.port = url->port;
    block.path = url->path;
  }
  decode_compression(node, block);
  block.tls = net::decode_tls_client(node.child("tls"));
  decode_headers(node, url, content_type, block);
  decode_connections(node, block.client);
  decode_proxy(node, block.client);
  node.accepted_without_effect({"read_buffer_size", "write_buffer_size", "force_attempt_http2",
                                "http2_read_idle_timeout", "http2_ping_timeout"});
  refuse_cookies(node);
  net::refuse_client_extensions(node);
}

}  // namespace sluice
