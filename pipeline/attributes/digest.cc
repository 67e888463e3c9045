#include "pipeline/attributes/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "pipeline/codec/hex.h"

namespace sluice {
namespace {

const EVP_MD* function_of(Digest::Kind kind) {
  switch (kind) {
    case Digest::Kind::md5: return EVP_md5();
    case Digest::Kind::sha1: return EVP_sha1();
    case Digest::Kind::sha3_256: return EVP_sha3_256();
    case Digest::Kind::hmac_sha256: return EVP_sha256();
    case Digest::Kind::hmac_sha512: return EVP_sha512();
  }
  return nullptr;
}

}  // namespace

bool Digest::append(std::string_view text, std::string& out) const {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const EVP_MD* const function = function_of(kind_);
  const bool keyed = kind_ == Kind::hmac_sha256 || kind_ == Kind::hmac_sha512;
  const bool done =
      keyed ? HMAC(function, key_.data(), static_cast<int>(key_.size()),
                   reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes,
                   &size) != nullptr
            : EVP_Digest(text.data(), text.size(), bytes, &size, function, nullptr) == 1;
  if (!done) return false;
  const std::size_t before = out.size();
  out.resize(before + 2 * std::size_t{size});
  hex::encode({reinterpret_cast<const char*>(bytes), size}, out.data() + before);
  return true;
}

}  // namespace sluice
