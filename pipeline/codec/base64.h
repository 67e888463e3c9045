#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::base64 {

inline constexpr std::size_t encoded_size(std::size_t size) { return (size + 2) / 3 * 4; }
/// Writes `encoded_size(bytes.size())` characters of the standard alphabet, padded; returns behind
/// them.
char* encode(std::string_view bytes, char* out);

/// Takes the standard and the URL alphabet, padded or not, as the JSON mapping of protobuf asks of
/// readers. Writes at most three bytes for four characters to `out`, which may be where the text
/// is; returns how many, or nothing when the text is not base64.
std::optional<std::size_t> decode(std::string_view text, char* out);

/// The same as text of its own, padded; and back.
std::string encoded(std::string_view bytes);
std::optional<std::string> decoded(std::string_view text);

}  // namespace sluice::base64
