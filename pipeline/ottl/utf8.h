#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::ottl {

/// Appends a code point; false for one that is none (a surrogate, past U+10FFFF).
bool append_utf8(std::uint32_t code, std::string& out);

/// Reads the code point that `text` begins with and says how many bytes it has: U+FFFD and one byte
/// where it is not UTF-8. `text` is not empty.
struct Character {
  std::uint32_t code;
  std::size_t size;
};
Character first_character(std::string_view text);
inline std::size_t character_size(std::string_view text) { return first_character(text).size; }

/// Not the middle of a character.
inline bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
}

}  // namespace sluice::ottl
