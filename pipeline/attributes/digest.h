#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// A hash function with its key, if it has one.
class Digest {
 public:
  enum class Kind { md5, sha1, sha3_256, hmac_sha256, hmac_sha512 };
  Digest(Kind kind, std::string key) : kind_(kind), key_(std::move(key)) {}

  /// Appends the hash of the text in lower-case hex; false, and nothing is appended, where the
  /// cryptographic library refuses the function.
  bool append(std::string_view text, std::string& out) const;

 private:
  Kind kind_;
  std::string key_;
};

}  // namespace sluice
