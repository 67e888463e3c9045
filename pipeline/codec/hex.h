#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::hex {

inline constexpr std::size_t decoded_size(std::size_t digits) { return (digits + 1) / 2; }
/// Writes `decoded_size(text.size())` bytes; an odd last digit is the high half of its byte. False
/// when the text is not hexadecimal, either case.
bool decode(std::string_view text, char* out);

/// Writes two lower-case digits for each byte; returns behind them.
char* encode(std::string_view bytes, char* out);

}  // namespace sluice::hex
