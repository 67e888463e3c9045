#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/net/event_loop.h"

/// The doors: TCP and unix sockets that speak HTTP/1.1, HTTP/2 and unary gRPC on the same port (the
/// connection preface decides). A receiver offers routes on an address; components that name the
/// same address share one listener when their paths differ.
namespace sluice::net {

/// Where to listen or connect: "127.0.0.1:4317", "[::1]:4317", "localhost:4317", ":4317",
/// "unix:///run/sluice.sock".
struct Endpoint {
  std::string host;  ///< empty: any address
  std::uint16_t port = 0;
  std::string unix_path;
  std::string to_string() const;
  bool is_loopback() const;  ///< or a unix socket
  static std::optional<Endpoint> parse(std::string_view text);
};

/// Limits and timeouts of a listener. Where components share one, the first one's count and a
/// difference is an error at build. 0: none; but a head always has its two limits.
struct ServerOptions {
  std::size_t header_bytes_max = 16 * 1024;
  std::uint32_t header_lines_max = 64;
  std::uint32_t streams_max = 100;  ///< concurrent, per HTTP/2 connection
  std::uint32_t connections_max = 4096;
  std::uint32_t connections_per_peer_max = 256;  ///< loopback is exempt
  std::chrono::nanoseconds header_timeout = std::chrono::seconds(10);
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(60);
  std::chrono::nanoseconds read_timeout{
      0};  ///< whole request; beside it a body must bring 1 KiB/s after 10 s
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(30);
  std::chrono::nanoseconds connection_age_max{
      0};  ///< then GOAWAY, `age_grace` for what is under way
  std::chrono::nanoseconds connection_age_grace{0};
  std::chrono::nanoseconds keepalive_time =
      std::chrono::hours(2);  ///< HTTP/2 PING after this much silence
  std::chrono::nanoseconds keepalive_timeout = std::chrono::seconds(20);
  std::chrono::nanoseconds ping_interval_min =
      std::chrono::minutes(5);  ///< enforcement_policy.min_time
  bool ping_without_stream = false;
  bool http1_keep_alive = true;
  bool operator==(const ServerOptions&) const = default;
};

struct Header {
  std::string_view name;  ///< lower case
  std::string_view value;
};

/// The head of a request, borrowed for the call.
struct RequestHead {
  std::string_view method;
  std::string_view path;   ///< without the query
  std::string_view query;  ///< without '?'
  std::span<const Header> headers;
  std::string_view peer;  ///< address without the port
  std::size_t worker = 0;
  std::optional<std::uint64_t> content_length;
  bool is_grpc = false;  ///< content-type application/grpc or application/grpc+proto
  std::string_view header(std::string_view name) const;  ///< first value, or empty
};

/// gRPC status codes.
enum class GrpcCode : int {
  ok = 0,
  cancelled,
  unknown,
  invalid_argument,
  deadline_exceeded,
  not_found,
  already_exists,
  permission_denied,
  resource_exhausted,
  failed_precondition,
  aborted,
  out_of_range,
  unimplemented,
  internal,
  unavailable,
  data_loss,
  unauthenticated
};

/// What goes back. For gRPC `grpc` counts and `body` is the message (sent for `ok` alone); for HTTP
/// `status` counts. `retry_after` becomes RetryInfo in grpc-status-details-bin, or Retry-After.
struct Response {
  int status = 200;
  GrpcCode grpc = GrpcCode::ok;
  std::string message;  ///< grpc-message
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::chrono::milliseconds> retry_after;
};

/// What a service says to the head of a request, before any of the body is read.
struct Admission {
  /// The body may come, up to this many bytes before and after inflation. The connection asks the
  /// ledger for room first and answers `busy` by itself where there is none.
  std::size_t body_bytes_max = 64 << 20;
  /// Set: do not read the body, answer this.
  std::optional<Response> refusal;
  /// What the service wants to know of the head when it serves the body: Request::note.
  std::uint32_t note = 0;
};

/// Why a request could not be handed to the service although it was admitted.
enum class TransportError : std::uint8_t {
  busy,              ///< no room in the ledger, or the daemon is stopping: come back
  too_large,         ///< over body_bytes_max, before or after inflation
  bad_encoding,      ///< content-encoding or grpc-encoding that is broken or nested
  unknown_encoding,  ///< one that this door does not take
  bad_framing,       ///< gRPC prefix broken, more or less than one message
  timeout,           ///< the body did not come in time
};

struct Request {
  Buffer body;                 ///< inflated, without the gRPC prefix; charged to the ledger
  std::size_t wire_bytes = 0;  ///< as it came
  std::size_t worker = 0;
  bool is_grpc = false;
  std::string query;         ///< as it came, without '?'
  std::uint32_t note = 0;    ///< as the Admission had it
  std::string content_type;  ///< empty for gRPC, which has but one
  std::string accept_encoding;
  RequestContextRef context;  ///< where the route asked for it
};

/// The right to answer one request, once, from any thread. Destroyed or overwritten unused, it
/// answers 503/UNAVAILABLE. Answering a request whose connection is gone does nothing.
class Reply {
 public:
  struct Target {
    virtual void respond(Response response) noexcept = 0;

