#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// Sentences with fields, for operators. Nothing per message on the data path; a condition that can
/// repeat goes through `limited`.
namespace sluice::log {

enum class Level { debug, info, warn, error };
enum class Encoding { console, json };
using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;

/// Before the first line; standard error until then and after. Control bytes in messages and fields
/// are escaped, long ones cut: one event is one line, always.
void configure(Level level, Encoding encoding);
void write(Level level, std::string_view message, Fields fields = {});

inline void debug(std::string_view message, Fields fields = {}) {
  write(Level::debug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
  write(Level::info, message, fields);
}
inline void warn(std::string_view message, Fields fields = {}) {
  write(Level::warn, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) {
  write(Level::error, message, fields);
}
/// At most one line a minute for each message text; the next one says how many were left out.
void limited(Level level, std::string_view message, Fields fields = {});

/// The line without its time: `info\tMessage\tkey=value`, or the members of a JSON object.
std::string format(Encoding encoding, Level level, std::string_view message, Fields fields);

/// Decides for `limited`. Texts are bounded (`texts_max`): past it, all others share one entry.
class Limiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::size_t texts_max = 512;
  /// How many were left out since the last one that passed; empty: leave this one out too.
  std::optional<std::uint64_t> admit(std::string_view message, TimePoint now);

 private:
  struct Entry {
    TimePoint next{};
    std::uint64_t left_out = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace sluice::log
