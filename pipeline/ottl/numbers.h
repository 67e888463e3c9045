#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Numbers and words as Go's strconv reads them.
namespace sluice::ottl {

/// Base 0: by the prefix (0x, 0o, 0b, 0), underscores allowed. Nothing where it is none or does not
/// fit.
std::optional<std::int64_t> parse_integer(std::string_view text, int base);
std::optional<double> parse_real(std::string_view text);
std::optional<bool> parse_boolean(std::string_view text);
/// Towards zero; what no 64 bits hold is the smallest integer.
std::int64_t truncated(double real);
/// `%v` of a double: the shortest form, with an exponent from 1e21 on and below 1e-4.
std::string shortest(double real);
/// With as many digits behind the point.
std::string fixed(double real, int digits);

}  // namespace sluice::ottl
