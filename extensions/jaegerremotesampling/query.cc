#include "extensions/jaegerremotesampling/query.h"

#include <algorithm>

namespace sluice::remote_sampling {
namespace {

int digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : digit(text[i + 2]);
    if (low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

}  // namespace

std::optional<std::string> only_value(std::string_view query, std::string_view key) {
  std::optional<std::string> value;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t sign = pair.find('=');
    if (decoded(pair.substr(0, sign)) != key) continue;
    if (value) return std::nullopt;
    value = decoded(sign == std::string_view::npos ? "" : pair.substr(sign + 1));
    if (!value) return std::nullopt;
  }
  return value;
}

}  // namespace sluice::remote_sampling
