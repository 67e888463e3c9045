#include "pipeline/net/client.h"
#include "pipeline/net/tls_names.h"

namespace sluice::net {

namespace {

void check_pairs(const config::Node& node, const TlsClientOptions& options) {
  const bool has_cert = !options.cert_file.empty() || !options.cert_pem.empty();
  const bool has_key = !options.key_file.empty() || !options.key_pem.empty();
  node.expect(options.ca_file.empty() || options.ca_pem.empty(), "ca_file",
              "give ca_file or ca_pem, not both");
  node.expect(options.cert_file.empty() || options.cert_pem.empty(), "cert_file",
              "give cert_file or cert_pem, not both");
  node.expect(options.key_file.empty() || options.key_pem.empty(), "key_file",
              "give key_file or key_pem, not both");
  node.expect(has_cert == has_key, "", "a client certificate needs both a certificate and its key");
}

void check_versions(const config::Node& node, const TlsClientOptions& options) {
  const std::optional<int> min = tls_version(options.min_version);
  const std::optional<int> max = tls_version(options.max_version);
  if (!options.min_version.empty() && !min) node.unexpected("min_version", "\"1.2\" or \"1.3\"");
  if (!options.max_version.empty() && !max) node.unexpected("max_version", "\"1.2\" or \"1.3\"");
  if (min && max) node.expect(*min <= *max, "max_version", "must not be lower than min_version");
}

}  // namespace

TlsClientOptions decode_tls_client(const config::Node& node) {
  TlsClientOptions options;
  node.optional("insecure", options.insecure);
  node.optional("insecure_skip_verify", options.insecure_skip_verify);
  node.optional("include_system_ca_certs_pool", options.include_system_ca_certs_pool);
  node.optional("ca_file", options.ca_file);
  node.optional("ca_pem", options.ca_pem);
  node.optional("cert_file", options.cert_file);
  node.optional("cert_pem", options.cert_pem);
  node.optional("key_file", options.key_file);
  node.optional("key_pem", options.key_pem);
  node.optional("server_name_override", options.server_name_override);
  node.optional("min_version", options.min_version);
  node.optional("max_version", options.max_version);
  node.optional("cipher_suites", options.cipher_suites);
  node.optional("curve_preferences", options.curve_preferences);
  node.optional("reload_interval", options.reload_interval);
  if (node.child("tpm").present())
    node.error("tpm", "keys in a TPM are not supported; name a key_file");
  check_pairs(node, options);
  check_versions(node, options);
  for (const std::string& name : options.cipher_suites) {
    node.expect(cipher_suite(name).has_value(), "cipher_suites",
                "unknown or insecure cipher suite \"" + name +
                    "\"; expected names such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
  }
  for (const std::string& name : options.curve_preferences) {
    node.expect(curve(name).has_value(), "curve_preferences",
                "unknown curve \"" + name + "\"; expected X25519, P256, P384 or P521");
  }
  node.expect(options.reload_interval.count() >= 0, "reload_interval", "must not be negative");
  node.no_other_keys();
  return options;
}

}  // namespace sluice::net
