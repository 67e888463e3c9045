/// How a problem looks on a terminal:
///
///   agent.yaml:14:14: processors.batch.timeout: expected a duration such as "200ms", found "fast"
///     14 |     timeout: fast
///        |              ^
///
/// A source line may hold a password, so two nets catch it: every text that was decoded as a Secret
/// is masked wherever it occurs, and what follows a key that sounds like one is masked even where
/// the key is misspelt and nobody decoded it.
#include <algorithm>
#include <array>
#include <cctype>

#include "config/error.h"

namespace sluice::config {
namespace {

constexpr std::string_view mask = "****";
// Masking shorter ones would garble every line and hide nothing.
constexpr std::size_t secret_bytes_min = 4;
constexpr std::size_t line_bytes_max = 160;

constexpr std::array<std::string_view, 13> secret_words = {
    "password", "passwd",     "secret",        "token", "api_key", "apikey", "api-key",
    "cookie",   "credential", "authorization", "_pem",  "private", "headers"};

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string_view source_line(std::string_view text, int line) {
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

/// Where the first value behind a word that sounds secret begins: after a colon, or the equals sign
/// of
/// `--set`; npos where there is none.
std::size_t secret_begin(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::size_t begin = std::string::npos;
  for (const std::string_view word : secret_words) {
    const std::size_t found = low.find(word);
    if (found == std::string::npos) continue;
    const std::size_t sign = low.find_first_of(":=", found);
    if (sign != std::string::npos) begin = std::min(begin, sign + 1);
  }
  return begin;
}

std::size_t byte_offset(std::string_view line, int column) {
  std::size_t i = 0;
  for (; i < line.size(); ++i) {
    if (!continues(line[i]) && column-- <= 1) break;
  }
  return i;
}

/// What may be shown of a source line. The line itself may sound secret, or the path (a key below
/// `headers`), or the hint ("did you mean "password"?" about a key that sounds like nothing).
std::size_t shown_size(std::string_view line, const Problem& problem) {
  const std::size_t begin = std::min(secret_begin(line), line.size());
  if (secret_begin(problem.path + ':') == std::string::npos &&
      secret_begin(problem.message + ':') == std::string::npos) {
    return begin;
  }
  const std::size_t at = byte_offset(line, problem.position.column);
  const std::string key = problem.path.substr(problem.path.rfind('.') + 1);
  if (!line.substr(at).starts_with(key)) return std::min(begin, at);
  const std::size_t sign = line.find_first_of(":=", at + key.size());
  return sign == std::string_view::npos ? std::min(begin, at) : std::min(begin, sign + 1);
}

/// As many columns as the characters before `column`; tabs stay tabs so that the caret lines up.
std::string indent_to(std::string_view line, int column) {
  std::string out;
  for (const char c : line) {
    if (continues(c)) continue;
    if (column-- <= 1) break;
    out += c == '\t' ? '\t' : ' ';
  }
  return out;
}

}  // namespace

void Problems::secret(std::string_view text) {
  if (text.size() >= secret_bytes_min) secrets_.emplace(text);
}

std::string Problems::masked(std::string text) const {
  for (const std::string& secret : secrets_) {
    for (std::size_t at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + mask.size())) {
      text.replace(at, secret.size(), mask);
    }
  }
  return text;
}

std::string Problems::excerpt(const Problem& problem) const {
  const Position& position = problem.position;
  if (position.line <= 0 || position.column <= 0) return {};
  const auto source = std::ranges::find_if(
      sources_, [&position](const auto& one) { return one.first == position.file; });
  if (source == sources_.end()) return {};
  const std::string_view line = source_line(source->second, position.line);
  if (line.empty() || line.size() > line_bytes_max) return {};
  const std::size_t size = shown_size(line, problem);
  std::string shown(line.substr(0, size));
  if (size < line.size()) shown += (shown.ends_with(' ') ? "" : " ") + std::string(mask);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') c = '?';
  }
  const std::string number = std::to_string(position.line);
  return "  " + number + " | " + masked(std::move(shown)) + "\n  " +
         std::string(number.size(), ' ') + " | " + indent_to(line, position.column) +
         std::string(static_cast<std::size_t>(std::max(position.width, 1)), '^') + "\n";
}

std::string Problems::line(const Problem& problem) const {
  return masked((problem.fatal ? "" : "warning: ") + problem.to_string());
}

std::string Problems::report() const {
  std::string out;
  for (const Problem& problem : list_) {
    out += line(problem) + '\n' + excerpt(problem);
  }
  if (unlisted_count_ > 0) out += "and " + std::to_string(unlisted_count_) + " more\n";
  return out;
}

}  // namespace sluice::config
