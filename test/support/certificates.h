#pragma once

#include <string>

namespace sluice::test {

/// A certificate with its key, both PEM.
struct Certificate {
  std::string certificate;
  std::string key;
};

struct CertificateOptions {
  std::string name = "localhost";       ///< DNS name; an address where it is one
  const Certificate* issuer = nullptr;  ///< null: signed by itself
  bool authority = false;
  bool expired = false;
};

/// Made on the spot (elliptic curve, a moment), so that no test depends on a date.
Certificate make_certificate(const CertificateOptions& options);

/// Writes `text` to a file of its own below the directory for temporary files; gone with the
/// object.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  void write(const std::string& text) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace sluice::test
