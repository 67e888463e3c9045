#pragma once

#include <optional>
#include <string_view>

/// The names that Go gives to what OpenSSL calls otherwise; existing files use Go's.
namespace sluice::net {

struct CipherSuite {
  std::string_view openssl;
  bool tls13 = false;
};
/// "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" and the like: those that are held secure.
std::optional<CipherSuite> cipher_suite(std::string_view name);
/// "X25519", "P256", "P384", "P521".
std::optional<std::string_view> curve(std::string_view name);
/// "1.2" and "1.3" as the number on the wire; older versions are not spoken.
std::optional<int> tls_version(std::string_view name);

}  // namespace sluice::net
