#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "pipeline/net/server.h"
#include "receivers/zipkin/intake.h"

namespace sluice::zipkin_door {

/// zipkin.proto3.SpanService/Report.
class GrpcSpans final : public net::Service {
 public:
  GrpcSpans(std::shared_ptr<Intake> intake, TakeOptions options, std::size_t body_bytes_max)
      : intake_(std::move(intake)), options_(std::move(options)), body_bytes_max_(body_bytes_max) {}
  net::Admission admit(const net::RequestHead& head) override;
  void serve(net::Request request, net::Reply reply) override;
  net::Response transport_error(net::TransportError error, const net::RequestHead& head,
                                std::string_view detail) override;

 private:
  std::shared_ptr<Intake> intake_;
  TakeOptions options_;
  std::size_t body_bytes_max_;
};

/// POST to any path: one that holds "api/v1/spans" is v1, every other v2; the content type tells
/// the rest.
class HttpSpans final : public net::Service {
 public:
  HttpSpans(std::shared_ptr<Intake> intake, TakeOptions options, std::size_t body_bytes_max)
      : intake_(std::move(intake)), options_(std::move(options)), body_bytes_max_(body_bytes_max) {}
  net::Admission admit(const net::RequestHead& head) override;
  void serve(net::Request request, net::Reply reply) override;
  net::Response transport_error(net::TransportError error, const net::RequestHead& head,
                                std::string_view detail) override;

 private:
  std::shared_ptr<Intake> intake_;
  TakeOptions options_;
  std::size_t body_bytes_max_;
};

}  // namespace sluice::zipkin_door
