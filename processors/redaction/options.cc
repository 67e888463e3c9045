#include "processors/redaction/options.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace sluice::redaction {
namespace {

void check_hmac_key(const config::Node& node, Digest::Kind kind, const std::string& key) {
  const std::size_t least = kind == Digest::Kind::hmac_sha256   ? 32
                            : kind == Digest::Kind::hmac_sha512 ? 64
                                                                : 0;
  if (least > 0 && key.empty()) {
    node.error("", "this hash_function needs hmac_key");
  } else if (key.size() < least) {
    node.error("hmac_key", "must be at least " + std::to_string(least) + " bytes long, found " +
                               std::to_string(key.size()));
  }
}

/// The words are taken in any case, as the collector does.
std::optional<Digest> decode_digest(const config::Node& node) {
  using Kind = Digest::Kind;
  static constexpr std::pair<std::string_view, Kind> functions[] = {
      {"md5", Kind::md5},
      {"sha1", Kind::sha1},
      {"sha3", Kind::sha3_256},
      {"hmac-sha256", Kind::hmac_sha256},
      {"hmac-sha512", Kind::hmac_sha512}};
  std::string word;
  config::Secret key;
  node.optional("hash_function", word);
  node.optional("hmac_key", key);
  if (word.empty()) return std::nullopt;
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto* const found = std::find_if(std::begin(functions), std::end(functions),
                                         [&](const auto& known) { return known.first == word; });
  if (found == std::end(functions)) {
    node.unexpected("hash_function", "md5, sha1, sha3, hmac-sha256 or hmac-sha512");
    return std::nullopt;
  }
  check_hmac_key(node, found->second, key.reveal());
  Digest digest(found->second, key.reveal());
  std::string hash;
  node.expect(digest.append("", hash), "hash_function",
              "is not offered by this system's cryptographic library");
  return digest;
}

/// What is configured and switched off does no harm.
void refuse_sanitizer(const config::Node& node, std::string_view why) {
  bool enabled = false;
  std::vector<std::string> attributes;
  node.optional("enabled", enabled);
  node.optional("attributes", attributes);
  if (enabled) node.error("enabled", std::string(why));
}

void refuse_sanitizers(const config::Node& node) {
  bool sanitize_span_name = false;
  const config::Node url = node.child("url_sanitizer");
  refuse_sanitizer(url,
                   "sluice has no classifier of words in URLs, which is a trained model in the "
                   "collector; blocked_values can mask the parts of a URL that a pattern finds");
  url.optional("sanitize_span_name", sanitize_span_name);
  url.no_other_keys();
  const config::Node database = node.child("db_sanitizer");
  for (const std::string_view system :
       {"sql", "redis", "valkey", "memcached", "mongo", "opensearch", "es"}) {
    refuse_sanitizer(database.child(system),
                     "sluice has no obfuscator of queries, of which the collector takes another "
                     "company's; blocked_key_patterns can mask the whole query");
    database.child(system).no_other_keys();
  }
  database.optional("sanitize_span_name", sanitize_span_name);
  database.no_other_keys();
}

}  // namespace

Options Options::decode(const config::Node& node) {
  Options options;
  node.optional("allow_all_keys", options.allow_all_keys);
  node.optional("allowed_keys", options.allowed_keys);
  node.optional("ignored_keys", options.ignored_keys);
  options.ignored_key_patterns = Patterns(node, "ignored_key_patterns");
  options.blocked_key_patterns = Patterns(node, "blocked_key_patterns");
  options.blocked_values = Patterns(node, "blocked_values");
  options.allowed_values = Patterns(node, "allowed_values");
  options.digest = decode_digest(node);
  std::string masking_string;
  node.optional("masking_string", masking_string);
  if (!masking_string.empty()) options.masking_string = std::move(masking_string);
  node.optional("redact_all_types", options.redact_all_types);
  node.one_of("summary", options.summary,
              {{"debug", Summary::debug}, {"info", Summary::info}, {"silent", Summary::silent}});
  refuse_sanitizers(node);
  node.no_other_keys();
  return options;
}

}  // namespace sluice::redaction
