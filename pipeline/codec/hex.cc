#include "pipeline/codec/hex.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace sluice::hex {
namespace {

constexpr char digits[] = "0123456789abcdef";
constexpr unsigned not_a_digit = 0x100;

unsigned value_of(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  const int letter = (digit | 0x20) - 'a';
  return letter >= 0 && letter < 6 ? static_cast<unsigned>(letter) + 10 : not_a_digit;
}

#ifdef __SSE2__
/// Sixteen digits to eight bytes, without a branch until the end: ids take one or two such steps.
bool decode_block(const char* text, char* out) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i decimal = _mm_sub_epi8(block, _mm_set1_epi8('0'));
  const __m128i letter = _mm_sub_epi8(_mm_or_si128(block, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
  const __m128i is_decimal = _mm_cmpeq_epi8(_mm_min_epu8(decimal, _mm_set1_epi8(9)), decimal);
  const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
  if (_mm_movemask_epi8(_mm_or_si128(is_decimal, is_letter)) != 0xffff) return false;
  const __m128i values =
      _mm_or_si128(_mm_and_si128(is_decimal, decimal),
                   _mm_and_si128(is_letter, _mm_add_epi8(letter, _mm_set1_epi8(10))));
  // Each pair of digits is one 16-bit lane with the high half first.
  const __m128i joined = _mm_and_si128(
      _mm_or_si128(_mm_slli_epi16(values, 4), _mm_srli_epi16(values, 8)), _mm_set1_epi16(0xff));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_packus_epi16(joined, joined));
  return true;
}
#endif

}  // namespace

bool decode(std::string_view text, char* out) {
#ifdef __SSE2__
  for (; text.size() >= 16; text.remove_prefix(16), out += 8) {
    if (!decode_block(text.data(), out)) return false;
  }
#endif
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const unsigned high = value_of(text[i]);
    const unsigned low = i + 1 < text.size() ? value_of(text[i + 1]) : 0;
    if (high == not_a_digit || low == not_a_digit) return false;
    *out++ = static_cast<char>(high << 4 | low);
  }
  return true;
}

char* encode(std::string_view bytes, char* out) {
  for (const char byte : bytes) {
    *out++ = digits[static_cast<unsigned char>(byte) >> 4];
    *out++ = digits[byte & 0xf];
  }
  return out;
}

}  // namespace sluice::hex
