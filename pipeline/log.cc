#include "pipeline/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <atomic>
#include <memory>

namespace sluice::log {
namespace {

constexpr std::size_t text_size_max = 2048;

std::string_view name_of(Level level) {
  constexpr std::string_view names[] = {"debug", "info", "warn", "error"};
  return names[static_cast<std::size_t>(level)];
}

/// Length of the UTF-8 sequence that starts at `text`, or 0 for a byte that starts none or for one
/// of the C1 controls, which terminals obey as they do escapes.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(i < text.size() ? text[i] : 0);
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second >= 0xa0;
  const bool beyond = first == 0xf4 && second >= 0x90;
  const bool control = first == 0xc2 && second < 0xa0;
  return overlong || surrogate || beyond || control ? 0 : length;
}

void append_code(std::string& out, unsigned char byte, Encoding encoding) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += encoding == Encoding::json ? "\\u00" : "\\x";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

/// One line whatever comes in; in quotes it is a JSON string too.
void append_escaped(std::string& out, std::string_view text, Encoding encoding) {
  const bool cut = text.size() > text_size_max;
  if (cut) text = text.substr(0, text_size_max);
  while (!text.empty()) {
    const char c = text[0];
    const std::size_t length = sequence_length(text);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (encoding == Encoding::json && (c == '"' || c == '\\')) {
      (out += '\\') += c;
    } else if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      append_code(out, static_cast<unsigned char>(c), encoding);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  if (cut) out += "…";
}

void append_member(std::string& out, std::string_view key, std::string_view value) {
  out += '"';
  append_escaped(out, key, Encoding::json);
  out += "\":\"";
  append_escaped(out, value, Encoding::json);
  out += '"';
}

constexpr std::string_view console_pattern = "%Y-%m-%dT%H:%M:%S.%eZ\t%v";
constexpr std::string_view json_pattern = "{\"ts\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v}";

struct Log {
  Log() : logger("sluice", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_level(spdlog::level::trace);
    logger.set_error_handler(
        [](const std::string&) {});  // a closed standard error is no reason to die
    use(Encoding::console);
  }
  void use(Encoding which) {
    encoding = which;
    logger.set_pattern(std::string(which == Encoding::json ? json_pattern : console_pattern),
                       spdlog::pattern_time_type::utc);
  }
  spdlog::logger logger;
  std::atomic<Level> level = Level::info;
  std::atomic<Encoding> encoding = Encoding::console;
  Limiter limiter;
};

Log& the_log() {
  static Log log;
  return log;
}

}  // namespace

void configure(Level level, Encoding encoding) {
  the_log().level = level;
  the_log().use(encoding);
}

void write(Level level, std::string_view message, Fields fields) {
  Log& log = the_log();
  if (level < log.level) return;
  log.logger.log(spdlog::level::info, format(log.encoding, level, message, fields));
}

void limited(Level level, std::string_view message, Fields fields) {
  Log& log = the_log();
  if (level < log.level) return;
  const std::optional<std::uint64_t> left_out =
      log.limiter.admit(message, std::chrono::steady_clock::now());
  if (!left_out) return;
  std::string text(message);
  if (*left_out > 0)
    text += " (and " + std::to_string(*left_out) + " more since the last such line)";
  log.logger.log(spdlog::level::info, format(log.encoding, level, text, fields));
}

std::string format(Encoding encoding, Level level, std::string_view message, Fields fields) {
  std::string out;
  if (encoding == Encoding::json) {
    append_member(out, "level", name_of(level));
    out += ',';
    append_member(out, "msg", message);
    for (const auto& [key, value] : fields) append_member(out += ',', key, value);
    return out;
  }
  out += name_of(level);
  out += '\t';
  append_escaped(out, message, encoding);
  char separator = '\t';
  for (const auto& [key, value] : fields) {
    out += std::exchange(separator, ' ');
    append_escaped(out, key, encoding);
    out += '=';
    const bool quoted = value.empty() || value.find_first_of(" \"=") != std::string::npos;
    if (quoted) out += '"';
    append_escaped(out, value, quoted ? Encoding::json : encoding);
    if (quoted) out += '"';
  }
  return out;
}

std::optional<std::uint64_t> Limiter::admit(std::string_view message, TimePoint now) {
  const std::lock_guard lock(mutex_);
  auto entry = entries_.find(message);
  if (entry == entries_.end()) {
    const bool full = entries_.size() >= texts_max;
    entry = entries_.try_emplace(full ? std::string() : std::string(message)).first;
  }
  if (now < entry->second.next) {
    ++entry->second.left_out;
    return std::nullopt;
  }
  entry->second.next = now + std::chrono::minutes(1);
  return std::exchange(entry->second.left_out, 0);
}

}  // namespace sluice::log
