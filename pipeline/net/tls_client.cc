#include "pipeline/net/tls_client.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "pipeline/log.h"
#include "pipeline/net/tls_names.h"

namespace sluice::net {

namespace {

template <auto release>
struct Free {
  template <typename Object>
  void operator()(Object* object) const {
    release(object);
  }
};
using BioPointer = std::unique_ptr<BIO, Free<BIO_free>>;
using CertificatePointer = std::unique_ptr<X509, Free<X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

std::string last_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

/// PEM text that is named by a file or given in place, wiped when it goes: it may be a key.
struct Pem {
  Pem() = default;
  Pem(const Pem&) = delete;
  Pem& operator=(const Pem&) = delete;
  ~Pem() { OPENSSL_cleanse(text.data(), text.size()); }
  bool load(std::string_view key, const std::string& file, const std::string& in_place,
            std::string& error);
  BioPointer open() const {
    return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  }
  std::string text;
  std::string name;  ///< for sentences: `ca_file "/etc/ca.pem"`, `ca_pem`
};

bool Pem::load(std::string_view key, const std::string& file, const std::string& in_place,
               std::string& error) {
  if (file.empty()) {
    name = "tls." + std::string(key) + "_pem";
    text = in_place;
    return true;
  }
  name = "tls." + std::string(key) + "_file \"" + file + "\"";
  std::ifstream in(file, std::ios::binary);
  if (in) text.assign(std::istreambuf_iterator<char>(in), {});
  if (in && !in.bad()) return true;
  error = name + ": cannot read: " + std::strerror(errno);
  return false;
}

CertificatePointer next_certificate(BIO* bio) {
  return CertificatePointer(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
}

/// Everything up to the end, or to something that is not PEM.
bool ended_well() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

bool load_authorities(SSL_CTX* context, const TlsClientOptions& options, std::string& error) {
  const bool own = !options.ca_file.empty() || !options.ca_pem.empty();
  if (!own || options.include_system_ca_certs_pool) SSL_CTX_set_default_verify_paths(context);
  if (!own) return true;
  Pem pem;
  if (!pem.load("ca", options.ca_file, options.ca_pem, error)) return false;
  const BioPointer bio = pem.open();
  std::size_t count = 0;
  while (const CertificatePointer certificate = next_certificate(bio.get())) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
    ++count;
  }
  if (ended_well() && count > 0) return true;
  error = pem.name +
          (count == 0 ? ": holds no certificate in PEM form" : ": holds a broken certificate");
  return false;
}

bool load_certificate(SSL_CTX* context, const Pem& pem, std::string& error) {
  const BioPointer bio = pem.open();
  const CertificatePointer own = next_certificate(bio.get());
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1) {
    error = pem.name + ": holds no certificate in PEM form: " + last_reason();
    return false;
  }
  while (const CertificatePointer issuer = next_certificate(bio.get())) {
    SSL_CTX_add1_chain_cert(context, issuer.get());
  }
  if (ended_well()) return true;
  error = pem.name + ": holds a broken certificate";
  return false;
}

/// Without it, OpenSSL would ask for a password on the terminal.
int no_password(char*, int, int, void*) { return -1; }

bool load_key(SSL_CTX* context, const Pem& pem, std::string& error) {
  const BioPointer bio = pem.open();
  const KeyPointer key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (key == nullptr) {
    error =
        pem.name + ": holds no private key in PEM form, or one under a password: " + last_reason();
  } else if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
             SSL_CTX_check_private_key(context) != 1) {
    error = pem.name + ": does not belong to the certificate: " + last_reason();
  }
  return error.empty();
}

bool load_identity(SSL_CTX* context, const TlsClientOptions& options, std::string& error) {
  if (options.cert_file.empty() && options.cert_pem.empty()) return true;
  Pem certificate;
  Pem key;
  return certificate.load("cert", options.cert_file, options.cert_pem, error) &&
         key.load("key", options.key_file, options.key_pem.reveal(), error) &&
         load_certificate(context, certificate, error) && load_key(context, key, error);
}

void append(std::string& list, std::string_view name) {
  if (!list.empty()) list += ':';
  list += name;
}

bool set_algorithms(SSL_CTX* context, const TlsClientOptions& options) {
  std::string older;
  std::string tls13;
  for (const std::string& name : options.cipher_suites) {
    if (const std::optional<CipherSuite> suite = cipher_suite(name))
      append(suite->tls13 ? tls13 : older, suite->openssl);
  }
  std::string groups;
  for (const std::string& name : options.curve_preferences)
    append(groups, curve(name).value_or(""));
  return (older.empty() || SSL_CTX_set_cipher_list(context, older.c_str()) == 1) &&
         (tls13.empty() || SSL_CTX_set_ciphersuites(context, tls13.c_str()) == 1) &&
         (groups.empty() || SSL_CTX_set1_groups_list(context, groups.c_str()) == 1);
}

ContextPointer load(const TlsClientOptions& options, std::string& error) {
  ContextPointer context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, tls_version(options.min_version).value_or(TLS1_2_VERSION));
  if (const std::optional<int> max = tls_version(options.max_version))
    SSL_CTX_set_max_proto_version(raw, *max);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(raw, options.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  if (!load_authorities(raw, options, error) || !load_identity(raw, options, error)) return nullptr;
  if (!set_algorithms(raw, options)) {
    error = "tls: OpenSSL refuses these cipher suites or curves: " + last_reason();
    return nullptr;
  }
  return context;
}

}  // namespace

void ContextDeleter::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

std::shared_ptr<TlsClient> TlsClient::create(const TlsClientOptions& options, std::string& error) {
  ContextPointer context = load(options, error);
  if (context == nullptr) return nullptr;
  auto client = std::make_shared<TlsClient>();
  client->state = std::make_shared<State>();
  client->state->options = options;
  client->state->context = std::move(context);
  client->state->loaded = std::chrono::steady_clock::now();
  return client;
}

ContextPointer TlsClient::State::current() {
  const std::lock_guard lock(mutex);
  const auto now = std::chrono::steady_clock::now();
  if (options.reload_interval.count() > 0 && now - loaded >= options.reload_interval) {
    loaded = now;
    std::string error;
    if (ContextPointer fresh = load(options, error)) {
      context = std::move(fresh);
    } else {
      log::limited(log::Level::warn, "certificates cannot be loaded again; those in use stay",
                   {{"error", error}});
    }
  }
  SSL_CTX_up_ref(context.get());
  return ContextPointer(context.get());
}

}  // namespace sluice::net
