#include "pipeline/ottl/clock.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace sluice::ottl {
namespace {

constexpr std::int64_t nanos_a_second = 1'000'000'000;
constexpr std::int64_t seconds_a_day = 86400;

constexpr std::array<std::string_view, 12> months = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> weekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                      "Thursday", "Friday", "Saturday"};

/// What the directives that stand for several mean.
std::string_view expansion(char letter) {
  switch (letter) {
    case 'D':
    case 'x': return "%m/%d/%Y";
    case 'F': return "%Y-%m-%d";
    case 'T':
    case 'X': return "%H:%M:%S";
    case 'r': return "%I:%M:%S %P";
    case 'R': return "%H:%M";
    case 'c': return "%a %b %d %H:%M:%S %Y";
    case 'h': return "%b";
    default: return {};
  }
}

constexpr std::string_view plain_letters = "YymoqbBdegaAHlIpPMSLfsZzwijknt%";

void append_number(std::string& out, std::int64_t number, int width, char fill) {
  const std::string digits = std::to_string(number);
  for (int size = static_cast<int>(digits.size()); size < width; ++size) out += fill;
  out += digits;
}

/// Behind a point or comma without zeros at the end, and nothing at all for a whole second, as the
/// collector's layouts have it.
void append_fraction(std::string& out, std::int64_t nanosecond, std::size_t digits) {
  std::string text;
  append_number(text, nanosecond, 9, '0');
  text.resize(digits);
  if (out.ends_with('.') || out.ends_with(',')) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.empty()) out.pop_back();
  }
  out += text;
}

void append_plain(std::string& out, const CivilTime& time, char letter) {
  const int half_day = time.hour % 12 == 0 ? 12 : time.hour % 12;
  const auto month = static_cast<std::size_t>(time.month - 1);
  const auto weekday = static_cast<std::size_t>(time.weekday);
  switch (letter) {
    case 'Y': return append_number(out, time.year, 4, '0');
    case 'y': return append_number(out, time.year % 100, 2, '0');
    case 'm': return append_number(out, time.month, 2, '0');
    case 'o': return append_number(out, time.month, 2, ' ');
    case 'q': return append_number(out, time.month, 1, '0');
    case 'b': out += months[month].substr(0, 3); return;
    case 'B': out += months[month]; return;
    case 'd': return append_number(out, time.day, 2, '0');
    case 'e': return append_number(out, time.day, 2, ' ');
    case 'g': return append_number(out, time.day, 1, '0');
    case 'a': out += weekdays[weekday].substr(0, 3); return;
    case 'A': out += weekdays[weekday]; return;
    case 'H': return append_number(out, time.hour, 2, '0');
    case 'l': return append_number(out, half_day, 1, '0');
    case 'I': return append_number(out, half_day, 2, '0');
    case 'p': out += time.hour < 12 ? "AM" : "PM"; return;
    case 'P': out += time.hour < 12 ? "am" : "pm"; return;
    case 'M': return append_number(out, time.minute, 2, '0');
    case 'S': return append_number(out, time.second, 2, '0');
    case 'L': return append_fraction(out, time.nanosecond, 3);
    case 'f': return append_fraction(out, time.nanosecond, 6);
    case 's': return append_fraction(out, time.nanosecond, 9);
    case 'Z': out += "UTC"; return;
    case 'z': out += 'Z'; return;
    case 'w': out += "+000000"; return;
    case 'i': out += "+00"; return;
    case 'j': out += "+00:00"; return;
    case 'k': out += "+00:00:00"; return;
    case 'n': out += '\n'; return;
    case 't': out += '\t'; return;
    default: out += letter;
  }
}

void append(std::string& out, const CivilTime& time, std::string_view format) {
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    const char letter = format[++i];
    const std::string_view expanded = expansion(letter);
    if (expanded.empty()) {
      append_plain(out, time, letter);
    } else {
      append(out, time, expanded);
    }
  }
}

