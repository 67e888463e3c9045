#include "processors/resourcedetection/env_detector.h"

#include <algorithm>

#include "pipeline/attributes/value.h"
#include "pipeline/codec/hex.h"

namespace sluice::resourcedetection {
namespace {

constexpr std::size_t size_max = 256;  // of a key or a value, as in the collector
constexpr std::string_view blanks = " \t\n\v\f\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+') {
      out += ' ';
    } else if (text[at] != '%') {
      out += text[at];
    } else {
      char byte = 0;
      if (at + 2 >= text.size() || !hex::decode(text.substr(at + 1, 2), &byte)) return std::nullopt;
      out += byte;
      at += 2;
    }
  }
  return out;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::optional<Detected> read_environment(std::string_view text) {
  Detected found;
  text = trimmed(text);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t sign = pair.find('=');
    if (sign == std::string_view::npos || !is_ascii(pair)) return std::nullopt;
    const std::string_view key = trimmed(pair.substr(0, sign));
    const std::string_view value = trimmed(pair.substr(sign + 1));
    if (key.empty() || key.size() > size_max || value.size() > size_max) return std::nullopt;
    const std::optional<std::string> plain = unescaped(value);
    if (!plain) return std::nullopt;
    found.add(key, encoded_string(*plain));
  }
  return found;
}

}  // namespace sluice::resourcedetection
