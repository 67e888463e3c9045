#pragma once

#include <optional>
#include <string_view>

#include "config/node.h"
#include "pipeline/net/client.h"
#include "pipeline/net/client_headers.h"
#include "pipeline/net/url.h"

namespace sluice {

/// The keys of the collector's HTTP client block, as an exporter holds them.
struct HttpClientBlock {
  net::HttpClientOptions client;
  std::string path;
  net::TlsClientOptions tls;
  net::Encoding encoding = net::Encoding::none;  ///< on entry the default
  std::int32_t compression_level = 0;
  net::HeaderList headers;  ///< complete: content type and user agent too
};

/// A URL under `key`, or nothing, with an error where it is none.
std::optional<net::Url> decode_url(const config::Node& node, std::string_view key);

/// Reads everything but the URL, which is given. Reports to the node; does not call no_other_keys.
void decode_http_client(const config::Node& node, const std::optional<net::Url>& url,
                        std::string_view content_type, HttpClientBlock& block);

}  // namespace sluice
