#include "pipeline/net/tls_names.h"

#include <openssl/tls1.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::net {

namespace {

using SuiteName = std::pair<std::string_view, CipherSuite>;
constexpr std::array suites = {
    SuiteName{"TLS_AES_128_GCM_SHA256", {"TLS_AES_128_GCM_SHA256", true}},
    SuiteName{"TLS_AES_256_GCM_SHA384", {"TLS_AES_256_GCM_SHA384", true}},
    SuiteName{"TLS_CHACHA20_POLY1305_SHA256", {"TLS_CHACHA20_POLY1305_SHA256", true}},
    SuiteName{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", {"ECDHE-ECDSA-AES128-GCM-SHA256"}},
    SuiteName{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", {"ECDHE-ECDSA-AES256-GCM-SHA384"}},
    SuiteName{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", {"ECDHE-RSA-AES128-GCM-SHA256"}},
    SuiteName{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", {"ECDHE-RSA-AES256-GCM-SHA384"}},
    SuiteName{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", {"ECDHE-RSA-CHACHA20-POLY1305"}},
    SuiteName{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", {"ECDHE-RSA-CHACHA20-POLY1305"}},
    SuiteName{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", {"ECDHE-ECDSA-CHACHA20-POLY1305"}},
    SuiteName{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", {"ECDHE-ECDSA-CHACHA20-POLY1305"}},
    SuiteName{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", {"ECDHE-ECDSA-AES128-SHA"}},
    SuiteName{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", {"ECDHE-ECDSA-AES256-SHA"}},
    SuiteName{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", {"ECDHE-RSA-AES128-SHA"}},
    SuiteName{"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", {"ECDHE-RSA-AES256-SHA"}},
};

using CurveName = std::pair<std::string_view, std::string_view>;
constexpr std::array curves = {CurveName{"X25519", "X25519"}, CurveName{"P256", "P-256"},
                               CurveName{"P384", "P-384"}, CurveName{"P521", "P-521"}};

}  // namespace

std::optional<CipherSuite> cipher_suite(std::string_view name) {
  const auto found = std::ranges::find(suites, name, &SuiteName::first);
  if (found == suites.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string_view> curve(std::string_view name) {
  const auto found = std::ranges::find(curves, name, &CurveName::first);
  if (found == curves.end()) return std::nullopt;
  return found->second;
}

std::optional<int> tls_version(std::string_view name) {
  if (name == "1.2") return TLS1_2_VERSION;
  if (name == "1.3") return TLS1_3_VERSION;
  return std::nullopt;
}

}  // namespace sluice::net
