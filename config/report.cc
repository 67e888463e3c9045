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
constexpr std::size_t secret_bytes_min =
    4;  // masking shorter ones would garble every line and hide nothing
constexpr std::size_t line_bytes_max = 160;

constexpr std::array<std::string_view, 12> secret_words = {
    "password", "passwd", "secret",     "token",         "api_key", "apikey",
    "api-key",  "cookie", "credential", "authorization", "_pem",    "private"};

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

/// Where the value of a key that sounds secret begins: after its colon, or the equals sign of
/// `--set`. The rest of the line goes.
std::size_t secret_begin(std::string_view line) {
  std::string low(line);
  std::ranges::transform(low, low.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::size_t begin = std::string::npos;
  for (const std::string_view word : secret_words) {
    const std::size_t found = low.find(word);
    if (found == std::string::npos) continue;
    const std::size_t colon = low.find_first_of(":=", found);
    if (colon != std::string::npos) begin = std::min(begin, colon + 1);
  }
  return begin;
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

std::string Problems::excerpt(const Position& position) const {
  if (position.line <= 0 || position.column <= 0) return {};
  const auto source = std::ranges::find_if(
      sources_, [&position](const auto& one) { return one.first == position.file; });
  if (source == sources_.end()) return {};
  const std::string_view line = source_line(source->second, position.line);
  if (line.empty() || line.size() > line_bytes_max) return {};
  const std::size_t secret = secret_begin(line);
  std::string shown(line.substr(0, secret));
  if (secret < line.size()) shown += ' ' + std::string(mask);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') c = '?';
  }
  const std::string number = std::to_string(position.line);
  return "  " + number + " | " + masked(std::move(shown)) + "\n  " +
         std::string(number.size(), ' ') + " | " + indent_to(line, position.column) + "^\n";
}

std::string Problems::line(const Problem& problem) const {
  return masked((problem.fatal ? "" : "warning: ") + problem.to_string());
}

std::string Problems::report() const {
  std::string out;
  for (const Problem& problem : list_) {
    out += line(problem) + '\n' + excerpt(problem.position);
  }
  if (unlisted_count_ > 0) out += "and " + std::to_string(unlisted_count_) + " more\n";
  return out;
}

}  // namespace sluice::config
