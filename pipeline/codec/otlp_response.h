#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What a backend says to an export request: ExportTraceServiceResponse and google.rpc.Status, in
/// protobuf or JSON. Whatever cannot be read says nothing: the status of the transport decides.
namespace sluice {

struct PartialSuccess {
  std::uint64_t rejected_spans = 0;
  std::string message;
};
PartialSuccess read_partial_success(std::string_view response);
PartialSuccess read_partial_success_json(std::string_view response);

struct RpcStatus {
  std::string message;
  std::optional<std::chrono::milliseconds> retry_delay;  ///< a RetryInfo is among the details
};
RpcStatus read_rpc_status(std::string_view status);
RpcStatus read_rpc_status_json(std::string_view status);

}  // namespace sluice
