#pragma once

#include <memory>
#include <string>

#include "pipeline/export/sender.h"
#include "pipeline/net/grpc_client_block.h"

namespace sluice::loadbalancing {

/// Sends OTLP/gRPC as `remote` says, but to `endpoint`, and counts how that went.
std::unique_ptr<Sender> make_member_sender(net::GrpcClientBlock remote, const std::string& endpoint,
                                           const ExporterContext& context);

}  // namespace sluice::loadbalancing
