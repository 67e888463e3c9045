#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "pipeline/export/sender.h"
#include "pipeline/net/grpc_client_block.h"

namespace sluice {

struct OtlpOptions {
  net::GrpcClientBlock remote;
  ExportOptions exporting;
};

/// One attempt is one call of TraceService/Export. Batches leave as their own bytes; where they are
/// compressed, the workers take turns, since that is most of what an attempt costs.
class OtlpSender final : public Sender {
 public:
  OtlpSender(const OtlpOptions& options, const ExporterContext& context);
  bool start(std::string& error) override;
  void send(SpanBatch batch, std::chrono::nanoseconds timeout, SendDone done) override;
  void stop() override;

 private:
  struct Link;
  static void call(const std::weak_ptr<Link>& link, net::ClientRequest request, SendDone done);

  OtlpOptions options_;
  net::EventLoops& loops_;
  net::EventLoop& loop_;
  std::shared_ptr<Link> link_;
  std::size_t turn_ = 0;
};

/// What a response means for the batch (wire-level rules: OTLP specification, "OTLP/gRPC
/// Response").
SendResult read_grpc_response(const net::ClientResponse& response);

}  // namespace sluice
