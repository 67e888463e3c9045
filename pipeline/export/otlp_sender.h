#pragma once

#include <memory>

#include "pipeline/export/sender.h"
#include "pipeline/net/grpc_client_block.h"

namespace sluice {

/// A sender whose every attempt is one call of TraceService/Export. Batches leave as their own
/// bytes; where they are compressed, the workers take turns, since that is most of what an attempt
/// costs.
std::unique_ptr<Sender> make_otlp_sender(const net::GrpcClientBlock& remote,
                                         const ExporterContext& context);

/// What a response means for the batch (wire-level rules: OTLP specification, "OTLP/gRPC
/// Response").
SendResult read_grpc_response(const net::ClientResponse& response);

}  // namespace sluice
