#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::net {

/// Standard alphabet, without padding: the form of gRPC's "-bin" headers.
std::string base64_encode(std::string_view bytes);
/// With or without padding; empty optional where a character does not belong.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace sluice::net