/// Reads a text along a format.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool read(std::string_view format) {
    for (std::size_t i = 0; i < format.size(); ++i) {
      if (format[i] != '%' || i + 1 == format.size()) {
        if (!take(format[i])) return false;
        continue;
      }
      const char letter = format[++i];
      const std::string_view expanded = expansion(letter);
      if (expanded.empty() ? !directive(letter) : !read(expanded)) return false;
    }
    return true;
  }

  bool at_end() const { return rest_.empty(); }
  const CivilTime& time() {
    if (afternoon_) time_.hour = time_.hour % 12 + (*afternoon_ ? 12 : 0);
    return time_;
  }
  std::optional<std::int64_t> offset() const { return offset_; }
  bool year_given() const { return year_given_; }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  template <typename Number>
  bool number(Number& out, std::size_t digits_max, std::int64_t least, std::int64_t most,
              std::size_t digits_min = 1) {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    std::int64_t value = 0;
    std::size_t size = 0;
    while (size < digits_max && size < rest_.size() && rest_[size] >= '0' && rest_[size] <= '9')
      value = value * 10 + (rest_[size++] - '0');
    if (size < digits_min || value < least || value > most) return false;
    rest_.remove_prefix(size);
    out = static_cast<Number>(value);
    return true;
  }

  /// The longest of the names, or the first three letters of one.
  template <typename Names>
  bool name(const Names& names, bool whole, int& out) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string_view wanted = whole ? names[i] : names[i].substr(0, 3);
      const std::string_view found = rest_.substr(0, wanted.size());
      const bool same = std::ranges::equal(found, wanted,
                                           [](char a, char b) { return (a | 0x20) == (b | 0x20); });
      if (!same) continue;
      rest_.remove_prefix(wanted.size());
      out = static_cast<int>(i);
      return true;
    }
    return false;
  }

  bool fraction(std::size_t digits_max) {
    std::int64_t value = 0;
    std::size_t size = 0;
    while (size < digits_max && size < rest_.size() && rest_[size] >= '0' && rest_[size] <= '9')
      value = value * 10 + (rest_[size++] - '0');
    if (size == 0) return false;
    rest_.remove_prefix(size);
    for (; size < 9; ++size) value *= 10;
    time_.nanosecond = value;
    return true;
  }

  bool half_of_day() {
    const bool pm = rest_.starts_with("PM") || rest_.starts_with("pm");
    if (!pm && !rest_.starts_with("AM") && !rest_.starts_with("am")) return false;
    rest_.remove_prefix(2);
    afternoon_ = pm;
    return true;
  }

  bool zone() {
    if (take('Z')) {
      offset_ = 0;
      return true;
    }
    const bool west = rest_.starts_with('-');
    if (!west && !rest_.starts_with('+')) return false;
    rest_.remove_prefix(1);
    std::int64_t hours = 0, minutes = 0, seconds = 0;
    if (!number(hours, 2, 0, 24, 2)) return false;
    take(':');
    if (number(minutes, 2, 0, 59, 2)) {
      take(':');
      number(seconds, 2, 0, 59, 2);
    }
    const std::int64_t size = hours * 3600 + minutes * 60 + seconds;
    offset_ = west ? -size : size;
    return true;
  }

  bool zone_name() {
    std::size_t size = 0;
    while (size < rest_.size() && rest_[size] >= 'A' && rest_[size] <= 'Z') ++size;
    const std::string_view zone = rest_.substr(0, size);
    if (zone != "UTC" && zone != "GMT") return false;
    rest_.remove_prefix(size);
    offset_ = 0;
    return true;
  }

  bool directive(char letter) {
    int index = 0;
    switch (letter) {
      case 'Y': return year_given_ = number(time_.year, 4, 0, 9999, 4);
      case 'y':
        year_given_ = true;
        if (!number(time_.year, 2, 0, 99, 2)) return false;
        time_.year += time_.year >= 69 ? 1900 : 2000;
        return true;
      case 'm':
      case 'o':
      case 'q': return number(time_.month, 2, 1, 12);
      case 'b':
      case 'B':
        if (!name(months, letter == 'B', index)) return false;
        time_.month = index + 1;
        return true;
      case 'd':
      case 'e':
      case 'g': return number(time_.day, 2, 1, 31);
      case 'a':
      case 'A': return name(weekdays, letter == 'A', index);
      case 'H': return number(time_.hour, 2, 0, 23);
      case 'l':
      case 'I': return number(time_.hour, 2, 1, 12);
      case 'p':
      case 'P': return half_of_day();
      case 'M': return number(time_.minute, 2, 0, 59);
      case 'S': return number(time_.second, 2, 0, 59);
      case 'L': return fraction(3);
      case 'f': return fraction(6);
      case 's': return fraction(9);
      case 'Z': return zone_name();
      case 'n': return take('\n');
      case 't': return take('\t');
      case '%': return take('%');
      default: return zone();
    }
  }

  std::string_view rest_;
  CivilTime time_;
  bool year_given_ = false;
  std::optional<bool> afternoon_;
  std::optional<std::int64_t> offset_;
};

}  // namespace

