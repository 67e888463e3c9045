#pragma once

#include <memory>
#include <string>

#include "extensions/jaegerremotesampling/source.h"
#include "pipeline/component.h"
#include "pipeline/net/server.h"

namespace sluice::remote_sampling {

/// Brings questions from the workers that they come in on to the source, which lives on one
/// executor, and counts what becomes of them.
class Desk {
 public:
  /// `protocol` is a label: "http", "grpc".
  Desk(Source& source, const ComponentContext& context, const std::string& protocol);
  /// Any thread; `done` runs on the source's executor.
  void ask(std::string service, FoundDone done);
  void count_bad_request() { bad_requests_.add(1); }

 private:
  void count(Found::Kind kind);
  Source& source_;
  Executor& executor_;
  Counter& fresh_;
  Counter& stale_;
  Counter& failed_;
  Counter& bad_requests_;
};

/// GET /sampling?service=NAME.
class HttpStrategies final : public net::Service {
 public:
  HttpStrategies(Source& source, const ComponentContext& context)
      : desk_(source, context, "http") {}
  net::Admission admit(const net::RequestHead& head) override;
  void serve(net::Request request, net::Reply reply) override;
  net::Response transport_error(net::TransportError error, const net::RequestHead& head,
                                std::string_view detail) override;

 private:
  net::Response bad_request(int status, const std::string& text);
  Desk desk_;
};

/// jaeger.api_v2.SamplingManager/GetSamplingStrategy.
class GrpcStrategies final : public net::Service {
 public:
  GrpcStrategies(Source& source, const ComponentContext& context)
      : desk_(source, context, "grpc") {}
  net::Admission admit(const net::RequestHead& head) override;
  void serve(net::Request request, net::Reply reply) override;
  net::Response transport_error(net::TransportError error, const net::RequestHead& head,
                                std::string_view detail) override;

 private:
  Desk desk_;
};

}  // namespace sluice::remote_sampling
