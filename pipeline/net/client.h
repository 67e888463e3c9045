#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/node.h"
#include "pipeline/metrics.h"
#include "pipeline/model/span_batch.h"
#include "pipeline/net/compression.h"
#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"

/// The client side: HTTP/1.1 with a keep-alive pool, and unary gRPC over HTTP/2, both with TLS, on
/// the event loops of the doors. Bodies are gathered from the batch's buffers and never
/// concatenated.
namespace sluice::net {

/// The collector's `tls` block for clients.
struct TlsClientOptions {
  bool insecure = false;  ///< gRPC: plain text. HTTP: the scheme decides
  bool insecure_skip_verify = false;
  bool include_system_ca_certs_pool = false;
  std::string ca_file, ca_pem, cert_file, cert_pem, key_file, server_name_override;
  config::Secret key_pem;
  std::string min_version = "1.2", max_version;
  std::vector<std::string> cipher_suites;
  std::vector<std::string> curve_preferences;
  std::chrono::nanoseconds reload_interval{0};
};
TlsClientOptions decode_tls_client(const config::Node& node);

/// Certificates and keys, loaded and checked; shared by connections.
class TlsClient {
 public:
  /// Null with a sentence in `error` when a file cannot be read or does not fit.
  static std::shared_ptr<TlsClient> create(const TlsClientOptions& options, std::string& error);
  struct State;
  std::shared_ptr<State> state;
};

struct ClientRequest {
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  EncodedBatch body;                   ///< compressed already, without the gRPC prefix
  Encoding encoding = Encoding::none;  ///< what `body` is in
  std::chrono::nanoseconds timeout{};
};

struct ClientResponse {
  /// Nothing came back: no connection, a reset, a timeout. `message` says what.
  bool failed = false;
  bool timed_out = false;
  int status = 0;                     ///< HTTP
  GrpcCode grpc = GrpcCode::unknown;  ///< gRPC
  std::string message;                ///< grpc-message, percent-decoded, or why it failed
  std::string status_details;         ///< grpc-status-details-bin, decoded (google.rpc.Status)
  std::string retry_after;            ///< HTTP header, raw
  std::string content_type;
  std::string body;  ///< at most 4 MiB; gRPC: the message
};
using ClientDone = UniqueFunction<void(ClientResponse)>;

struct HttpClientOptions {
  std::string scheme = "http", host;
  std::uint16_t port = 80;
  std::size_t connections_max = 0;  ///< 0: as many as there are requests at once
  std::size_t idle_connections_max = 100;
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(90);
  bool keep_alive = true;
  std::string proxy_url;
};

/// HTTP/1.1 POST with keep-alive; no redirects. Lives on one loop; any thread may call `post`.
class HttpClient {
 public:
  HttpClient(EventLoop& loop, HttpClientOptions options, std::shared_ptr<TlsClient> tls);
  ~HttpClient();  ///< requests under way end as failed
  void post(ClientRequest request, ClientDone done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// "host:port", "dns:///host:port", "unix:///path", "http(s)://host:port".
struct GrpcTarget {
  std::string host;
  std::uint16_t port = 0;
  std::string unix_path;  ///< set: host and port do not count
  std::string authority;  ///< as it was written, without the scheme
  bool https = false;     ///< TLS, whatever `insecure` says
};
std::optional<GrpcTarget> parse_grpc_target(std::string_view text);

struct GrpcClientOptions {
  GrpcTarget target;
  std::string authority;  ///< :authority, where it is not the target's
  std::string user_agent;
  bool round_robin = true;  ///< over all addresses of the name; else pick_first
  bool wait_for_ready = false;
  std::chrono::nanoseconds keepalive_time{0};  ///< 0: off
  std::chrono::nanoseconds keepalive_timeout = std::chrono::seconds(10);
  bool keepalive_without_stream = false;
};

/// Unary gRPC over nghttp2: resolves the name (again after failures and every 30 s while it has
/// several addresses), keeps a connection per address, reconnects with backoff. Lives on one loop;
/// any thread may call.
class GrpcClient {
 public:
  GrpcClient(EventLoop& loop, GrpcClientOptions options, std::shared_ptr<TlsClient> tls);
  ~GrpcClient();
  void call(ClientRequest request, ClientDone done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace sluice::net
