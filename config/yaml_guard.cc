/// yaml-cpp reads ahead: an opening bracket may start a key, so it turns everything up to the
/// closing one into tokens before it reports the bracket. A megabyte of `[:` costs 0.8 s and over
/// 100 MB that way, long before a limit on depth or on nodes is asked. Therefore the raw bytes are
/// counted first: a file within the limit of 10,000 nodes has no use for more structural characters
/// than `marks_max`, nor for a line of more than 64 KiB. What passes here costs yaml-cpp what its
/// reading of characters costs: measured with -O2 on one slow core, 0.05 to 0.18 s for a full
/// megabyte and 35 MB at most; the check itself 6 ms. Control characters and what is not UTF-8 are
/// refused here too, since yaml-cpp lets them through.
#include <array>

#include "config/yaml.h"

namespace sluice::config {
namespace {

constexpr std::size_t line_bytes_max = 64 * 1024;
constexpr std::size_t marks_max = 100'000;

bool is_mark(unsigned char c) {
  static constexpr std::string_view marks = "[]{},:?&*!\"'";
  return marks.find(static_cast<char>(c)) != std::string_view::npos;
}

/// The length of the UTF-8 sequence at the front of `text` (RFC 3629: no overlong forms, no
/// surrogates), 0 if it is none.
std::size_t character_size(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&byte](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && byte(1) < 0x90;
    const bool beyond = first == 0xf4 && byte(1) > 0x8f;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

bool is_forbidden(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

}  // namespace

bool guard_yaml(std::string_view text, const std::string& file, Problems& problems) {
  Position position{file, 1, 1};
  const auto refuse = [&](std::string message) {
    problems.error(position, "", std::move(message));
    return false;
  };
  if (text.size() > limits::file_bytes) return refuse("larger than 1 MiB");
  std::size_t marks = 0;
  std::size_t line_begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t size = character_size(text.substr(i));
    if (size == 0) return refuse("not UTF-8");
    if (is_forbidden(c)) return refuse("a control character");
    if (is_mark(c) && ++marks > marks_max) return refuse("too much structure for a configuration");
    i += size;
    ++position.column;
    if (c == '\n') {
      ++position.line;
      position.column = 1;
      line_begin = i;
    } else if (i - line_begin > line_bytes_max) {
      return refuse("a line of more than 64 KiB");
    }
  }
  return true;
}

}  // namespace sluice::config
