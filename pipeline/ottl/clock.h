#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Times as nanoseconds since 1970, UTC.
namespace sluice::ottl {

struct CivilTime {
  std::int64_t year = 1970;
  int month = 1, day = 1, hour = 0, minute = 0, second = 0;
  std::int64_t nanosecond = 0;
  int weekday = 4;   ///< 0 is Sunday
  int year_day = 1;  ///< 1 is January 1st
};

CivilTime civil_time(std::int64_t nanos);
/// Nothing outside of what 64 bits hold (the years 1678 to 2261).
std::optional<std::int64_t> nanos_of(const CivilTime& time);

std::int64_t now_nanos();

/// "2023-11-14T22:13:20.5Z": fractions without trailing zeros.
std::string rfc3339(std::int64_t nanos);

/// By strftime's letters as the collector's `FormatTime` and `Time` know them; nothing, with the
/// letter, where the format has another.
std::optional<std::string> unknown_directive(std::string_view format);
std::string format_time(std::int64_t nanos, std::string_view format);
/// Nothing where the text does not fit the format. `offset_seconds`: of the zone that is meant
/// where the format names none.
std::optional<std::int64_t> parse_time(std::string_view text, std::string_view format,
                                       std::int64_t offset_seconds);

}  // namespace sluice::ottl
