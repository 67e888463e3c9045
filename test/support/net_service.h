#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/net/server.h"

namespace sluice::test {

/// A service under test: keeps what it is given and answers 200 with "seen SIZE", or as it is told.
/// Called from one loop, or from several where the test says so.
class NetService final : public net::Service {
 public:
  struct Seen {
    std::string body;
    std::string content_type;
    std::string accept_encoding;
    std::size_t wire_bytes = 0;
    std::size_t worker = 0;
    bool is_grpc = false;
    RequestContextRef context;
  };

  net::Admission admit(const net::RequestHead& head) override {
    const std::lock_guard lock(mutex);
    heads.push_back(std::string(head.method) + ' ' + std::string(head.path) +
                    (head.query.empty() ? "" : '?' + std::string(head.query)));
    net::Admission admission;
    admission.body_bytes_max = body_bytes_max;
    admission.refusal = refusal;
    return admission;
  }

  void serve(net::Request request, net::Reply reply) override {
    const std::lock_guard lock(mutex);
    seen.push_back({std::string(request.body.bytes()), request.content_type,
                    request.accept_encoding, request.wire_bytes, request.worker, request.is_grpc,
                    request.context});
    if (keep_bodies) bodies.push_back(std::move(request.body));
    if (hold) {
      held.push_back(std::move(reply));
      return;
    }
    if (answer) return reply.send(*answer);
    net::Response response;
    response.content_type = "text/plain";
    response.body = "seen " + std::to_string(seen.back().body.size());
    reply.send(std::move(response));
  }

  net::Response transport_error(net::TransportError error, const net::RequestHead& head,
                                std::string_view detail) override {
    const std::lock_guard lock(mutex);
    errors.push_back(error);
    net::Response response;
    response.message = detail;
    response.body = head.is_grpc ? "" : std::string(detail);
    switch (error) {
      case net::TransportError::busy:
        response.status = 503, response.grpc = net::GrpcCode::unavailable;
        break;
      case net::TransportError::too_large:
        response.status = 413, response.grpc = net::GrpcCode::resource_exhausted;
        break;
      case net::TransportError::unknown_encoding:
        response.status = 415, response.grpc = net::GrpcCode::unimplemented;
        break;
      case net::TransportError::timeout:
        response.status = 408, response.grpc = net::GrpcCode::cancelled;
        break;
      default: response.status = 400, response.grpc = net::GrpcCode::internal; break;
    }
    return response;
  }

  std::size_t body_bytes_max = 64 << 20;
  std::optional<net::Response> refusal, answer;
  bool hold = false;
  bool keep_bodies = false;

  std::mutex mutex;
  std::vector<std::string> heads;
  std::deque<Seen> seen;
  std::vector<Buffer> bodies;
  std::vector<net::Reply> held;
  std::vector<net::TransportError> errors;
};

}  // namespace sluice::test
