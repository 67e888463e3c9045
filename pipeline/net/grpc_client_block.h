#pragma once

#include <memory>
#include <string>

#include "pipeline/net/client.h"
#include "pipeline/net/client_headers.h"

namespace sluice::net {

/// The keys of the collector's gRPC client block.
struct GrpcClientBlock {
  GrpcClientOptions client;
  TlsClientOptions tls;
  Encoding encoding = Encoding::none;
  HeaderList headers;
};
/// `compression`: what the block has where it names none. Reports to the node; does not call
/// no_other_keys.
GrpcClientBlock decode_grpc_client(const config::Node& node, Encoding compression);
/// All but the `endpoint`, for those who learn addresses as they run: `client.target` is theirs.
GrpcClientBlock decode_grpc_client_without_endpoint(const config::Node& node, Encoding compression);

/// Whether connections have no TLS, as the collector decides it: `insecure` counts where no CA says
/// that TLS is meant, and https:// always is.
bool is_plain(const GrpcClientBlock& block);

/// The client that the block describes. Null with a sentence in `error` when a certificate cannot
/// be loaded.
std::unique_ptr<GrpcClient> make_grpc_client(const GrpcClientBlock& block, EventLoop& loop,
                                             std::string& error);

/// "UNAVAILABLE".
std::string_view code_name(GrpcCode code);

}  // namespace sluice::net
