#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/net/server.h"

/// gRPC over HTTP/2, what is its own beside HTTP/2 (grpc/grpc PROTOCOL-HTTP2.md): the prefix of a
/// message, the timeout header, and the forms of status and message in trailers.
namespace sluice::net::grpc {

inline constexpr std::size_t prefix_size = 5;

/// One byte 0 or 1 (compressed), then the length of the message, big endian.
struct Prefix {
  bool compressed = false;
  std::uint32_t length = 0;
};
/// Empty where the first byte is neither 0 nor 1.
std::optional<Prefix> parse_prefix(std::string_view bytes);
std::array<char, prefix_size> make_prefix(std::uint32_t length);

/// "application/grpc", "application/grpc+proto", either with parameters.
bool is_content_type(std::string_view content_type);

/// One to eight digits and a unit of H M S m u n: "10S", "250m". Empty where it is anything else.
std::optional<std::chrono::nanoseconds> parse_timeout(std::string_view text);

/// grpc-message: printable ASCII but '%' as it is, every other byte as %XX.
std::string percent_encode(std::string_view message);

/// grpc-status-details-bin: a google.rpc.Status that holds a RetryInfo, in base64 without padding.
std::string retry_details(GrpcCode code, std::string_view message, std::chrono::milliseconds delay);

}  // namespace sluice::net::grpc
