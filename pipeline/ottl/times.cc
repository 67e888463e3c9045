// Times and durations.
#include <string>

#include "config/error.h"
#include "config/node.h"
#include "pipeline/ottl/clock.h"
#include "pipeline/ottl/library.h"

namespace sluice::ottl::library {
namespace {

constexpr std::int64_t nanos_a_second = 1'000'000'000;
__extension__ using Wide = __int128;

template <typename Part>
Value part_of_time(Evaluation& in, const Call& call, Part part) {
  const Value time = call.argument(in, 0);
  if (time.failed()) return time;
  return Value::of_integer(part(civil_time(time.integer)));
}

Value whole(Evaluation& in, const Call& call, std::int64_t unit) {
  const Value duration = call.argument(in, 0);
  return duration.failed() ? duration : Value::of_integer(duration.integer / unit);
}

/// The whole units and the rest apart, so that large durations keep their precision.
Value fraction(Evaluation& in, const Call& call, std::int64_t unit) {
  const Value duration = call.argument(in, 0);
  if (duration.failed()) return duration;
  return Value::of_real(static_cast<double>(duration.integer / unit) +
                        static_cast<double>(duration.integer % unit) / static_cast<double>(unit));
}

/// Whole units since 1970, downwards.
Value since_epoch(Evaluation& in, const Call& call, std::int64_t unit) {
  const Value time = call.argument(in, 0);
  if (time.failed()) return time;
  const std::int64_t units = time.integer / unit;
  return Value::of_integer(time.integer % unit < 0 ? units - 1 : units);
}

}  // namespace

Value now(Evaluation&, const Call&) { return Value::of(Type::time, now_nanos()); }

Value duration(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const auto duration = config::parse_duration(text.text);
  if (!duration) return in.fail("not a duration: ", text.text);
  return Value::of(Type::duration, duration->count());
}

Value unix(Evaluation& in, const Call& call) {
  const Value seconds = call.argument(in, 0);
  if (seconds.failed()) return seconds;
  const Value nanos = call.has(1) ? call.argument(in, 1) : Value::of_integer(0);
  if (nanos.failed()) return nanos;
  std::int64_t time = 0;
  if (__builtin_mul_overflow(seconds.integer, nanos_a_second, &time) ||
      __builtin_add_overflow(time, nanos.integer, &time))
    return in.fail("a time outside of the years 1678 to 2261");
  return Value::of(Type::time, time);
}

Value truncate_time(Evaluation& in, const Call& call) {
  const Value time = call.argument(in, 0);
  if (time.failed()) return time;
  const Value unit = call.argument(in, 1);
  if (unit.failed() || unit.integer <= 0) return unit.failed() ? unit : time;
  // Go counts from the year 1, whose distance to 1970 in seconds this is.
  constexpr Wide years_before = Wide{62135596800} * nanos_a_second;
  const Wide since_year_one = years_before + time.integer;
  return Value::of(Type::time,
                   time.integer - static_cast<std::int64_t>(since_year_one % unit.integer));
}

Value unix_micro(Evaluation& in, const Call& call) { return since_epoch(in, call, 1'000); }
Value unix_milli(Evaluation& in, const Call& call) { return since_epoch(in, call, 1'000'000); }
Value unix_nano(Evaluation& in, const Call& call) { return since_epoch(in, call, 1); }
Value unix_seconds(Evaluation& in, const Call& call) {
  return since_epoch(in, call, nanos_a_second);
}

Value nanoseconds(Evaluation& in, const Call& call) { return whole(in, call, 1); }
Value microseconds(Evaluation& in, const Call& call) { return whole(in, call, 1'000); }
Value milliseconds(Evaluation& in, const Call& call) { return whole(in, call, 1'000'000); }
Value seconds(Evaluation& in, const Call& call) { return fraction(in, call, nanos_a_second); }
Value minutes(Evaluation& in, const Call& call) { return fraction(in, call, 60 * nanos_a_second); }
Value hours(Evaluation& in, const Call& call) { return fraction(in, call, 3600 * nanos_a_second); }

Value year(Evaluation& in, const Call& call) {
  return part_of_time(in, call, [](const CivilTime& time) { return time.year; });
}
Value month(Evaluation& in, const Call& call) {
  return part_of_time(in, call, [](const CivilTime& time) { return time.month; });
}
Value day(Evaluation& in, const Call& call) {
  return part_of_time(in, call, [](const CivilTime& time) { return time.day; });
}
Value weekday(Evaluation& in, const Call& call) {
  return part_of_time(in, call, [](const CivilTime& time) { return time.weekday; });
}
Value hour(Evaluation& in, const Call& call) {
  return part_of_time(in, call, [](const CivilTime& time) { return time.hour; });
}
Value minute(Evaluation& in, const Call& call) {
  return part_of_time(in, call, [](const CivilTime& time) { return time.minute; });
}
Value second(Evaluation& in, const Call& call) {
  return part_of_time(in, call, [](const CivilTime& time) { return time.second; });
}
Value nanosecond(Evaluation& in, const Call& call) {
  return part_of_time(in, call, [](const CivilTime& time) { return time.nanosecond; });
}

Value format_time(Evaluation& in, const Call& call) {
  const Value time = call.argument(in, 0);
  if (time.failed()) return time;
  const std::string text = ottl::format_time(time.integer, call.literal(1, std::string_view()));
  return Value::of_string(in.arena.keep(text));
}

std::string check_format(Call& call) {
  const std::string_view format = call.literal(1, std::string_view());
  if (format.empty()) return "the format cannot be empty";
  const std::optional<std::string> unknown = unknown_directive(format);
  return unknown ? "unknown directive " + config::in_quotes(*unknown) + " in the format" : "";
}

Value time(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const auto time = parse_time(text.text, call.literal(1, std::string_view()), 0);
  return time ? Value::of(Type::time, *time)
              : in.fail("the time does not fit the format: ", text.text);
}

std::string check_time(Call& call) {
  const std::string_view location = call.literal(2, std::string_view("UTC"));
  if (location != "UTC" && !location.empty()) return "the only location known here is \"UTC\"";
  const std::string_view locale = call.literal(3, std::string_view("en"));
  if (!locale.starts_with("en")) return "the only language known here is English";
  return check_format(call);
}

}  // namespace sluice::ottl::library
