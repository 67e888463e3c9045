#include "pipeline/net/door.h"

#include <algorithm>
#include <utility>

#include "pipeline/model/wire.h"

namespace sluice::net {
namespace {

constexpr std::string_view health_path = "/grpc.health.v1.Health/Check";

/// "/package.Service/Method" → "package.Service"; empty for other paths. What is a gRPC path is
/// told by the dot: "/v1/traces" has none in its first part.
std::string_view grpc_service(std::string_view path) {
  if (!path.starts_with('/')) return {};
  path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos || path.find('/', slash + 1) != std::string_view::npos)
    return {};
  const std::string_view service = path.substr(0, slash);
  return service.find('.') == std::string_view::npos ? std::string_view{} : service;
}

}  // namespace

/// grpc.health.v1.Health/Check: HealthCheckRequest{service = 1} → HealthCheckResponse{status = 1}.
class Door::Health final : public Service {
 public:
  explicit Health(const Door& door) : door_(door) {}

  Admission admit(const RequestHead& head) override {
    if (!head.is_grpc) return {.body_bytes_max = 0, .refusal = Response{.status = 415}};
    return {.body_bytes_max = 4096, .refusal = std::nullopt};
  }

  void serve(Request request, Reply reply) override {
    std::string_view service;
    wire::Cursor cursor(request.body.bytes());
    for (wire::Field field; cursor.next(field);) {
      if (field.number == 1 && field.type == wire::Type::length) service = field.content;
    }
    if (!cursor.ok()) {
      return reply.send({.grpc = GrpcCode::invalid_argument,
                         .message = "the health request is not valid protobuf"});
    }
    if (!service.empty() && !door_.offers_grpc(service)) {
      return reply.send({.grpc = GrpcCode::not_found, .message = "unknown service"});
    }
    constexpr char serving = 1, not_serving = 2;
    reply.send({.body = std::string{'\x08', door_.draining() ? not_serving : serving}});
  }

  Response transport_error(TransportError error, const RequestHead&,
                           std::string_view detail) override {
    Response response{.status = 400, .grpc = GrpcCode::internal, .message = std::string(detail)};
    if (error == TransportError::busy) response.grpc = GrpcCode::unavailable;
    if (error == TransportError::too_large) response.grpc = GrpcCode::resource_exhausted;
    if (error == TransportError::unknown_encoding) response.grpc = GrpcCode::unimplemented;
    return response;
  }

 private:
  const Door& door_;
};

std::optional<Encoding> Route::encoding(std::string_view name) const {
  const std::string_view listed = name == "identity" || name == "none" ? "" : name;
  if (std::find(options.encodings.begin(), options.encodings.end(), listed) ==
      options.encodings.end()) {
    return std::nullopt;
  }
  return parse_encoding(name);
}

Door::Door(Endpoint endpoint, const ServerOptions& options, Metrics& metrics)
    : endpoint_(std::move(endpoint)),
      options_(options),
      health_(std::make_unique<Health>(*this)),
      ended_([&]() -> Ended {
        const auto counter = [&](std::string_view reason) -> Counter& {
          return metrics.counter(
              "sluice_connections_ended", "Connections closed by this side, by reason",
              {{"endpoint", endpoint_.to_string()}, {"reason", std::string(reason)}});
        };
        return {counter("timeout"), counter("abuse"), counter("protocol")};
      }()) {}

Door::~Door() = default;

std::string Door::add(std::string_view component, std::string path, const RouteOptions& options,
                      Service& service) {
  if (const auto held = routes_.find(path); held != routes_.end()) {
    return endpoint_.to_string() + path + " is taken by " + held->second.component;
  }
  if (const std::string_view name = grpc_service(path); !name.empty()) {
    grpc_services_.emplace(name);
    grpc_services_.emplace("grpc.health.v1.Health");
    routes_.try_emplace(std::string(health_path), Route{"health", {}, health_.get()});
  }
  routes_.emplace(std::move(path), Route{std::string(component), options, &service});
  return {};
}

const Route* Door::find(std::string_view path, bool is_grpc) const {
  auto found = routes_.find(path);
  if (found == routes_.end() && !is_grpc) found = routes_.find(std::string_view("*"));
  return found == routes_.end() ? nullptr : &found->second;
}

}  // namespace sluice::net
