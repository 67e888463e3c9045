#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/net/server.h"
#include "receivers/otlp/intake.h"

namespace sluice::otlp_door {

/// TraceService/Export over gRPC.
class GrpcTraces final : public net::Service {
 public:
  GrpcTraces(std::shared_ptr<Intake> intake, std::size_t body_bytes_max)
      : intake_(std::move(intake)), body_bytes_max_(body_bytes_max) {}
  net::Admission admit(const net::RequestHead& head) override;
  void serve(net::Request request, net::Reply reply) override;
  net::Response transport_error(net::TransportError error, const net::RequestHead& head,
                                std::string_view detail) override;

 private:
  std::shared_ptr<Intake> intake_;
  std::size_t body_bytes_max_;
};

/// POST /v1/traces, protobuf or JSON by content type.
class HttpTraces final : public net::Service {
 public:
  HttpTraces(std::shared_ptr<Intake> intake, std::size_t body_bytes_max)
      : intake_(std::move(intake)), body_bytes_max_(body_bytes_max) {}
  net::Admission admit(const net::RequestHead& head) override;
  void serve(net::Request request, net::Reply reply) override;
  net::Response transport_error(net::TransportError error, const net::RequestHead& head,
                                std::string_view detail) override;

 private:
  std::shared_ptr<Intake> intake_;
  std::size_t body_bytes_max_;
};

/// Metrics, logs and profiles: refused before the body with a sentence, as UNIMPLEMENTED or 404,
/// which no sender tries again and every SDK reports.
class OtherSignal final : public net::Service {
 public:
  OtherSignal(std::shared_ptr<Intake> intake, std::string signal)
      : intake_(std::move(intake)), signal_(std::move(signal)) {}
  net::Admission admit(const net::RequestHead& head) override;
  void serve(net::Request request, net::Reply reply) override;
  net::Response transport_error(net::TransportError error, const net::RequestHead& head,
                                std::string_view detail) override;

 private:
  net::Response refusal(bool is_grpc, std::string_view content_type) const;
  std::shared_ptr<Intake> intake_;
  std::string signal_;
};

}  // namespace sluice::otlp_door