CivilTime civil_time(std::int64_t nanos) {
  using namespace std::chrono;
  const sys_time<nanoseconds> point{nanoseconds(nanos)};
  const auto midnight = floor<days>(point);
  const year_month_day date(midnight);
  const hh_mm_ss<nanoseconds> clock(point - midnight);
  CivilTime time;
  time.year = static_cast<int>(date.year());
  time.month = static_cast<int>(static_cast<unsigned>(date.month()));
  time.day = static_cast<int>(static_cast<unsigned>(date.day()));
  time.hour = static_cast<int>(clock.hours().count());
  time.minute = static_cast<int>(clock.minutes().count());
  time.second = static_cast<int>(clock.seconds().count());
  time.nanosecond = clock.subseconds().count();
  time.weekday = static_cast<int>(weekday(midnight).c_encoding());
  return time;
}

std::optional<std::int64_t> nanos_of(const CivilTime& time) {
  using namespace std::chrono;
  const year_month_day date(year(static_cast<int>(time.year)),
                            month(static_cast<unsigned>(time.month)),
                            day(static_cast<unsigned>(time.day)));
  if (!date.ok()) return std::nullopt;
  const std::int64_t days_since = sys_days(date).time_since_epoch().count();
  const std::int64_t seconds =
      days_since * seconds_a_day + time.hour * 3600 + time.minute * 60 + time.second;
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(seconds, nanos_a_second, &nanos) ||
      __builtin_add_overflow(nanos, time.nanosecond, &nanos))
    return std::nullopt;
  return nanos;
}

std::int64_t now_nanos() {
  return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string rfc3339(std::int64_t nanos) {
  const CivilTime time = civil_time(nanos);
  std::string out;
  append(out, time, "%Y-%m-%dT%H:%M:%S");
  if (time.nanosecond != 0) {
    out += '.';
    append_fraction(out, time.nanosecond, 9);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + 'Z';
}

std::optional<std::string> unknown_directive(std::string_view format) {
  for (std::size_t i = 0; i + 1 < format.size(); ++i) {
    if (format[i] != '%') continue;
    const char letter = format[++i];
    if (plain_letters.find(letter) == std::string_view::npos && expansion(letter).empty())
      return std::string(format.substr(i - 1, 2));
  }
  return std::nullopt;
}

std::string format_time(std::int64_t nanos, std::string_view format) {
  std::string out;
  append(out, civil_time(nanos), format);
  return out;
}

/// A time without a year is of this one, or of the one before if it were more than a week ahead.
static std::optional<std::int64_t> in_nearest_year(CivilTime time) {
  const std::int64_t now = now_nanos();
  time.year = civil_time(now).year;
  const auto nanos = nanos_of(time);
  if (nanos && *nanos <= now + 7 * seconds_a_day * nanos_a_second) return nanos;
  --time.year;
  return nanos_of(time);
}

std::optional<std::int64_t> parse_time(std::string_view text, std::string_view format,
                                       std::int64_t offset_seconds) {
  Reader reader(text);
  if (!reader.read(format) || !reader.at_end()) return std::nullopt;
  const std::optional<std::int64_t> nanos =
      reader.year_given() ? nanos_of(reader.time()) : in_nearest_year(reader.time());
  const std::int64_t offset = reader.offset().value_or(offset_seconds);
  std::int64_t result = 0;
  if (!nanos || __builtin_sub_overflow(*nanos, offset * nanos_a_second, &result))
    return std::nullopt;
  return result;
}

}  // namespace sluice::ottl