   protected:
    ~Target() = default;
  };
  Reply() = default;
  explicit Reply(std::shared_ptr<Target> target) : target_(std::move(target)) {}
  Reply(Reply&&) = default;
  Reply& operator=(Reply&& other) noexcept;
  ~Reply();
  void send(Response response);

 private:
  std::shared_ptr<Target> target_;
};

/// What a receiver offers at a path. Called on the worker that the connection lives on, from all
/// workers; so what it touches is by worker, or atomic.
class Service {
 public:
  virtual ~Service() = default;
  virtual Admission admit(const RequestHead& head) = 0;
  virtual void serve(Request request, Reply reply) = 0;
  /// The form of the error that goes back for what the transport found, and its counting.
  virtual Response transport_error(TransportError error, const RequestHead& head,
                                   std::string_view detail) = 0;
};

struct RouteOptions {
  bool include_metadata = false;  ///< fill Request::context
  std::vector<std::string> encodings = {"",       "gzip",    "zstd", "zlib",
                                        "snappy", "deflate", "lz4",  "x-snappy-framed"};
  std::vector<std::string> cors_origins;  ///< '*' may stand inside; empty: no CORS
  std::vector<std::string> cors_headers;
  std::vector<std::string> cors_exposed_headers;
  std::chrono::seconds cors_max_age{0};
  std::vector<std::pair<std::string, std::string>> response_headers;
};

/// What a datagram door gives its service. Borrowed for the call.
struct Datagram {
  std::string_view bytes;
  bool truncated = false;  ///< was longer than `size_max`
};

struct DatagramOptions {
  std::size_t size_max = 65000;    ///< of one datagram; what is longer comes truncated
  std::size_t buffer_size = 0;     ///< wish for the kernel's receive buffer; 0: as it is
  std::size_t workers_max = 1024;  ///< how many loops may work on one address; at least 1
  bool operator==(const DatagramOptions&) const = default;
};

/// What a receiver offers on a UDP address.
class DatagramService {
 public:
  virtual ~DatagramService() = default;
  /// What one call to the kernel brought, at least one; on loop `worker`, so on several at a time.
  virtual void receive(std::span<const Datagram> datagrams, std::size_t worker) = 0;
  /// So many more were dropped, for want of room in the receive buffer. On one loop.
  virtual void dropped_by_kernel(std::uint64_t count) = 0;
};

class DatagramDoor;

/// All listeners, by address. Owned by `main`, borrowed by the graph. Built before the start
/// (`route`), opened together, stopped together.
class Listeners {
 public:
  Listeners(EventLoops& loops, Ledger& ledger, Metrics& metrics);
  ~Listeners();

  /// From here on, `route` refuses here an address that `other` has, and the other way round. Both
  /// stand until the last route.
  void keep_apart(Listeners& other);

  /// Offers `service` for requests to `path` ("/v1/traces"; "/pkg.Service/Method" for gRPC; "*" for
  /// everything that no other path takes) on `endpoint`. False with a sentence in `error` when
  /// another component holds that path there, or the address with other options.
  bool route(std::string_view component, const Endpoint& endpoint, const ServerOptions& options,
             std::string path, const RouteOptions& route_options, Service& service,
             std::string& error);

  /// Offers `service` on a UDP address, which has one component alone.
  bool datagrams(std::string_view component, const Endpoint& endpoint,
                 const DatagramOptions& options, DatagramService& service, std::string& error);

  /// Binds and accepts on every address (of every worker). False with a sentence in `error`.
  bool open(std::string& error);
  /// The port that `endpoint` got (for port 0).
  std::uint16_t port(const Endpoint& endpoint) const;
  std::uint16_t datagram_port(const Endpoint& endpoint) const;
  /// Closes the listening sockets, sends GOAWAY, lets requests under way end; `done` when no
  /// connection is left or after `deadline`.
  void stop(std::chrono::nanoseconds deadline, Task done);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The keys of the collector's gRPC and HTTP server blocks; auth and tls are refused with a
/// sentence until they come. Reports to the node; does not call no_other_keys.
struct ServerBlock {
  Endpoint endpoint;
  ServerOptions server;
  RouteOptions route;
  std::size_t body_bytes_max = 64 << 20;
};
ServerBlock decode_grpc_server(const config::Node& node, std::string_view default_endpoint);
ServerBlock decode_http_server(const config::Node& node, std::string_view default_endpoint);

}  // namespace sluice::net
