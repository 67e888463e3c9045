#pragma once

#include <initializer_list>
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

inline void debug(std::string_view message, Fields fields = {}) { write(Level::debug, message, fields); }
inline void info(std::string_view message, Fields fields = {}) { write(Level::info, message, fields); }
inline void warn(std::string_view message, Fields fields = {}) { write(Level::warn, message, fields); }
inline void error(std::string_view message, Fields fields = {}) { write(Level::error, message, fields); }
/// At most one line a minute for each message text; the next one says how many were left out.
void limited(Level level, std::string_view message, Fields fields = {});

}  // namespace sluice::log
