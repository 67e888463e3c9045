#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/codec/jaeger/jaeger.h"
#include "pipeline/intake/intake.h"
#include "pipeline/net/server.h"

namespace sluice::jaeger_door {

/// What both of the collector's doors need.
struct ServiceOptions {
  std::string id;  ///< of the receiver
  std::size_t body_bytes_max = 64 << 20;
  bool strict = false;  ///< one span with invalid ids refuses its request
};

/// One line a minute at most: that spans were left out, with the first one's service and name.
void log_invalid_ids(std::string_view receiver, const jaeger::Report& report);

/// POST /api/traces: a Batch struct in Thrift's binary protocol.
class HttpBatches final : public net::Service {
 public:
  HttpBatches(std::shared_ptr<Intake> intake, ServiceOptions options)
      : intake_(std::move(intake)), options_(std::move(options)) {}
  net::Admission admit(const net::RequestHead& head) override;
  void serve(net::Request request, net::Reply reply) override;
  net::Response transport_error(net::TransportError error, const net::RequestHead& head,
                                std::string_view detail) override;

 private:
  std::shared_ptr<Intake> intake_;
  ServiceOptions options_;
};

/// CollectorService/PostSpans over gRPC.
class GrpcBatches final : public net::Service {
 public:
  GrpcBatches(std::shared_ptr<Intake> intake, ServiceOptions options)
      : intake_(std::move(intake)), options_(std::move(options)) {}
  net::Admission admit(const net::RequestHead& head) override;
  void serve(net::Request request, net::Reply reply) override;
  net::Response transport_error(net::TransportError error, const net::RequestHead& head,
                                std::string_view detail) override;

 private:
  std::shared_ptr<Intake> intake_;
  ServiceOptions options_;
};

}  // namespace sluice::jaeger_door
