// SHA and MD5 by OpenSSL's low-level interface, as in attributes/hash.cc; XXH3 by its own library;
// the others are a few lines.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <xxhash.h>

#include <array>
#include <bit>
#include <cstring>
#include <string>

#include "pipeline/codec/fnv.h"
#include "pipeline/codec/hex.h"
#include "pipeline/ottl/clock.h"
#include "pipeline/ottl/library.h"

namespace sluice::ottl::library {
namespace {

using Digest = unsigned char*(const unsigned char*, std::size_t, unsigned char*);

Value hex_text(Evaluation& in, const void* bytes, std::size_t size) {
  char* const out = in.arena.take(2 * size);
  hex::encode({static_cast<const char*>(bytes), size}, out);
  return Value::of_string({out, 2 * size});
}

template <std::size_t size>
Value digest(Evaluation& in, const Call& call, Digest* function) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  std::array<unsigned char, size> bytes;
  function(reinterpret_cast<const unsigned char*>(text.text.data()), text.text.size(),
           bytes.data());
  return hex_text(in, bytes.data(), size);
}

/// The word at `at`, of which the text may hold only a part.
template <typename Word>
Word word_at(std::string_view text, std::size_t at) {
  Word word = 0;
  if (at < text.size())
    std::memcpy(&word, text.data() + at, std::min(sizeof word, text.size() - at));
  return word;
}

/// MurmurHash3, x86, 32 bits, seed 0 (Austin Appleby, public domain).
std::uint32_t murmur_32(std::string_view text) {
  const auto scrambled = [](std::uint32_t k) {
    return std::rotl(k * 0xcc9e2d51U, 15) * 0x1b873593U;
  };
  std::uint32_t h = 0;
  const std::size_t whole = text.size() / 4 * 4;
  for (std::size_t at = 0; at < whole; at += 4)
    h = std::rotl(h ^ scrambled(word_at<std::uint32_t>(text, at)), 13) * 5 + 0xe6546b64U;
  h ^= scrambled(word_at<std::uint32_t>(text, whole));
  h ^= static_cast<std::uint32_t>(text.size());
  h = (h ^ h >> 16) * 0x85ebca6bU;
  h = (h ^ h >> 13) * 0xc2b2ae35U;
  return h ^ h >> 16;
}

std::uint64_t mixed(std::uint64_t k) {
  k = (k ^ k >> 33) * 0xff51afd7ed558ccdULL;
  k = (k ^ k >> 33) * 0xc4ceb9fe1a85ec53ULL;
  return k ^ k >> 33;
}

/// The same, x64, 128 bits.
std::array<std::uint64_t, 2> murmur_128(std::string_view text) {
  constexpr std::uint64_t c1 = 0x87c37b91114253d5ULL, c2 = 0x4cf5ad432745937fULL;
  const auto first = [](std::uint64_t k) { return std::rotl(k * c1, 31) * c2; };
  const auto second = [](std::uint64_t k) { return std::rotl(k * c2, 33) * c1; };
  std::uint64_t a = 0, b = 0;
  const std::size_t whole = text.size() / 16 * 16;
  for (std::size_t at = 0; at < whole; at += 16) {
    a = (std::rotl(a ^ first(word_at<std::uint64_t>(text, at)), 27) + b) * 5 + 0x52dce729;
    b = (std::rotl(b ^ second(word_at<std::uint64_t>(text, at + 8)), 31) + a) * 5 + 0x38495ab5;
  }
  b ^= second(word_at<std::uint64_t>(text, whole + 8));
  a ^= first(word_at<std::uint64_t>(text, whole));
  a ^= text.size();
  b ^= text.size();
  a += b;
  b += a;
  a = mixed(a);
  b = mixed(b);
  a += b;
  b += a;
  return {a, b};
}

Value uuid_text(Evaluation& in, std::array<unsigned char, 16> bytes, unsigned version) {
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | version << 4);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  const Value digits = hex_text(in, bytes.data(), bytes.size());
  std::string text(digits.text);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return Value::of_string(in.arena.keep(text));
}

}  // namespace

Value md5(Evaluation& in, const Call& call) { return digest<MD5_DIGEST_LENGTH>(in, call, MD5); }
Value sha1(Evaluation& in, const Call& call) { return digest<SHA_DIGEST_LENGTH>(in, call, SHA1); }
Value sha256(Evaluation& in, const Call& call) {
  return digest<SHA256_DIGEST_LENGTH>(in, call, SHA256);
}
Value sha512(Evaluation& in, const Call& call) {
  return digest<SHA512_DIGEST_LENGTH>(in, call, SHA512);
}

Value fnv(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  return Value::of_integer(static_cast<std::int64_t>(fnv_1a(text.text)));
}

Value murmur3(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const std::uint32_t hash = murmur_32(text.text);
  return hex_text(in, &hash, sizeof hash);
}

Value murmur3_128(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const std::array<std::uint64_t, 2> hash = murmur_128(text.text);
  return hex_text(in, hash.data(), sizeof hash);
}

Value xxh3(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  XXH64_canonical_t bytes;
  XXH64_canonicalFromHash(&bytes, XXH3_64bits(text.text.data(), text.text.size()));
  return hex_text(in, &bytes, sizeof bytes);
}

Value xxh128(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits(text.text.data(), text.text.size()));
  return hex_text(in, &bytes, sizeof bytes);
}

Value uuid(Evaluation& in, const Call&) {
  std::array<unsigned char, 16> bytes;
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return uuid_text(in, bytes, 4);
}

/// 48 bits of milliseconds, the rest by chance.
Value uuid_v7(Evaluation& in, const Call&) {
  std::array<unsigned char, 16> bytes;
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  const std::int64_t millis = now_nanos() / 1'000'000;
  for (unsigned i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(millis >> (8 * (5 - i)));
  return uuid_text(in, bytes, 7);
}

}  // namespace sluice::ottl::library
